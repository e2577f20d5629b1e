#include <postern/policy/all_matches.hpp>
#include <postern/policy/pattern.hpp>
#include <postern/policy/pattern_table.hpp>

#include <chrono>
#include <thread>

#include "catch.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;
using Found = Pattern::Found;

constexpr const char* pathological = "^(a+)+$(?=b)";
const std::string many_a = std::string(60, 'a') + "!";

std::unique_ptr<Pattern> compiled(std::string text) {
  std::string fault;
  auto pattern = Pattern::compile(std::move(text), fault);
  if (!pattern) FAIL(fault);
  return pattern;
}

std::string matched(const PatternList& list, const std::string& address) {
  const PatternList::Entry* entry = list.match(address);
  return entry == nullptr ? "-" : std::string(entry->reply);
}

}  // namespace

TEST_CASE("Pattern: RE2 has what it can, PCRE2 only the rest", "[policy][pattern]") {
  struct Row {
    std::string text;
    bool linear;
    std::string yes;
    std::string no;
  };
  const auto row = GENERATE(values<Row>({
      {"^info-\\d+@", true, "INFO-12@x.example", "info-@x.example"},
      {"(a|b)+c$", true, "xabAC", "xabacd"},
      {"^(?!anna@).*@x\\.example$", false, "bert@x.example", "Anna@x.example"},
      {"(?<=list-)bounce", false, "a-LIST-bounce@x", "a-bounce@x"},
      {"(?<!list-)bounce", false, "a-bounce@x", "a-list-bounce@x"},
      {"^(.+)@\\1\\.example$", false, "Anna@anna.EXAMPLE", "anna@bert.example"},
      {"^(?<one>.)\\k<one>", false, "aAb", "ab"},
      {"^(?>a+)b", false, "aab", "ac"},
      {"^a++b", false, "aab", "ac"},
      {"^\xc3\x84(?=\xc3\xb6)", false, "\xc3\xa4\xc3\x96", "\xc3\xa4o"},
      {"^b(?=.+@)", false, "b\xc3\xa4@x.example", "b\xff@x.example"},
  }));
  CAPTURE(row.text);
  const auto pattern = compiled(row.text);
  CHECK(pattern->is_linear() == row.linear);
  CHECK(pattern->look_in(row.yes) == Found::yes);
  CHECK(pattern->look_in(row.no) == Found::no);
  CHECK(take_cut_patterns() == Lines{});
}

TEST_CASE("Pattern: what is none is told as whoever knows it says", "[policy][pattern]") {
  struct Row {
    std::string text;
    std::string fault;
  };
  const auto row = GENERATE(values<Row>({
      {"x(+", "no argument for repetition operator: +"},
      {"(?=x", "missing closing parenthesis, at octet 5"},
      {"(?<=a+)b", "lookbehind assertion is not fixed length, at octet 1"},
      {"a**", "bad repetition operator: **"},
      {"\\y", "invalid escape sequence: \\y"},
      {"(?=\\C)a", "using \\C is disabled by the application, at octet 6"},
  }));
  std::string fault;
  CHECK(Pattern::compile(row.text, fault) == nullptr);
  CHECK(fault == row.fault);
}

TEST_CASE("Pattern: one with too many ways is cut short, and told once", "[policy][pattern]") {
  const auto pattern = compiled(pathological);
  take_cut_patterns();
  CHECK(pattern->look_in(many_a) == Found::cut_short);
  const Lines told = take_cut_patterns();
  REQUIRE(told.size() == 1);
  CHECK(told.front() == "the regular expression '^(a+)+$(?=b)' has too many ways to match '" +
                            many_a + "': where it comes to its limits it counts as not matching");
  CHECK(pattern->look_in(many_a) == Found::cut_short);
  CHECK(take_cut_patterns() == Lines{});
  CHECK(pattern->look_in("b") == Found::no);
}

TEST_CASE("Pattern: deep recursion comes to a limit, not to the end of the stack",
          "[policy][pattern]") {
  const auto pattern = compiled("^(a(?1)?b)$(?=$)");
  CHECK(pattern->look_in("aaabbb") == Found::yes);
  CHECK(pattern->look_in(std::string(200'000, 'a')) == Found::cut_short);
  take_cut_patterns();
}

TEST_CASE("Pattern: serves several threads", "[policy][pattern]") {
  const auto pattern = compiled("^(.+)@\\1$");
  std::atomic<int> found = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int j = 0; j < 500; ++j) {
        const std::string name(static_cast<std::size_t>(1 + i * 10), 'x');
        found += pattern->look_in(name + '@' + name) == Found::yes ? 1 : 0;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(found == 2000);
}

TEST_CASE("PatternList: of all kinds of entries the first that matches counts", "[policy][lists]") {
  const PatternList list = PatternList::of({"^(?!anna)a first", "^anna second", "(.)\\1 third",
                                            "otto@x.example fourth", "^u(?=w) fifth", "^u sixth"});
  CHECK(matched(list, "adam") == "first");
  CHECK(matched(list, "anna") == "second");
  CHECK(matched(list, "otto@x.example") == "third");
  CHECK(matched(list, "uwe") == "fifth");
  CHECK(matched(list, "uli") == "sixth");
  CHECK(matched(list, "bert") == "-");
  Lines all;
  for (const PatternList::Entry* entry : all_matches(list, "otto@x.example"))
    all.emplace_back(entry->reply);
  CHECK(all == Lines{"third", "fourth"});
}

TEST_CASE("PatternList: a look-up with many hopeless expressions ends soon", "[policy][lists]") {
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < PatternTable::max_perl_expressions; ++i)
    entries.push_back(std::string(pathological) + " " + std::to_string(i));
  const PatternList list = PatternList::of(entries);
  take_cut_patterns();
  CHECK(matched(list, many_a) == "-");
  CHECK(take_cut_patterns().size() == PatternTable::max_cut_short);
  entries.push_back(pathological);
  CHECK_THROWS_WITH(PatternList::of(entries),
                    Catch::Contains("one regular expression too many with look-around"));
}

}  // namespace postern::policy
