#include <postern/verify/public_suffix.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::verify;

TEST_CASE("organisational_domain: the suffix and the label before it", "[verify][psl]") {
  struct Row {
    const char* why;
    std::string name;
    const char* domain;
  };
  const auto row = GENERATE(values<Row>({
      {"below it", "mail.example.co.uk", "example.co.uk"},
      {"itself", "example.co.uk", "example.co.uk"},
      {"in capitals, with its final dot", "Mail.EXAMPLE.Co.Uk.", "example.co.uk"},
      {"a suffix", "co.uk", ""},
      {"a top-level domain", "uk", ""},
      {"of the private section", "a.b.github.io", "b.github.io"},
      {"a top-level domain that nobody knows", "a.b.nosuch", "b.nosuch"},
      {"an A-label", "www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"},
      {"a U-label in capitals", "www.B\xc3\x9c\x43HER.de",
       "b\xc3\xbc"
       "cher.de"},
      {"an underscore", "_dmarc.example.com", "example.com"},
      {"nothing", "", ""},
      {"the root", ".", ""},
      {"an empty label", "a..com", ""},
      {"a first dot", ".example.com", ""},
      {"two final dots", "example.com..", ""},
      {"an address", "192.0.2.1", ""},
      {"an IPv6 address", "2001:db8::1", ""},
      {"NUL", std::string("a\0.example.com", 14), ""},
      {"no UTF-8", "\xff.example.com", ""},
      {"too long", std::string(2000, 'a') + ".com", ""},
  }));
  CAPTURE(row.why);
  CHECK(organisational_domain(row.name) == row.domain);
}

TEST_CASE("PublicSuffixList: a file that is none is an error", "[verify][psl]") {
  const auto list = PublicSuffixList::load("/nonexistent/list.dat");
  REQUIRE_FALSE(list);
  CHECK(list.error().code == Errc::io);
}
