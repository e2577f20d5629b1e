#include <postern/base/base64.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace std::string_literals;

TEST_CASE("Base64: the vectors of RFC 4648 section 10, both ways", "[base][base64]") {
  struct Row {
    const char* octets;
    const char* text;
  };
  for (const Row& row : {Row{"", ""},
                         {"f", "Zg=="},
                         {"fo", "Zm8="},
                         {"foo", "Zm9v"},
                         {"foob", "Zm9vYg=="},
                         {"fooba", "Zm9vYmE="},
                         {"foobar", "Zm9vYmFy"}}) {
    CHECK(encode_base64(row.octets) == row.text);
    CHECK(decode_base64(row.text) == std::string(row.octets));
  }
}

TEST_CASE("Base64: every length and octet survives", "[base][base64]") {
  std::string octets;
  for (int i = 0; i < 300; ++i) {
    CHECK(decode_base64(encode_base64(octets)) == octets);
    octets += static_cast<char>(i * 7);
  }
}

TEST_CASE("Base64: reads nothing that is not written so", "[base][base64]") {
  for (const std::string& wrong :
       {"Z"s, "Zg"s, "Zg="s, "Zg==="s, "Zh=="s, "Zm9="s, "Zm9v=="s, "===="s, "="s, "Zg==Zg=="s,
        "Zm 9v"s, "Zm9v\n"s, "Zm9-"s, "Zm_v"s, "Zm9\0"s, "Zm\xe4v"s, "=Zm9"s, "Z=m9"s})
    CHECK_FALSE(decode_base64(wrong));
}
