#include <postern/plugin/line_up.hpp>
#include <postern/plugin/plugin.hpp>
#include <postern/policy/load.hpp>

using namespace postern;
using namespace postern::plugin;

namespace {

policy::Bundle bundle(const std::string& blocks) {
  return policy::Bundle::of("postern.toml", "/etc/postern",
                            "hostname = \"mx.example.net\"\n"
                            "[[listen]]\naddress = \"127.0.0.1:0\"\n"
                            "[forward]\nto = [\"127.0.0.1:2526\"]\n" +
                                blocks);
}

std::vector<std::string> problems(const std::string& blocks) {
  Loader loader({POSTERN_TEST_MODULES});
  const policy::Bundle text = bundle(blocks);
  const auto loaded = policy::load(text, loader, {.resolve = false});
  if (!loaded.usable()) return loaded.lines();
  std::vector<std::string> lines;
  for (const auto& problem : check_lineup(loader, text, loaded.snapshot))
    lines.push_back(problem.line());
  return lines;
}

}  // namespace

TEST_CASE("line_up: instances of modules stand in the order of their blocks", "[plugin][line_up]") {
  CHECK(problems("[[plugin]]\nuse = \"good\"\nname = \"good:a\"\n"
                 "[[plugin]]\nuse = \"rcpt_ok\"\ndomains = [\"example.net\"]\n"
                 "[[plugin]]\nuse = \"good\"\nword = \"x\"\n")
            .empty());
}

TEST_CASE("line_up: a need that nobody fills is told where the block stands", "[plugin][line_up]") {
  const auto lines = problems("[[plugin]]\nuse = \"good\"\n\n[[plugin]]\nuse = \"needy\"\n");
  REQUIRE(lines.size() == 1);
  CAPTURE(lines[0]);
  CHECK(lines[0].starts_with("postern.toml:9:"));
  CHECK(lines[0].find("needy needs the fact unknown.fact") != std::string::npos);
}

TEST_CASE("line_up: a module that cannot be loaded fails the configuration with its reason",
          "[plugin][line_up]") {
  const auto lines = problems("[[plugin]]\nuse = \"throwing\"\n");
  REQUIRE(lines.size() == 1);
  CAPTURE(lines[0]);
  CHECK(lines[0].starts_with("postern.toml:"));
  CHECK(lines[0].find("no helper program") != std::string::npos);
}
