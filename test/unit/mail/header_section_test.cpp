#include <postern/mail/header_section.hpp>

#include <ctime>
#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::mail;
using namespace std::string_literals;

namespace {

HeaderSection parsed(std::string_view message) {
  auto section = HeaderSection::parse(message);
  REQUIRE(section);
  return std::move(*section);
}

std::string names(const HeaderSection& section) {
  std::string all;
  for (std::size_t at = 0; at < section.size(); ++at) (all += section[at].name) += '|';
  return all;
}

constexpr unsigned bits(auto... oddities) { return (0u | ... | static_cast<unsigned>(oddities)); }

}  // namespace

TEST_CASE("HeaderSection: gives names, raw values and whole octets in order", "[mail][header]") {
  const auto section = parsed("Subject: one\r\n\ttwo \r\nTO:a@b\r\nsubject: three\r\n\r\nbody\r\n");
  REQUIRE(section.size() == 3);
  CHECK(section[0].name == "Subject");
  CHECK(section[0].value == " one\r\n\ttwo ");
  CHECK(section[0].octets == "Subject: one\r\n\ttwo \r\n");
  CHECK(section[1].value == "a@b");
  CHECK(section.body_offset() == 47);
  CHECK(section.oddities() == 0);
  CHECK(section.count("SUBJECT") == 2);
  CHECK(section.find("subject") == 0u);
  CHECK(section.find("subject", 1) == 2u);
  CHECK(section.find_last("Subject") == 2u);
  CHECK_FALSE(section.find("Subjec"));
  CHECK(section.value("subject") == "one\ttwo");
  CHECK_FALSE(section.value("Date"));
}

TEST_CASE("HeaderSection: has one reading of malformed sections, and changes no octet",
          "[mail][header]") {
  struct Row {
    const char* why;
    std::string message;
    const char* names;
    std::string body;
    unsigned oddities;
  };
  const auto row = GENERATE(values<Row>({
      {"empty message", "", "", "", bits(Oddity::no_empty_line)},
      {"no fields", "\r\nbody", "", "body", 0},
      {"no body", "A: 1\r\n\r\n", "A|", "", 0},
      {"no empty line", "A: 1\r\nB: 2\r\n", "A|B|", "", bits(Oddity::no_empty_line)},
      {"last line without CRLF", "A: 1\r\nB: 2", "A|B|", "", bits(Oddity::no_empty_line)},
      {"line without colon", "A: 1\r\nno field\r\nB: 2\r\n\r\nx", "A|", "no field\r\nB: 2\r\n\r\nx",
       bits(Oddity::ended_by_line)},
      {"leading continuation", " A: 1\r\nB: 2\r\n\r\nx", "", " A: 1\r\nB: 2\r\n\r\nx",
       bits(Oddity::ended_by_line)},
      {"line of blanks", "A: 1\r\n \t\r\nB: 2\r\n\r\nx", "A|B|", "x",
       bits(Oddity::blank_continuation)},
      {"blank before the colon", "A \t: 1\r\nB: 2\r\n\r\nx", "A|B|", "x",
       bits(Oddity::blank_before_colon)},
      {"empty name", ": 1\r\nB: 2\r\n\r\n", "", ": 1\r\nB: 2\r\n\r\n", bits(Oddity::ended_by_line)},
      {"blank in the name", "A\r\n", "", "A\r\n", bits(Oddity::ended_by_line)},
      {"8-bit name", "A: 1\r\n\xc3\xbc: 2\r\n\r\n", "A|", "\xc3\xbc: 2\r\n\r\n",
       bits(Oddity::ended_by_line)},
      {"8-bit value", "A: \xfc\r\n\r\n", "A|", "", bits(Oddity::eight_bit)},
      {"bare CR ends no line", "A: 1\rB: 2\r\r\n\r\nx", "A|", "x", bits(Oddity::bare_newline)},
      {"bare LF ends no line", "A: 1\nB: 2\r\n\r\nx", "A|", "x", bits(Oddity::bare_newline)},
      {"bare LF LF ends no section", "A: 1\n\nx: 2\r\n\r\nx", "A|", "x",
       bits(Oddity::bare_newline)},
      {"CR only", "A: 1\r\rB: 2\r\r", "A|", "", bits(Oddity::bare_newline, Oddity::no_empty_line)},
      {"NUL", "A: \0 1\r\n\r\nx"s, "A|", "x", bits(Oddity::nul)},
      {"NUL in the name", "A\0: 1\r\n\r\nx"s, "", "A\0: 1\r\n\r\nx"s, bits(Oddity::ended_by_line)},
      {"mbox line", "From a Thu\r\nA: 1\r\n\r\nx", "A|", "x", bits(Oddity::mbox_line)},
      {"quoted mbox line", ">From a\r\nA: 1\r\n\r\nx", "A|", "x", bits(Oddity::mbox_line)},
      {"mbox line later", "A: 1\r\nFrom a\r\nB: 2\r\n\r\n", "A|", "From a\r\nB: 2\r\n\r\n",
       bits(Oddity::ended_by_line)},
      {"long line", "A: " + std::string(996, 'x') + "\r\n\r\n", "A|", "", bits(Oddity::long_line)},
      {"line of 998", "A: " + std::string(995, 'x') + "\r\n\r\n", "A|", "", 0},
  }));
  CAPTURE(row.why, row.message);
  const auto section = parsed(row.message);
  CHECK(names(section) == row.names);
  CHECK(row.message.substr(section.body_offset()) == row.body);
  CHECK(section.oddities() == row.oddities);
  CHECK(section.text() + row.body == row.message);
}

TEST_CASE("HeaderSection: edits keep every other octet", "[mail][header]") {
  const std::string message = "A : 1\r\n \r\nB:\t2 \r\n\tx\r\nA:3\r\n\r\nbody";
  auto section = parsed(message);
  REQUIRE(section.add_top("Received", "from x"));
  REQUIRE(section.append("X-Last", "y"));
  REQUIRE(section.insert(2, "Mid", "m"));
  CHECK(section.text() ==
        "Received: from x\r\nA : 1\r\n \r\nMid: m\r\nB:\t2 \r\n\tx\r\nA:3\r\nX-Last: y\r\n\r\n");
  REQUIRE(section.replace(3, "new"));
  CHECK(section[3].octets == "B: new\r\n");
  CHECK(section.remove_all("a") == 2);
  section.remove(0);
  CHECK(section.text() == "Mid: m\r\nB: new\r\nX-Last: y\r\n\r\n");
}

TEST_CASE("HeaderSection: a refused edit changes nothing", "[mail][header]") {
  auto section = parsed("A: 1\r\n\r\n");
  CHECK_FALSE(section.add_top("X Y", "1"));
  CHECK_FALSE(section.append("X", "1\r\nEvil: 1"));
  CHECK_FALSE(section.replace(0, "\r\n\r\nbody"));
  CHECK_FALSE(section.replace(1, "x"));
  CHECK_FALSE(section.insert(2, "X", "x"));
  CHECK(section.text() == "A: 1\r\n\r\n");
}

TEST_CASE("HeaderSection: an added field never adopts a line of the body", "[mail][header]") {
  const std::string message = " Evil: 1\r\nFrom: x\r\n\r\nx";
  auto section = parsed(message);
  REQUIRE(section.add_top("Received", "r"));
  const std::string whole = section.text() + message.substr(section.body_offset());
  CHECK(whole == "Received: r\r\n\r\n" + message);
  CHECK(names(parsed(whole)) == "Received|");
}

TEST_CASE("HeaderSection: a field behind a last line without CRLF begins a line of its own",
          "[mail][header]") {
  auto section = parsed("A: 1");
  REQUIRE(section.append("B", "2"));
  CHECK(section.text() == "A: 1\r\nB: 2\r\n");
}

TEST_CASE("HeaderSection: an mbox line stays first", "[mail][header]") {
  auto section = parsed("From x\r\nA: 1\r\n\r\n");
  REQUIRE(section.add_top("Received", "r"));
  CHECK(section.text() == "From x\r\nReceived: r\r\nA: 1\r\n\r\n");
}

TEST_CASE("HeaderSection: holds its limits to the octet", "[mail][header]") {
  const std::string message = "A: 1\r\nB: 2\r\n\r\n" + std::string(100, 'x');
  CHECK(HeaderSection::parse(message, {.octets = 12, .fields = 2}));
  CHECK(HeaderSection::parse(message, {.octets = 11}).error().code == Errc::too_long);
  CHECK(HeaderSection::parse(message, {.fields = 1}).error().code == Errc::too_long);
  CHECK(HeaderSection::parse("A: 1\r\nNo" + std::string(100, 'x'), {.octets = 6}));  // body
  CHECK_FALSE(
      HeaderSection::parse("A: 1\r\nNo" + std::string(100, 'x') + ":\r\n\r\n", {.octets = 6}));
  CHECK_FALSE(HeaderSection::parse("A: 1\r\n " + std::string(2 << 20, 'x')));
}

TEST_CASE("HeaderSection: 100,000 fields and a million folds take linear time", "[mail][header]") {
  std::string fields, folds = "A:";
  for (int i = 0; i < 100'000; ++i) fields += "X: y\r\n";
  for (int i = 0; i < 1'000'000; ++i) folds += " x\r\n";
  const HeaderLimits wide{.octets = 64 << 20, .fields = 1'000'000};
  const std::clock_t begin = std::clock();  // our own time, however busy the machine is
  const auto many = HeaderSection::parse(fields + "\r\n", wide);
  const auto deep = HeaderSection::parse(folds + "\r\n", wide);
  REQUIRE(many);
  CHECK(many->size() == 100'000);
  CHECK(many->text() == fields + "\r\n");
  REQUIRE(deep);
  CHECK(deep->size() == 1);
  CHECK(deep->value("a")->size() == 2'000'000 - 1);
  CHECK(std::clock() - begin < 20 * CLOCKS_PER_SEC);  // quadratic: minutes
  CHECK(HeaderSection::parse(fields + "\r\n").error().code == Errc::too_long);
}

TEST_CASE("HeaderSection: complete() finds the empty line in whatever pieces it comes",
          "[mail][header]") {
  const std::string message = "A: 1\r\n b\r\n\r\nbody\r\n\r\n";
  std::size_t searched = 0;
  for (std::size_t size = 0; size <= message.size(); ++size) {
    CAPTURE(size);
    const bool complete = HeaderSection::complete(message.substr(0, size), searched);
    CHECK(complete == (size >= 12));
  }
  searched = 0;
  CHECK(HeaderSection::complete("\r\nbody", searched));
}
