#include <postern/plugin/pages.hpp>

#include <regex>
#include <sstream>

using namespace postern;
using namespace postern::plugin;

namespace {

const Loader::Module& good(Loader& loader) {
  const Loader::Module* module = loader.look("good");
  REQUIRE(module);
  REQUIRE(module->type);
  return *module;
}

bool says(const std::string& page, std::string_view text) {
  return page.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("pages: help tells hooks, facts, keys with their bounds, common keys and the file",
          "[plugin][pages]") {
  Loader loader({POSTERN_TEST_MODULES});
  const std::string page = help_page(good(loader));
  CAPTURE(page);
  CHECK(says(page, "good: Refuses what it is told to refuse."));
  CHECK(says(page, "helo          a finding (good.look) that may wait, judged for each recipient"));
  CHECK(says(page, "rcpt          a decision"));
  CHECK(says(page, "message       an observer"));
  CHECK(says(page, "makes good.look"));
  CHECK(says(page, "word"));
  CHECK(says(page, "\"spam\""));
  CHECK(says(page, "\"1s\" to \"10s\""));
  CHECK(says(page, "enforce_at"));
  CHECK(says(page, "/good.so"));
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("File: ")) CHECK(line.size() <= 100);
}

TEST_CASE("pages: help as JSON", "[plugin][pages]") {
  Loader loader({POSTERN_TEST_MODULES});
  const std::string page = help_json(good(loader));
  CAPTURE(page);
  CHECK(page.starts_with("{\"name\":\"good\",\"version\":\"1.2\""));
  CHECK(says(page, R"({"hook":"rcpt","what":"a decision"})"));
  CHECK(says(page, R"("facts":{"makes":["good.look"],"needs":[],"wants":[]})"));
  CHECK(says(page, R"({"name":"word","type":"a string")"));
  CHECK(says(page, R"("per_domain":true)"));
  CHECK(says(page, R"("least":1000,"most":10000)"));
  CHECK(says(page, R"("common_keys":[{"name":"mode")"));
  CHECK(page.ends_with("}\n"));
  CHECK(page.find('\n') == page.size() - 1);
}

TEST_CASE("pages: the list has what cannot be loaded, and why", "[plugin][pages]") {
  Loader loader({POSTERN_TEST_MODULES});
  const std::string page = list_page(loader);
  CAPTURE(page);
  CHECK(std::regex_search(page, std::regex("\n  good +1.2 +refuses what it is told to refuse\n")));
  CHECK(std::regex_search(page, std::regex("\n  throwing +cannot be loaded: ")));
  CHECK(says(page, std::string(POSTERN_TEST_MODULES) + ":\n"));
  const std::string json = list_json(loader);
  CHECK(says(json, R"("name":"throwing")"));
  CHECK(says(json, R"("problem":"its description or setup() failed: no helper program")"));
}
