// The manual pages against the description that reads the file.
#include <postern/policy/load.hpp>
#include <postern/policy/manual.hpp>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "builtin_catalog.hpp"
#include "catch.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

const std::string page_path = POSTERN_SOURCE_ROOT "/man/postern.toml.5.scd";

// What stands between lines of ``` in a page.
std::vector<std::string> literal_blocks(const std::string& page) {
  std::vector<std::string> blocks;
  std::istringstream in(page);
  std::string line;
  bool inside = false;
  while (std::getline(in, line)) {
    if (line == "```") {
      inside = !inside;
      if (inside) blocks.emplace_back();
    } else if (inside) {
      blocks.back() += line + '\n';
    }
  }
  return blocks;
}

std::string unescaped(const std::string& text) {
  return std::regex_replace(text, std::regex(R"(\\)"), "");
}

// The keys that the manual explains, by the path that its headings give them.
std::set<std::string> explained(const std::string& text) {
  std::set<std::string> keys;
  std::istringstream in(text);
  std::string line, table;
  std::smatch match;
  while (std::getline(in, line)) {
    if (std::regex_match(line, match, std::regex(R"(## \[+([a-z._\\]+)\]+.*)")))
      table = unescaped(match.str(1)) + '.';
    if (!std::regex_match(line, match, std::regex(R"(\*([a-z\\_]+)\* \(.*\))"))) continue;
    keys.insert(table + unescaped(match.str(1)));
  }
  return keys;
}

}  // namespace

TEST_CASE("manual: explains every key that is read, and no other", "[policy][manual]") {
  const Description description = describe_configuration();
  const auto paths = key_paths(description);
  CHECK(explained(manual(description)) == std::set<std::string>(paths.begin(), paths.end()));
  CHECK(paths.size() == 120);
}

TEST_CASE("manual: gives type, bounds, default and meaning", "[policy][manual]") {
  const std::string text = manual(describe_configuration());
  const auto has = [&](const std::string& part) { return text.find(part) != std::string::npos; };
  CHECK(
      has("*message\\_size* (a size, \"1KB\" to \"100GB\"; default \"50MiB\")\n\tLargest message, "
          "announced by SIZE; RFC 5321 asks for 64 KiB at least.\n"));
  CHECK(has("*command* (a duration, \"100ms\" to \"1d\"; default \"5m\")\n"));
  CHECK(has("*hostname* (a string; default the system's host name)\n"));
  CHECK(has("*address* (an address with its port, required)\n"));
  CHECK(has("*format* (\"json\" or \"text\"; default \"json\")\n"));
  CHECK(has("*workers* (a number, at most 1024; default 0)\n"));
  CHECK(has("## [[listen]]\n"));
  CHECK(has("## [forward.timeouts]\n"));
  CHECK(has("## [[plugin]]\n"));
  CHECK(has("## [plugin\\_defaults.exempt]\n"));
  CHECK(has("*defer\\_at* (a number, 1 to 1000000000; default never)\n"));
}

TEST_CASE("every key: has a help text that is a sentence", "[policy][manual]") {
  std::istringstream in(manual(describe_configuration()));
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with('\t')) continue;
    CAPTURE(line);
    CHECK(line.size() > 15);
    CHECK(line.ends_with('.'));
    CHECK_FALSE(line.ends_with(".."));
  }
}

TEST_CASE("postern.toml(5): takes its keys from the description", "[policy][manual]") {
  const std::string page = read_text(page_path);
  const auto mark = page.find("\n# KEYS\n\n@KEYS@\n");
  REQUIRE(mark != std::string::npos);
  CHECK(page.find("@KEYS@", mark + 12) == std::string::npos);
  CHECK(explained(page).empty());
}

TEST_CASE("manual pages: mention only keys that exist", "[policy][manual]") {
  const auto paths = key_paths(describe_configuration());
  const std::regex key(
      R"(\*((listen|tls|forward|program|limits|timeouts|dns|spool|log|plugin|score)\.[a-z._\\]+)\*)");
  for (const char* name : {"postern.toml.5.scd", "posternd.8.scd", "postern.1.scd"}) {
    const std::string page = read_text(std::string(POSTERN_SOURCE_ROOT "/man/") + name);
    for (std::sregex_iterator match(page.begin(), page.end(), key), end; match != end; ++match) {
      const std::string path = std::regex_replace((*match)[1].str(), std::regex(R"(\\)"), "");
      CAPTURE(name, path);
      CHECK(std::find(paths.begin(), paths.end(), path) != paths.end());
    }
  }
}

TEST_CASE("postern.toml(5): has examples that load", "[policy][manual]") {
  const auto blocks = literal_blocks(read_text(page_path));
  REQUIRE(blocks.size() == 9);
  std::string list;
  for (const std::string& block : blocks)
    if (block.find(" = ") == std::string::npos) list = block;
  REQUIRE_FALSE(list.empty());
  std::string domain;
  for (const std::string& block : blocks)
    if (block.find("[recipient.") != std::string::npos) domain = block;
  REQUIRE_FALSE(domain.empty());
  for (const std::string& block : blocks) {
    if (block == list || block == domain) continue;
    CAPTURE(block);
    Bundle bundle = Bundle::of("postern.toml", "/etc/postern", block);
    bundle.files.push_back({File::Kind::list, "/etc/postern/recipients", list, ""});
    if (block.find("rcpt_ok") != std::string::npos)
      bundle.files.push_back({File::Kind::domain, "domains/example.net.toml", domain, ""});
    CHECK(load(bundle, builtin_catalog(), {false}).lines() == std::vector<std::string>{});
  }
}

TEST_CASE("posternd(8): shows problems as they are told", "[policy][manual]") {
  const auto blocks = literal_blocks(read_text(POSTERN_SOURCE_ROOT "/man/posternd.8.scd"));
  REQUIRE(blocks.size() == 1);
  const Loaded loaded =
      load(Bundle::of("postern.toml", "/etc/postern",
                      "[[plugin]]\nuse = \"rcpt_accept\"\n[[listen]]\naddress = "
                      "\"[::1]:25\"\n[forward]\nidentiy = \"none\"\nto = [\"[::1]:26\"]\n\n\n\n"
                      "[limits]\nmessage_size = \"50\"\n"),
           builtin_catalog(), {false});
  REQUIRE(loaded.problems.size() == 2);
  const std::string text = std::regex_replace(blocks[0], std::regex(R"(:\d+:)"), ":N:");
  for (const std::string& line : loaded.lines()) {
    CAPTURE(line);
    CHECK(text.find(std::regex_replace(line, std::regex(R"(:\d+:)"), ":N:")) != std::string::npos);
  }
}

}  // namespace postern::policy
