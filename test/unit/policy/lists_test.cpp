#include <postern/policy/all_matches.hpp>
#include <postern/policy/list_files.hpp>
#include <postern/policy/pattern_table.hpp>
#include <postern/smtp/path.hpp>

#include <fmt/format.h>

#include <chrono>

#include "catch.hpp"
#include "fake_plugins.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;

std::string matched(const PatternList& list, const std::string& address) {
  const PatternList::Entry* entry = list.match(address);
  if (entry == nullptr) return "-";
  return std::string(entry->text) + "|" + std::string(entry->reply);
}

}  // namespace

TEST_CASE("AddressList: whose address fits which entry", "[policy][lists]") {
  struct Row {
    std::string entry;
    Lines yes;
    Lines no;
  };
  const auto row = GENERATE(values<Row>({
      {"anna@example.net",
       {"anna@example.net", "ANNA@Example.NET", "\"anna\"@example.net", "\"an\\na\"@example.net"},
       {"anna@sub.example.net", "bert@example.net", "anna@example.org", "", "xanna@example.net"}},
      {"\"john doe\"@example.net", {"\"John Doe\"@example.net"}, {"john@example.net"}},
      {"@example.net", {"x@example.net", "y@EXAMPLE.net"}, {"x@sub.example.net", "x@xexample.net"}},
      {"Example.net", {"x@example.net"}, {"x@sub.example.net"}},
      {".example.net",
       {"x@a.example.net", "x@a.b.example.net"},
       {"x@example.net", "x@bexample.net"}},
      {"@.example.net", {"x@a.example.net"}, {"x@example.net"}},
      {"postmaster", {"postmaster@example.net", "PostMaster"}, {"postmaster2@example.net", ""}},
      {"<>", {""}, {"x@example.net", "postmaster"}},
      {"@[192.0.2.1]", {"x@[192.0.2.1]"}, {"x@[192.0.2.2]"}},
      {"b\xc3\xbc@example.net", {"b\xc3\xbc@example.net"}, {"b@example.net"}},
  }));
  CAPTURE(row.entry);
  const AddressList list = AddressList::of({"other@else.example", row.entry});
  const auto contains = [&](const std::string& address) {
    if (address.empty()) return list.contains(smtp::Path{});
    const auto path = smtp::parse_rcpt_argument("TO:<" + address + ">");
    REQUIRE(path);
    return list.contains(path->path);
  };
  for (const std::string& address : row.yes) {
    CAPTURE(address);
    CHECK(contains(address));
  }
  for (const std::string& address : row.no) {
    CAPTURE(address);
    CHECK_FALSE(contains(address));
  }
}

TEST_CASE("AddressList: refuses what is no entry", "[policy][lists]") {
  for (const char* entry :
       {"a b", "a@", "@", "a@b..c", "a@b@", "..", ".", "(x)", "\"x", "a,b", "\xff"})
    CHECK_THROWS_AS(AddressList::of({entry}), std::invalid_argument);
  CHECK_FALSE(AddressList().contains("a", "b"));
  CHECK(AddressList().empty());
  CHECK(AddressList::of({"a@b", "c@d"}).size() == 2);
  CHECK_FALSE(AddressList::of({"a@b"}).contains(std::string(2000, 'a'), "b"));
}

TEST_CASE("PatternList: what fits which entry, and the reply with it", "[policy][lists]") {
  struct Row {
    const char* why;
    std::string entry;
    std::string address;
    std::string found;
  };
  const auto row = GENERATE(values<Row>({
      {"an address", "spam@evil.example", "Spam@EVIL.example", "spam@evil.example|"},
      {"with a reply", "spam@evil.example \t go  away ", "spam@evil.example",
       "spam@evil.example|go  away"},
      {"a '#' within the reply is kept", "spam@evil.example Gone (#5.7.1) #1", "spam@evil.example",
       "spam@evil.example|Gone (#5.7.1) #1"},
      {"a '#' where the reply begins is a comment", "spam@evil.example  # since May",
       "spam@evil.example", "spam@evil.example|"},
      {"another address", "spam@evil.example", "ham@evil.example", "-"},
      {"a domain", "@evil.example no", "x@evil.example", "@evil.example|no"},
      {"not below it", "@evil.example", "x@a.evil.example", "-"},
      {"an expression", "^return.*@.*\\.example\\.biz$ Not wanted", "Return-3@a.example.biz",
       "^return.*@.*\\.example\\.biz$|Not wanted"},
      {"found anywhere", "info\\d+", "xinfo12@y.example", "info\\d+|"},
      {"upper-case escapes keep their meaning", "^\\S+@evil\\.example$", "a@evil.example",
       "^\\S+@evil\\.example$|"},
      {"slashes around", "/^info-/ gone", "info-1@x.example", "/^info-/|gone"},
      {"a percent hack", "%  Sorry, no", "a%b@x.example", "%|Sorry, no"},
      {"a plus makes an expression", "a+b@x.example", "aab@x.example", "a+b@x.example|"},
      {"the null reverse-path", "^$ no bounces", "", "^$|no bounces"},
      {"a class, where no address can be", "[0-9]@ no digit", "a7@x.example", "[0-9]@|no digit"},
      {"... is no part of an address", "[0-9]@ no digit", "7a@x.example", "-"},
      {"a single character stands for itself", "| no pipe", "a|b@x.example", "||no pipe"},
      {"... and not for anything", "| no pipe", "ab@x.example", "-"},
      {"one that would be no expression", "* no star", "a*b@x.example", "*|no star"},
      {"a quote", "' no quote", "o'brien@x.example", "'|no quote"},
      {"an address with one", "o'brien@x.example", "o'brien@x.example", "o'brien@x.example|"},
      {"an address literal", "a@[192.0.2.1]", "a@[192.0.2.1]", "a@[192.0.2.1]|"},
  }));
  CAPTURE(row.why, row.entry, row.address);
  CHECK(matched(PatternList::of({"nobody@else.example", row.entry, "^zzz$"}), row.address) ==
        row.found);
}

TEST_CASE("PatternList: the first of several that fit counts", "[policy][lists]") {
  const Lines entries{"^anna@ expression", "anna@x.example exact", "@x.example domain",
                      "x.*$ last"};
  CHECK(matched(PatternList::of(entries), "anna@x.example") == "^anna@|expression");
  const Lines reversed{entries.rbegin(), entries.rend()};
  CHECK(matched(PatternList::of(reversed), "anna@x.example") == "x.*$|last");
  CHECK(matched(PatternList::of({"@x.example one", "anna@x.example two"}), "anna@x.example") ==
        "@x.example|one");
  CHECK(matched(PatternList::of({"anna@x.example one", "anna@X.example two"}), "anna@x.example") ==
        "anna@x.example|one");
}

TEST_CASE("PatternList: between slashes there may be blanks, behind them is the reply",
          "[policy][lists]") {
  const auto [entry, text, found] = GENERATE(table<std::string, std::string, std::string>({
      {"/windows xp/", "Windows XP", "/windows xp/|"},
      {"/windows (xp|2000)/ Get a newer one", "windows 2000",
       "/windows (xp|2000)/|Get a newer one"},
      {"/windows xp/\tsee /this/ for more", "Windows XP", "/windows xp/|see /this/ for more"},
      {"/info/ see http://example.net/", "info@example.net", "/info/|see http://example.net/"},
      {"/a/b/ no", "/a/b", "/a/b/|no"},
      {"/info see it", "/info@example.net", "/info|see it"},  // no other slash
      {"/info see http://example.net", "/info@example.net", "/info|see http://example.net"},
  }));
  CHECK(matched(PatternList::of({entry}), text) == found);
}

TEST_CASE("PatternList: all that fit, in their order", "[policy][lists]") {
  const Lines entries{"anna@x.example 1", "^bert 2", "@x.example 3", "anna@X.example 4",
                      "anna@y.example 5", "^an 6",   "@x.example 7"};
  const PatternList list = PatternList::of(entries);
  std::string found;
  for (const PatternList::Entry* each : all_matches(list, "Anna@x.example")) found += each->reply;
  CHECK(found == "13467");
  CHECK(all_matches(PatternList::of(entries), "nobody@else.example").empty());
  CHECK(all_matches(PatternList(), "anna@x.example").empty());
  CHECK(written_entries(PatternList::of(entries)).size() == 7);
  CHECK(written_entries(PatternList()).empty());
}

TEST_CASE("PatternList: refuses what is no entry", "[policy][lists]") {
  for (const char* entry :
       {"evil.example", "a@", "x(+", "//", "a@b \x01", "(?=x", "a{2000}{2000}+", "\xff@x"}) {
    CAPTURE(entry);
    CHECK_THROWS_AS(PatternList::of({entry}), std::invalid_argument);
  }
}

TEST_CASE("PatternList: stays right when all expressions at once need too much memory",
          "[policy][lists]") {
  const auto octets = GENERATE(std::int64_t{1} << 12, std::int64_t{1} << 16, std::int64_t{1} << 20);
  CAPTURE(octets);
  PatternTable table(octets);
  for (int i = 0; i < 300; ++i)
    REQUIRE(table.add(fmt::format("[ab]*a[ab]{{{}}}c{}$ {}", 10 + i % 12, i, i)).empty());
  table.finish();
  std::string address;
  for (int i = 0; i < 200; ++i) address += (i * i + i / 3) % 3 == 0 ? 'b' : 'a';
  const PatternList::Entry* found = table.match(std::string(30, 'a') + "c17");
  REQUIRE(found != nullptr);
  CHECK(found->reply == "17");
  CHECK(table.match(address + "@x.example") == nullptr);
}

TEST_CASE("RecipientList: tells a mailbox that is not there from a domain that is not",
          "[policy][lists]") {
  const RecipientList list = RecipientList::of({"anna@example.net", "@all.example"});
  using Answer = RecipientList::Answer;
  CHECK(list.look("ANNA", "Example.net") == Answer::listed);
  CHECK(list.look("\"anna\"", "example.net") == Answer::listed);
  CHECK(list.look("bert", "example.net") == Answer::not_in_list);
  CHECK(list.look("bert", "all.example") == Answer::listed);
  CHECK(list.look("bert", "else.example") == Answer::not_listed);
  CHECK(list.look("postmaster", "") == Answer::not_listed);
  CHECK(RecipientList().look("a", "b") == Answer::not_listed);
}

TEST_CASE("lists: what is written and what the file has count together", "[policy][lists]") {
  Site site(block("recipient",
                  "list = [\"a@x.example\"]\nfile = \"bad\"\n"
                  "patterns = [\"^p one\"]\npatterns_file = \"worse\"\n") +
            block("late", "file = \"bad\"\n"));
  site.list("bad", "# a comment\n\n b@x.example  # here too\r\nc@x.example")
      .list("worse", "^p two\n^q\n");
  site.domain("own.example", "[plugin.recipient]\nlist = [\"d@x.example\"]\n");
  site.domain("none.example", "[plugin.recipient]\nfile = \"\"\nlist = []\n");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  const auto in = [&](const std::string& domain, const char* local_part) {
    return settings_of(loaded.snapshot->of("r", domain)).list.contains(local_part, "x.example");
  };
  CHECK((in("", "a") && in("", "b") && in("", "c") && !in("", "d")));
  CHECK((!in("own.example", "a") && in("own.example", "b") && in("own.example", "d")));
  CHECK((!in("none.example", "a") && !in("none.example", "b")));
  CHECK(settings_of(loaded.snapshot->of("r", "none.example")).list.empty());
  CHECK(settings_of(loaded.snapshot->site()).list.size() == 3);
  const PatternList& patterns = settings_of(loaded.snapshot->site()).patterns;
  CHECK(matched(patterns, "p@x.example") == "^p|one");
  CHECK(matched(patterns, "q@x.example") == "^q|");
}

TEST_CASE("lists: a bad line of a file is skipped, with its place, once for all who name it",
          "[policy][lists]") {
  Site site(block("recipient", "file = \"bad\"\npatterns_file = \"worse\"\n") +
            block("late", "file = \"bad\"\n"));
  site.list("bad", "a@x.example\n  a b\n").list("worse", "^ok\nx(+ text\nplain\n");
  const Loaded loaded = site.load();
  CHECK(loaded.usable());
  CHECK(loaded.lines() ==
        Lines{"/etc/postern/bad:2:3: plugin.file: 'a b' is neither an address, @domain, .domain "
              "nor a local-part without domain; the line is skipped",
              "/etc/postern/worse:2:1: plugin.patterns_file: 'x(+ text' is no regular expression: "
              "no argument for repetition operator: +; the line is skipped",
              "/etc/postern/worse:3:1: plugin.patterns_file: 'plain' is neither an address, "
              "@domain nor a regular expression; the line is skipped"});
}

TEST_CASE("ListFiles: a file that has changed is new for all lists of it, and for their copies",
          "[policy][lists]") {
  Site site(block("recipient", "file = \"bad\"\npatterns_file = \"bad\"\n") +
            block("late", "exempt = { senders_file = \"friends\" }\n"));
  site.list("bad", "a@x.example\n").list("friends", "@f.example\n").list("unused", "x\n");
  site.domain("d.example", "[plugin.recipient]\nthreshold = 2\n");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  ListFiles files(loaded.snapshot);
  CHECK(files.paths() == Lines{"/etc/postern/bad", "/etc/postern/friends"});
  const FakeSettings& domain = settings_of(loaded.snapshot->of("r", "d.example"));
  const AddressList copy = domain.list;
  // The file is both kinds of list, and each says what it cannot read.
  CHECK(files.replace("/etc/postern/bad", "b@x.example go\nz\n") ==
        Lines{"/etc/postern/bad:1:1: plugin.file: 'b@x.example go' is neither an address, @domain, "
              ".domain nor a local-part without domain; the line is skipped",
              "/etc/postern/bad:2:1: plugin.file: 'z' is neither an address, @domain nor a regular "
              "expression; the line is skipped"});
  CHECK_FALSE(copy.contains("a", "x.example"));
  CHECK(matched(domain.patterns, "b@x.example") == "b@x.example|go");
  CHECK(matched(domain.patterns, "a@x.example") == "-");
  CHECK(files.replace("/etc/postern/bad", "e@x.example\n") == Lines{});
  CHECK(copy.contains("e", "x.example"));
  CHECK(settings_of(loaded.snapshot->site()).list.contains("e", "x.example"));
  const Exempt& exempt = loaded.snapshot->site().of(1).common.exempt;
  RereadList read = files.read("/etc/postern/friends", "@g.example\n");
  CHECK(exempt.senders.contains("x", "f.example"));
  files.install(std::move(read));
  CHECK_FALSE(exempt.senders.contains("x", "f.example"));
  CHECK(exempt.senders.contains("x", "g.example"));
  CHECK(files.replace("/etc/postern/unused", "y\n") == Lines{});
}

// Run by hand: test-policy '[measure]'
TEST_CASE("lists: a million entries", "[.][measure]") {
  std::string content;
  for (int i = 0; i < 1'000'000; ++i)
    content += fmt::format("first.last{}@d{}.example.net\n", i, i % 1000);
  Site site(block("recipient", "file = \"bad\"\n") + block("late", "patterns_file = \"bad2\"\n"));
  const auto ms = [](auto d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  };
  site.list("bad", content).list("bad2", "");
  const auto start = std::chrono::steady_clock::now();
  const Loaded loaded = site.load();
  const auto addresses = std::chrono::steady_clock::now();
  CHECK(ListFiles(loaded.snapshot).replace("/etc/postern/bad2", content) == Lines{});
  const auto patterns = std::chrono::steady_clock::now();
  const AddressList& list = settings_of(loaded.snapshot->site()).list;
  std::size_t found = 0;
  for (int i = 0; i < 1'000'000; ++i)
    found += list.contains("First.Last123456", "d456.example.net");
  const auto looked = std::chrono::steady_clock::now();
  const PatternList& exact = settings_of(loaded.snapshot->site(), 1).patterns;
  for (int i = 0; i < 1'000'000; ++i)
    found += exact.match("First.Last123456@d456.example.net") != nullptr;
  const auto matched_all = std::chrono::steady_clock::now();
  Lines entries;
  for (int i = 0; i < 100; ++i) entries.push_back(fmt::format("^info-{}.*@.*\\.biz$", i));
  const PatternList expressions = PatternList::of(entries);
  for (int i = 0; i < 1'000'000; ++i)
    found += expressions.match("first.last123456@d456.example.net") != nullptr;
  const auto expressed = std::chrono::steady_clock::now();
  CHECK(found == 2'000'000);
  WARN(
      fmt::format("addresses: load {} ms, {} ns; patterns: load {} ms, exact {} ns, 100 "
                  "expressions {} ns",
                  ms(addresses - start), ms(looked - patterns), ms(patterns - addresses),
                  ms(matched_all - looked), ms(expressed - matched_all)));
}

}  // namespace postern::policy
