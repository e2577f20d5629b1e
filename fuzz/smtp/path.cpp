// Paths: what is accepted is forwarded as it came, holds nothing that could end a line or a path,
// and is read again as the same.
#include <postern/base/text.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/path.hpp>

#include <algorithm>

#include "../fuzz.hpp"

using namespace postern;
using namespace postern::smtp;

namespace {

void check(std::string_view argument, const PathArgument& parsed) {
  const Path& path = parsed.path;
  FUZZ_CHECK(argument.find(path.text) != std::string_view::npos);
  FUZZ_CHECK(path.text.size() + 2 <= limits::path_octets);
  FUZZ_CHECK(path.local_part.size() <= limits::local_part_octets);
  FUZZ_CHECK(path.domain.size() <= limits::domain_octets);
  FUZZ_CHECK(std::none_of(path.text.begin(), path.text.end(), is_control));
  FUZZ_CHECK(valid_utf8(path.text));
  FUZZ_CHECK(path.is_null() == path.text.empty());
  FUZZ_CHECK(parsed.rest == trim(parsed.rest));
  if (path.domain.empty()) {
    FUZZ_CHECK(path.is_null() || iequals(path.text, "postmaster"));
    FUZZ_CHECK(path.mailbox_key() == path.text);
    return;
  }
  FUZZ_CHECK(path.text == path.local_part + "@" + path.domain);
  FUZZ_CHECK(path.is_address_literal() ? is_address_literal(path.domain) : is_domain(path.domain));
  const auto again = parse_mailbox(path.text);
  FUZZ_CHECK(again && *again == path);
  for (const auto parse : {parse_reverse_path, parse_forward_path}) {
    const auto back = parse("<" + path.text + "> X=1", Brackets::required);
    FUZZ_CHECK(back && back->path == path);
    FUZZ_CHECK(!parse("<" + path.text + ">x", Brackets::required));
  }
  const std::string key = path.mailbox_key();
  FUZZ_CHECK(key.size() <= path.text.size() && key.ends_with(lower(path.domain)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = input_text(data, size);
  for (const auto parse :
       {parse_mail_argument, parse_rcpt_argument, parse_reverse_path, parse_forward_path}) {
    const auto strict = parse(text, Brackets::required);
    const auto lenient = parse(text, Brackets::optional);
    if (strict) {
      check(text, *strict);
      FUZZ_CHECK(lenient && lenient->path == strict->path && lenient->rest == strict->rest);
    } else if (lenient) {
      check(text, *lenient);
    }
  }
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"FROM:<a@b.example> SIZE=10",
          "TO: <\"a b\"@c>",
          "<>",
          "<PostMaster> NOTIFY=NEVER",
          "<@x,@y.example:a@b>",
          "<a@[192.0.2.1]>",
          "<a@[IPv6:2001:db8::1]>",
          "<a@[tag:content]>",
          R"(<"a\"b\\c@d"@e>)",
          "<gr\xc3\xbcn@b\xc3\xbc.example>",
          "TO:a@b X=1",
          "<\"\"@c>",
          "<a@good.example<b@evil.example>",
          "<" + std::string(64, 'l') + "@" + std::string(63, 'd') + ">"};
}
