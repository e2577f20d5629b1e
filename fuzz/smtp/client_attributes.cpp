// XCLIENT and XFORWARD: nothing that was told holds an octet that a reply, a log or a header field
// must not; an error changes nothing; it can be told again.
#include <postern/base/text.hpp>
#include <postern/smtp/client_attributes.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/xtext.hpp>

#include <algorithm>

#include "../fuzz.hpp"

using namespace postern;
using namespace postern::smtp;

namespace {

bool same(const ClientAttributes& a, const ClientAttributes& b) {
  return a.name == b.name && a.reverse_name == b.reverse_name && a.helo == b.helo &&
         a.ident == b.ident && a.addr == b.addr && a.destaddr == b.destaddr && a.port == b.port &&
         a.destport == b.destport && a.esmtp == b.esmtp && a.local == b.local;
}

void check_text(const std::optional<std::string>& text) {
  if (!text) return;
  FUZZ_CHECK(text->size() <= limits::xclient_value_octets && all_ascii(*text));
  FUZZ_CHECK(std::none_of(text->begin(), text->end(), is_control));
}

void check(std::string_view argument, Flags<Attribute> offered) {
  ClientAttributes known;
  known.helo = "before";
  const ClientAttributes before = known;
  if (!read_client_attributes(argument, offered, known)) {
    FUZZ_CHECK(same(known, before));
    return;
  }
  check_text(known.name);
  check_text(known.reverse_name);
  check_text(known.helo);
  check_text(known.ident);
  ClientAttributes again;
  const bool plain = known.helo && !known.helo->empty() && known.helo->front() != '[';
  if (plain) {
    const std::string pair = "HELO=" + encode_xtext(*known.helo);
    FUZZ_CHECK(read_client_attributes(pair, offered, again) && again.helo == known.helo);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view argument = input_text(data, size);
  check(argument, xclient_attributes());
  check(argument, xforward_attributes());
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"NAME=mx.example ADDR=192.0.2.1 PORT=51000", "ADDR=IPV6:2001:db8::1 PROTO=ESMTP",
          "HELO=c+2Bd LOGIN=[UNAVAILABLE] REVERSE_NAME=[TEMPUNAVAIL]",
          "SOURCE=REMOTE IDENT=4XyZ+20x NAME=[UNAVAILABLE]",
          "DESTADDR=192.0.2.25 DESTPORT=25 HELO=[192.0.2.1]"};
}
