// The readers of field bodies: they end, keep within their limits, show nothing but UTF-8 without
// line ends, and give a domain only with a well-formed address.
#include <postern/base/text.hpp>
#include <postern/mail/address.hpp>
#include <postern/mail/content_type.hpp>
#include <postern/mail/encoded_word.hpp>
#include <postern/mail/message_id.hpp>
#include <postern/mail/received.hpp>
#include <postern/mail/text_list.hpp>

#include "../fuzz.hpp"

using namespace postern;
using namespace postern::mail;

namespace {

bool is_shown(const std::string& text) {
  return valid_utf8(text) && text.find_first_of(std::string("\r\n\0", 3)) == std::string::npos;
}

void check_addresses(std::string_view value) {
  const AddressList list = parse_addresses(value);
  for (const Mailbox& mailbox : list.mailboxes) {
    FUZZ_CHECK(is_shown(mailbox.name) && is_shown(mailbox.comment));
    FUZZ_CHECK(mailbox.well_formed == !mailbox.domain().empty());
    FUZZ_CHECK(mailbox.group == Mailbox::npos || mailbox.group < list.groups.size());
    if (!mailbox.well_formed) continue;
    FUZZ_CHECK(mailbox.domain().find('@') == std::string_view::npos);
    const AddressList again = parse_addresses("<" + mailbox.address + ">");
    FUZZ_CHECK(again.mailboxes.size() == 1 && again.mailboxes[0].address == mailbox.address);
    FUZZ_CHECK(again.mailboxes[0].domain() == mailbox.domain());
  }
  FUZZ_CHECK(parse_addresses(value, 3).mailboxes.size() <= 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value = input_text(data, size);
  check_addresses(value);
  if (const auto type = parse_content_type(value, 10)) {
    FUZZ_CHECK(type->parameters.size() <= 10);
    for (const Parameter& parameter : type->parameters) FUZZ_CHECK(!parameter.name.empty());
  }
  FUZZ_CHECK(is_shown(display_text(value)));
  for (const std::string& item : parse_text_list(value)) FUZZ_CHECK(is_shown(item));
  for (const std::string& id : parse_message_ids(value)) FUZZ_CHECK(!id.empty());
  decode_words(value);
  parse_received(value);
  parse_date(value);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"J. Doe (c) <a@b.example>, \"x y\"@c, G:d@e,<@f:g@[IPv6:::1]>;",
          "=?utf-8?q?a=2Cb?= =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <a@b>",
          "text/plain; charset=\"utf-8\"; name*0*=gbk'en'%d6; name*1*=%d0; x=y (c)",
          "from a (b [192.0.2.1]) by c with ESMTPS (TLSv1.3) id d for <e@f>; Sat, 21 Nov 2026 "
          "11:15:31 +0100 (CET)",
          "from x (HELO y) (u@[IPv6:::1] ident=[z]); 1 Jan 99 00:00 EST",
          "<a@b> <c\r\n @d>"};
}
