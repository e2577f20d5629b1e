// Parameters and xtext: accepted values hide no control octet, and what is forwarded reads the
// same.
#include <postern/base/text.hpp>
#include <postern/smtp/parameters.hpp>
#include <postern/smtp/xtext.hpp>

#include <algorithm>

#include "../fuzz.hpp"

using namespace postern;
using namespace postern::smtp;

namespace {

Capabilities everything() {
  Capabilities offered;
  offered.size = offered.eight_bit_mime = offered.binarymime = offered.smtputf8 = true;
  offered.dsn = offered.prdr = offered.requiretls = true;
  offered.auth.add(AuthMechanism::plain);
  return offered;
}

bool harmless(std::string_view text) {
  return std::none_of(text.begin(), text.end(), is_control) && valid_utf8(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = input_text(data, size);
  const Capabilities all = everything();
  if (const auto mail = parse_mail_parameters(text, all)) {
    FUZZ_CHECK(harmless(mail->text));
    FUZZ_CHECK(mail->envid.empty() || decode_xtext(mail->envid));
    FUZZ_CHECK(mail->auth.empty() || mail->auth == "<>" || harmless(*decode_xtext(mail->auth)));
    const auto again = parse_mail_parameters(parameters_for(mail->text, all), all);
    FUZZ_CHECK(again && again->size == mail->size && again->body == mail->body);
    FUZZ_CHECK(again->requiretls == mail->requiretls && again->envid == mail->envid &&
               again->auth == mail->auth && again->ret == mail->ret);
    FUZZ_CHECK(again->smtputf8 == mail->smtputf8 && !again->prdr);  // PRDR is between two hops
    FUZZ_CHECK(parameters_for(mail->text, Capabilities()).empty());
    FUZZ_CHECK(mail->text.empty() || !parse_mail_parameters(text, Capabilities()));
  }
  if (const auto rcpt = parse_rcpt_parameters(text, all)) {
    FUZZ_CHECK(harmless(rcpt->text));
    const auto again = parse_rcpt_parameters(parameters_for(rcpt->text, all), all);
    FUZZ_CHECK(again && again->notify == rcpt->notify && again->orcpt == rcpt->orcpt);
  }
  if (const auto decoded = decode_xtext(text))
    FUZZ_CHECK(*decode_xtext(encode_xtext(*decoded)) == *decoded);
  if (harmless(text) && all_ascii(text)) FUZZ_CHECK(*decode_xtext(encode_xtext(text)) == text);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"SIZE=3005 BODY=8BITMIME SMTPUTF8",
          "RET=HDRS ENVID=QQ+2B1",
          "AUTH=e+3Dmc2@example PRDR",
          "AUTH=<>",
          "SIZE=99999999999999999999",
          "BODY=BINARYMIME",
          "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c",
          "NOTIFY=NEVER",
          "ORCPT=utf-8;\xc3\xbc@b",
          "ENVID=a+0Ab",
          "a+2Bb+20c"};
}
