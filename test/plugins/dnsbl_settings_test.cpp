// dnsbl: weights, codes, texts, and lists that do not answer.
#include <string>

#include "catch.hpp"
#include "dnsbl_zones.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using test::name_in;
using testing::Harness;

TEST_CASE("dnsbl: weights add up to the threshold", "[plugins][dnsbl]") {
  struct Row {
    bool in_a, in_b, in_c;  // weights 1, 2, 3
    int threshold;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {false, false, false, 1, 250},
      {true, false, false, 1, 550},
      {true, false, false, 2, 250},
      {true, true, false, 3, 550},
      {true, true, false, 4, 250},
      {false, false, true, 3, 550},
      {true, true, true, 6, 550},
      {true, true, true, 7, 250},
  }));
  CAPTURE(row.in_a, row.in_b, row.in_c, row.threshold);
  Harness h;
  if (row.in_a) test::list(h, "a.example");
  if (row.in_b) test::list(h, "b.example");
  if (row.in_c) test::list(h, "c.example");
  h.load("dnsbl",
         fmt::format("threshold = {}\nzones = [\"a.example\", {{ name = \"b.example\", weight "
                     "= 2 }}, {{ name = \"c.example\", weight = 3 }}]",
                     row.threshold));
  CHECK(test::whole_dialogue(h).code == row.code);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: which answers are a listing", "[plugins][dnsbl][line:42]") {
  struct Row {
    const char* why;
    const char* zone;
    const char* answer;
    int code;            // with on_error = "next"
    bool error = false;  // it is no answer at all
  };
  const auto row = GENERATE(values<Row>({
      {"any of 127.0.0.0/8", "name = \"bl.example\"", "127.0.0.200", 550},
      {"the code that counts", "name = \"bl.example\", codes = [\"127.0.0.2\"]", "127.0.0.2", 550},
      {"another code", "name = \"bl.example\", codes = [\"127.0.0.2\"]", "127.0.0.10", 250},
      {"a range of codes", "name = \"bl.example\", codes = [\"127.0.0.8/30\"]", "127.0.0.10", 550},
      {"a bit", "name = \"bl.example\", bits = 6", "127.0.0.4", 550},
      {"one bit of several", "name = \"bl.example\", bits = 6", "127.0.0.67", 550},
      {"other bits", "name = \"bl.example\", bits = 6", "127.0.0.9", 250},
      {"a bit or a code", "name = \"bl.example\", bits = 6, codes = [\"127.0.0.9\"]", "127.0.0.9",
       550},
      {"asked through a public resolver", "name = \"bl.example\"", "127.255.255.254", 250, true},
      {"asked too often", "name = \"bl.example\"", "127.255.255.255", 250, true},
      {"a mistyped zone", "name = \"bl.example\"", "127.255.255.252", 250, true},
      {"an error that is named as a code", "name = \"bl.example\", codes = [\"127.0.0.0/8\"]",
       "127.255.255.254", 250, true},
      {"a zone that was sold", "name = \"bl.example\"", "198.51.100.1", 250, true},
      {"never a listing", "name = \"bl.example\"", "127.0.0.1", 250, true},
  }));
  CAPTURE(row.why, row.zone, row.answer);
  Harness h;
  test::list(h, "bl.example", "", row.answer);
  const bool defers = GENERATE(false, true);
  h.load("dnsbl",
         fmt::format("zones = [{{ {} }}]\non_error = \"{}\"", row.zone, defers ? "defer" : "next"));
  CHECK(test::whole_dialogue(h).code == (defers && row.error ? 450 : row.code));
  CHECK(h.end() == "");
  CHECK(test::contains(test::all_records(h), row.answer) == row.error);
}

TEST_CASE("dnsbl: of several answers one that counts is enough, one that is an error too many",
          "[plugins][dnsbl]") {
  Harness h;
  test::list(h, "a.example", "", "127.0.0.10");
  test::list(h, "a.example", "", "127.0.0.2");
  test::list(h, "b.example", "", "127.0.0.2");
  test::list(h, "b.example", "", "127.255.255.254");
  SECTION("counts") {
    h.load("dnsbl", "zones = [{ name = \"a.example\", codes = [\"127.0.0.2\"] }]");
    CHECK(test::whole_dialogue(h).code == 550);
  }
  SECTION("error") {
    h.load("dnsbl", "zones = [\"b.example\"]");
    CHECK(test::whole_dialogue(h).code == 250);
  }
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: what the client is told", "[plugins][dnsbl]") {
  struct Row {
    const char* why;
    const char* zone;
    std::string txt;
    std::string text;
  };
  const auto row = GENERATE(values<Row>({
      {"nobody says anything", "name = \"bl.example\"", "", "Your address is listed in bl.example"},
      {"the list's own", "name = \"bl.example\"", "Spam, see http://bl.example/192.0.2.1",
       "Spam, see http://bl.example/192.0.2.1"},
      {"the zone's text", "name = \"bl.example\", text = \"Go away\"", "ignored", "Go away"},
      {"with the address", "name = \"bl.example\", text = \"See https://b.example/q?{client}\"", "",
       "See https://b.example/q?192.0.2.1"},
      {"with the list's own", "name = \"bl.example\", text = \"bl: {reason}\"", "spam", "bl: spam"},
      {"no more than 200 octets of it", "name = \"bl.example\"", std::string(500, 'x'),
       std::string(200, 'x')},
      {"its octets end no line", "name = \"bl.example\"", "a\r\n250 ok\n\x01", "a"},
  }));
  CAPTURE(row.why);
  Harness h;
  test::list(h, "bl.example", row.txt);
  h.load("dnsbl", fmt::format("zones = [{{ {} }}]", row.zone));
  const test::Heard heard = test::whole_dialogue(h);
  CHECK(heard.code == 550);
  CHECK(heard.text.substr(0, 6 + row.text.size()) == "5.7.1 " + row.text);
  if (row.text.size() > 1) CHECK(heard.text.size() == 6 + row.text.size());
  CHECK(h.client.command("NOOP").code == 250);  // the next reply is the next command's
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: what is not known matters only where it could change the outcome",
          "[plugins][dnsbl]") {
  struct Row {
    const char* why;
    bool in_a, in_b;  // weight 2 and 1; the list that fails has 1
    int threshold;
    int code;  // with on_error = "defer"
  };
  const auto row = GENERATE(values<Row>({
      {"enough without it", true, true, 2, 550},
      {"enough only with it", true, false, 3, 450},
      {"not enough even with it", false, true, 3, 250},
      {"all is unknown", false, false, 1, 450},
  }));
  const std::string fails = GENERATE("servfail", "silent", "refused");
  CAPTURE(row.why, fails);
  Harness h;
  if (row.in_a) test::list(h, "a.example");
  if (row.in_b) test::list(h, "b.example");
  if (fails == "servfail") h.dns.fail(name_in("f.example"), Errc::servfail);
  if (fails == "refused") h.dns.fail(name_in("f.example"), Errc::refused);
  if (fails == "silent") h.dns.silence(name_in("f.example"));
  h.load("dnsbl",
         fmt::format("on_error = \"defer\"\nthreshold = {}\nzones = [{{ name = \"a.example\", "
                     "weight = 2 }}, \"b.example\", \"f.example\"]",
                     row.threshold));
  CHECK(test::whole_dialogue(h).code == row.code);
  CHECK(h.sim.elapsed() < 5s);
  CHECK(h.end() == "");
  CHECK(test::contains(test::all_records(h), "f.example: "));
}

TEST_CASE("dnsbl: a dead list lets mail pass, and the record says so", "[plugins][dnsbl]") {
  Harness h;
  h.dns.silence(name_in("dead.example"));
  h.load("dnsbl", "zones = [\"dead.example\"]");
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.sim.elapsed() < 5s);
  CHECK(h.end() == "");
  const std::string records = test::all_records(h);
  CAPTURE(records);
  CHECK(test::contains(records, "\"plugin\":\"dnsbl\""));
  CHECK(test::contains(records, "dead.example"));
  CHECK(test::contains(records, "\"effect\":\"failed\""));
}

TEST_CASE("dnsbl: a listing counts though its text never comes", "[plugins][dnsbl]") {
  Harness h;
  test::list(h, "bl.example", "never heard");
  h.dns.delay(name_in("bl.example"), 2900ms);  // A in time, TXT not
  h.load("dnsbl", "zones = [\"bl.example\"]");
  CHECK(in_one_line(test::whole_dialogue(h)) ==
        "rcpt 550 5.7.1 Your address is listed in bl.example");
  CHECK(h.sim.elapsed() < 5s);
  CHECK(h.end() == "");
}
