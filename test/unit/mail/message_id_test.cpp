#include <postern/mail/message_id.hpp>
#include <postern/mail/text_list.hpp>

#include <string>
#include <vector>

#include "catch.hpp"

using namespace postern::mail;
using Texts = std::vector<std::string>;

TEST_CASE("parse_message_ids: takes what angle brackets hold, or words where there are none",
          "[mail][message_id]") {
  CHECK(parse_message_ids("<a@b>\r\n (c) <d\r\n @e>") == Texts{"a@b", "d @e"});
  CHECK(parse_message_ids("a@b (x) c@d") == Texts{"a@b", "c@d"});
  CHECK(parse_message_ids("noise <a@b>") == Texts{"a@b"});
  CHECK(parse_message_ids("<a@b") == Texts{"a@b"});
  CHECK(parse_message_ids("<>)(").empty());
}

TEST_CASE("parse_message_ids: reads no more than its limit", "[mail][message_id]") {
  std::string value;
  for (int i = 0; i < 100'000; ++i) value += "<a@b>";
  CHECK(parse_message_ids(value).size() == 1000);
  CHECK(parse_message_ids(value, 1'000'000).size() == 100'000);
}

TEST_CASE("parse_text_list: parts at commas outside quotes", "[mail][text_list]") {
  CHECK(parse_text_list(" a , \"b, c\",,d\r\n e,") == Texts{"a", "b, c", "d e"});
  CHECK(parse_text_list("a,b,c", 2) == Texts{"a", "b"});
}
