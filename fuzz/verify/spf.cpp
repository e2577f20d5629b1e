// SPF records and macro strings: what is read is what stands there, expands to no more than its
// limits, and errors tell nothing that is not printable. Up to the first line end: the record; then
// what the client said.
#include <postern/base/text.hpp>
#include <postern/verify/spf_record.hpp>

#include <algorithm>

#include "../fuzz.hpp"

using namespace postern;
using namespace postern::verify;
using In = SpfMacroString::In;

namespace {

SpfMacroValues values(std::string_view said) {
  SpfMacroValues out;
  out.local_part = said.substr(0, said.size() / 2);
  out.sender_domain = said.substr(said.size() / 2);
  out.domain = "example.net";
  out.helo = said;
  out.validated_name = "unknown";
  out.receiver = "us.example";
  if (said.size() % 2) out.client = IpAddress::parse("2001:db8::1").value();
  return out;
}

void check(const SpfMacroString& macro, const SpfMacroValues& with) {
  const std::string name = macro.expand_name(with);
  // One label may be longer: there is nothing to cut it at.
  FUZZ_CHECK(name.size() <= 253 || name.find('.', name.size() - 254) == std::string::npos);
  FUZZ_CHECK(macro.expand_text(with, 400).size() <= 400);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = input_text(data, size);
  const std::string_view text = input.substr(0, input.find('\n'));
  const std::string_view said = input.substr(std::min(text.size() + 1, input.size()));
  const SpfMacroValues with = values(said);

  const auto record = parse_spf_record(text);
  if (record) {
    FUZZ_CHECK(is_spf_record(text) && all_ascii(text) && text.size() <= max_spf_record_octets);
    for (const SpfDirective& directive : record->directives) {
      FUZZ_CHECK(text.find(directive.text) != std::string_view::npos);
      FUZZ_CHECK(directive.v4_bits <= 32 && directive.v6_bits <= 128);
      check(directive.domain, with);
      directive.covers(directive.network, with.client);
    }
    check(record->redirect, with);
    check(record->explanation, with);
  } else {
    FUZZ_CHECK(record.error().code == Errc::malformed);
    const auto odd = [](char c) { return is_control(c) || !is_ascii(c); };
    FUZZ_CHECK(std::none_of(record.error().text.begin(), record.error().text.end(), odd));
  }
  for (const In in : {In::domain_spec, In::modifier, In::explanation})
    if (const auto macro = SpfMacroString::parse(text, in)) check(*macro, with);
  // What a domain-spec may be an explanation may be.
  FUZZ_CHECK(!SpfMacroString::parse(text, In::domain_spec) ||
             SpfMacroString::parse(text, In::explanation));
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 a/24//64 mx:%{d2}/20 -all\nalice@example.org",
          "v=spf1 include:_spf.%{o} exists:%{ir}.%{v}.%{l1r-}.x.example ptr:b.example ?all\nx",
          "v=spf1 redirect=%{h}.example exp=%{p}.why.example other.x=%%%_%- ~all\nmx.example.org",
          "See https://a.example/?s=%{S}&ip=%{C}&t=%{t} %{d99r.-+,/_=}\na-b+c@d.example",
          "v=spf1 exists:" + std::string(300, 'a') + ".%{s}." + std::string(200, 'b') + ".example"};
}
