#include <postern/policy/recipients.hpp>

#include <fmt/format.h>

#include <chrono>

#include "catch.hpp"

namespace postern::policy {
namespace {

using Answer = RecipientTable::Answer;

RecipientTable example() {
  RecipientTable table;
  table.add_domain("mx.example.net");
  table.add_domain("example.net");
  table.add_domain(".example.org");
  Problems problems({"recipients"});
  table.add_list(
      "# who gets mail\n"
      "Anna@Listed.Example   # her\r\n"
      "\n"
      "  a#b@listed.example\n"
      "\"john doe\"@listed.example\n"
      "@whole.example\n"
      "one@whole.example\n"
      "only@sub.example.org",
      0, problems);
  REQUIRE(problems.take().empty());
  return table;
}

}  // namespace

TEST_CASE("RecipientTable: answers by its seven rules", "[policy][recipients]") {
  struct Row {
    const char* why;
    std::string local_part;
    std::string domain;
    Answer answer;
  };
  const auto row = GENERATE(values<Row>({
      {"postmaster needs no domain", "PostMaster", "", Answer::accepted},
      {"nobody else does without", "abuse", "", Answer::relaying_denied},
      {"the hostname is ours", "root", "mx.example.net", Answer::accepted},
      {"a domain takes everybody", "anybody", "Example.NET", Answer::accepted},
      {"but not its subdomains", "anybody", "sub.example.net", Answer::relaying_denied},
      {"nor what ends like it", "anybody", "badexample.net", Answer::relaying_denied},
      {"a leading dot takes subdomains", "x", "a.b.Example.org", Answer::accepted},
      {"but not the domain itself", "x", "example.org", Answer::relaying_denied},
      {"nor what ends like it", "x", "badexample.org", Answer::relaying_denied},
      {"postmaster of a subdomain", "postmaster", "a.example.org", Answer::accepted},
      {"an address makes its subdomain strict", "x", "sub.example.org", Answer::unknown_recipient},
      {"and is taken itself", "only", "sub.example.org", Answer::accepted},
      {"a listed address in any case", "ANNA", "listed.EXAMPLE", Answer::accepted},
      {"a hash within an address is no comment", "a#b", "listed.example", Answer::accepted},
      {"a quoted local-part is compared without quotes", "john doe", "listed.example",
       Answer::accepted},
      {"another of a listed domain", "anna2", "listed.example", Answer::unknown_recipient},
      {"postmaster of a listed domain", "Postmaster", "listed.example", Answer::accepted},
      {"abuse of a listed domain", "abuse", "listed.example", Answer::accepted},
      {"@domain takes everybody, whoever else is listed", "two", "whole.example", Answer::accepted},
      {"a stranger's domain", "anna", "example.com", Answer::relaying_denied},
      {"postmaster of a stranger's", "postmaster", "example.com", Answer::relaying_denied},
      {"a name of the table is no domain", "x", "anna@listed.example", Answer::relaying_denied},
      {"an address smuggled into the domain", "", "anna@listed.example", Answer::relaying_denied},
      {"a dot alone", "x", ".", Answer::relaying_denied},
      {"a pattern is no domain", "x", ".example.org", Answer::relaying_denied},
  }));
  CAPTURE(row.why, row.local_part, row.domain);
  CHECK(example().look(row.local_part, row.domain) == row.answer);
}

TEST_CASE("RecipientTable: takes a long local-part for what it is", "[policy][recipients]") {
  const RecipientTable table = example();
  const std::string at_limit(NameTable::max_name_octets - 1 - std::string("example.net").size(),
                             'a');
  CHECK(table.look(at_limit, "example.net") == Answer::accepted);
  CHECK(table.look(at_limit + 'a', "example.net") == Answer::relaying_denied);
  CHECK(table.look(std::string(100'000, 'a'), "listed.example") == Answer::relaying_denied);
  CHECK(table.look("a", std::string(100'000, '.')) == Answer::relaying_denied);
}

TEST_CASE("RecipientTable: is empty of everything but the bare postmaster at first",
          "[policy][recipients]") {
  const RecipientTable table;
  CHECK(table.look("postmaster", "") == Answer::accepted);
  CHECK(table.look("postmaster", "example.net") == Answer::relaying_denied);
}

TEST_CASE("RecipientTable: takes all with accept_everything, but nothing without a domain",
          "[policy][recipients]") {
  RecipientTable table;
  table.accept_everything();
  CHECK(table.look("anybody", "anywhere.example") == Answer::accepted);
  CHECK(table.look("anybody", "") == Answer::relaying_denied);
}

TEST_CASE("RecipientTable: skips a bad line and tells its place", "[policy][recipients]") {
  RecipientTable table;
  Problems problems({"recipients"});
  table.add_list(
      "a@example.net\n  nobody\n@\n@.example.net\na@-x\na "
      "b@example.net\n\"a@example.net\n\xff@example.net\nz@example.net\n",
      0, problems);
  std::vector<std::string> lines;
  for (const Problem& problem : problems.take()) {
    CHECK_FALSE(problem.fatal);
    lines.push_back(problem.line());
  }
  const auto line = [](int number, int column, const char* what) {
    return fmt::format(
        "recipients:{}:{}: plugin.recipients_file: '{}' is neither an address nor @domain; "
        "the line is skipped",
        number, column, what);
  };
  CHECK(lines ==
        std::vector<std::string>{line(2, 3, "nobody"), line(3, 1, "@"), line(4, 1, "@.example.net"),
                                 line(5, 1, "a@-x"), line(6, 1, "a b@example.net"),
                                 line(7, 1, "\"a@example.net"), line(8, 1, "\\xff@example.net")});
  CHECK(table.look("a", "example.net") == Answer::accepted);
  CHECK(table.look("z", "example.net") == Answer::accepted);
}

TEST_CASE("NameTable: keeps its names while it grows", "[policy][recipients]") {
  NameTable table;
  for (int i = 0; i < 20'000; ++i)
    REQUIRE(table.add(fmt::format("name{}", i), static_cast<std::uint8_t>(1 + i % 7)));
  CHECK(table.size() == 20'000);
  for (int i = 0; i < 20'000; ++i) REQUIRE(table.find(fmt::format("name{}", i)) == 1 + i % 7);
  CHECK(table.find("name20000") == 0);
  CHECK(table.find("") == 0);
  CHECK(table.add("name0", 8));
  CHECK(table.find("name0") == 9);
  CHECK(table.size() == 20'000);
  CHECK_FALSE(table.add("", 1));
  CHECK_FALSE(table.add(std::string(NameTable::max_name_octets + 1, 'x'), 1));
}

// Run by hand: test-policy '[measure]'
TEST_CASE("RecipientTable: a million addresses", "[.][measure]") {
  std::string list;
  for (int i = 0; i < 1'000'000; ++i)
    list += fmt::format("first.last{}@d{}.example.net\n", i, i % 1000);
  const auto start = std::chrono::steady_clock::now();
  RecipientTable table;
  Problems problems({"recipients"});
  table.add_list(list, 0, problems);
  const auto loaded = std::chrono::steady_clock::now();
  std::size_t accepted = 0;
  for (int i = 0; i < 1'000'000; ++i)
    if (table.look("First.Last123456", "d456.example.net") == Answer::accepted) ++accepted;
  const auto looked = std::chrono::steady_clock::now();
  CHECK(accepted == 1'000'000);
  const auto ms = [](auto d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  };
  WARN(fmt::format("load {} ms, look {} ns each", ms(loaded - start), ms(looked - loaded)));
}

}  // namespace postern::policy
