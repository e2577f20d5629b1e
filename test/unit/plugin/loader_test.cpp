#include <postern/plugin/loader.hpp>
#include <postern/plugin/plugin.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "../policy/temporary_folder.hpp"

using namespace postern;
using namespace postern::plugin;

namespace fs = std::filesystem;

namespace {

const std::string modules = POSTERN_TEST_MODULES;

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("Loader: a plugin is found by its file's name and knows where it decides",
          "[plugin][loader]") {
  Loader loader({modules});
  const policy::PluginType* type = loader.find("good");
  REQUIRE(type);
  CHECK(loader.problem("good").empty());
  CHECK(type->name == "good");
  CHECK(type->version == "1.2");
  CHECK(type->summary == "refuses what it is told to refuse");
  CHECK(type->earliest == policy::Stage::helo);  // a judged finding
  CHECK(type->latest == policy::Stage::rcpt);    // at the message it only observes
  CHECK(type->description.find("word") != nullptr);
  CHECK(loader.find("good") == type);
  const auto one = loader.make("good"), other = loader.make("good");
  CHECK(one);
  CHECK(one != other);
}

TEST_CASE("Loader: what cannot be loaded is told in one sentence, and nothing of it runs",
          "[plugin][loader]") {
  struct Row {
    std::string name;
    std::string says;
  };
  const auto row = GENERATE(values<Row>({
      {"foreign", "built for plugin api 999"},  // it would abort
      {"hasty", "setup() may only say"},
      {"misnamed", "calls itself another_name"},
      {"no_plugin", "no plugin"},
      {"throwing", "no helper program"},
      {"unresolved", "undefined symbol"},
      {"unsound", "mode"},
  }));
  Loader loader({modules});
  CAPTURE(row.name);
  CHECK(loader.find(row.name) == nullptr);
  CHECK(loader.make(row.name) == nullptr);
  const std::string problem = loader.problem(row.name);
  CAPTURE(problem);
  CHECK(problem.starts_with(modules + "/" + row.name + ".so: "));
  CHECK(problem.find(row.says) != std::string::npos);
  CHECK(problem.find('\n') == std::string::npos);
}

TEST_CASE("Loader: what is not there has no problem", "[plugin][loader]") {
  Loader loader({modules, "/nonexistent"});
  CHECK(loader.find("nowhere") == nullptr);
  CHECK(loader.problem("nowhere").empty());
  CHECK(loader.find("../modules/good") == nullptr);
}

TEST_CASE("Loader: names come from manifests, without a module being loaded", "[plugin][loader]") {
  Loader loader({modules});
  const auto names = loader.names();
  CHECK(has(names, "good"));
  CHECK(has(names, "throwing"));  // its manifest is good
  CHECK_FALSE(has(names, "foreign"));
  CHECK_FALSE(has(names, "misnamed"));
  CHECK(has(names, "rcpt_ok"));  // of this build tree
}

TEST_CASE("Loader: searches folders below, and no file that is not named like a plugin",
          "[plugin][loader]") {
  const policy::TemporaryFolder folder;
  const fs::path root(folder.path(""));
  fs::create_directories(root / "rcpt" / "ours");
  fs::create_directories(root / "good.so.p");
  fs::copy_file(modules + "/good.so", root / "rcpt" / "ours" / "good.so");
  fs::copy_file(modules + "/good.so", root / "good.so.p" / "good.so");
  std::ofstream(root / "lib.so.1") << "x";
  std::ofstream(root / "Capital.so") << "x";
  std::ofstream(root / "empty.so");
  std::ofstream(root / "text.so") << "no module";
  Loader loader({root});
  CHECK(loader.find("good"));
  CHECK(loader.problem("empty").find("it is empty") != std::string::npos);
  CHECK(loader.problem("text").find("no shared object") != std::string::npos);
  const auto all = loader.all();
  CHECK(std::none_of(all.begin(), all.end(), [](const Loader::Module* module) {
    return module->path.ends_with("Capital.so") || module->path.ends_with(".1");
  }));
}

TEST_CASE("Loader: two files of one name are a problem, the same file twice is none",
          "[plugin][loader]") {
  const policy::TemporaryFolder folder;
  const fs::path root(folder.path(""));
  fs::create_directories(root / "a");
  fs::create_directories(root / "b");
  fs::copy_file(modules + "/good.so", root / "a" / "good.so");
  Loader once({root, root / "a"});
  CHECK(once.find("good"));
  fs::copy_file(modules + "/good.so", root / "b" / "good.so");
  Loader twice({root});
  CHECK(twice.find("good") == nullptr);
  CHECK(twice.problem("good").find("two files have this name") != std::string::npos);
}

TEST_CASE("Loader: names of plugins", "[plugin][loader]") {
  CHECK(is_plugin_name("dnsbl"));
  CHECK(is_plugin_name("p0f_2"));
  for (const char* name : {"", "0", "_a", "Dnsbl", "a-b", "a/b", "a.b", "../a", "a:b"}) {
    CAPTURE(name);
    CHECK_FALSE(is_plugin_name(name));
  }
  CHECK_FALSE(is_plugin_name(std::string(65, 'a')));
}
