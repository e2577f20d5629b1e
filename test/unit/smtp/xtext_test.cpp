#include <postern/smtp/xtext.hpp>

#include <string>

#include "catch.hpp"

using namespace postern::smtp;

TEST_CASE("xtext: text survives both ways", "[smtp][xtext]") {
  std::string all;
  for (char c = ' '; c < 0x7f; ++c) all += c;
  const std::string encoded = encode_xtext(all);
  CHECK(encoded.find(' ') == std::string::npos);
  CHECK(encoded.find('=') == std::string::npos);
  CHECK(*decode_xtext(encoded) == all);
  CHECK(encode_xtext("a+b=c d\x80\n") == "a+2Bb+3Dc+20d+80+0A");
  CHECK(*decode_xtext("a+2bb") == "a+b");
  CHECK(decode_xtext("")->empty());
}

TEST_CASE("xtext: refuses broken escapes and what they would hide", "[smtp][xtext][line:5]") {
  for (const char* wrong : {"+", "+2", "a+2", "+2G", "+G2", "a=b", "a b", "+0A", "+0D+0A", "+00",
                            "+7F", "+80", "+FF", "\x7f", "\xc3\xbc", "+ 2", "++2"})
    CHECK_FALSE(decode_xtext(wrong));
  for (int octet = 0; octet < 256; ++octet) {
    const char digits[] = "0123456789ABCDEF";
    const std::string escaped{'+', digits[octet / 16], digits[octet % 16]};
    CHECK(decode_xtext(escaped).has_value() == (octet >= 0x20 && octet < 0x7f));
  }
}
