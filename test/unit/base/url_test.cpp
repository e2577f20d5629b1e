#include <postern/base/url.hpp>

#include <string>

#include "catch.hpp"

using postern::Url;

TEST_CASE("Url: takes what a web server is called by", "[base][url]") {
  struct Row {
    const char* text;
    bool tls;
    const char* host;
    int port;
    const char* target;
    const char* authority;
  };
  const auto row = GENERATE(values<Row>({
      {"http://a.example", false, "a.example", 80, "/", "a.example"},
      {"https://A.example/in?x=1", true, "a.example", 443, "/in?x=1", "a.example"},
      {"http://a.example:8080?x", false, "a.example", 8080, "/?x", "a.example:8080"},
      {"https://[2001:db8::1]:444/", true, "2001:db8::1", 444, "/", "[2001:db8::1]:444"},
      {"http://192.0.2.1/a%20b", false, "192.0.2.1", 80, "/a%20b", "192.0.2.1"},
  }));
  CAPTURE(row.text);
  const auto url = Url::parse(row.text);
  REQUIRE(url);
  CHECK(url->tls == row.tls);
  CHECK(url->host == row.host);
  CHECK(url->port == row.port);
  CHECK(url->target == row.target);
  CHECK(url->authority() == row.authority);
  CHECK(Url::parse(url->text()).value() == *url);
}

TEST_CASE("Url: refuses what could be sent elsewhere or split a request", "[base][url]") {
  const std::string text =
      GENERATE(as<std::string>{}, "", "a.example", "ftp://a.example", "http://",
               "http://user@a.example/", "http://a.example/#x", "http://a.example/a b",
               "http://a.example/\r\nX: y", "http://a.example:0/", "http://a.example:70000/",
               "http://a.example:8x/", "http://[::1", "http://[::1]x/", "http://a.example/\x80");
  CAPTURE(text);
  CHECK_FALSE(Url::parse(text));
}
