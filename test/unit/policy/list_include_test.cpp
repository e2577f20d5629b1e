// Files of lists that include others.
#include <postern/policy/bundle.hpp>
#include <postern/policy/list_files.hpp>
#include <postern/policy/list_include.hpp>
#include <postern/policy/list_store.hpp>
#include <postern/policy/read_file.hpp>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "catch.hpp"
#include "fake_plugins.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;

// A site on the disk, whose one plugin has addresses in `list` and patterns in `patterns`.
class DiskSite {
 public:
  DiskSite() {
    path_ = folder.write("postern.toml",
                         "hostname = \"mx.example.net\"\n[[listen]]\naddress = "
                         "\"127.0.0.1:2525\"\n[forward]\nto = [\"127.0.0.1:2526\"]\n" +
                             block("recipient", "file = \"list\"\npatterns_file = \"patterns\"\n"));
    folder.write("patterns", "");
    folder.write("list", "");
  }

  Loaded load() {
    const auto bundle = read_bundle(path_);
    REQUIRE(bundle);
    return policy::load(Bundle::parse(bundle->serialize()).value(), shared_catalog(), {false});
  }

  // With the folder's own path left out.
  Lines shown(Lines lines) const {
    for (std::string& line : lines)
      for (auto at = line.find(folder.path("")); at != line.npos; at = line.find(folder.path("")))
        line.erase(at, folder.path("").size());
    return lines;
  }

  TemporaryFolder folder;

 private:
  std::string path_;
};

bool has(const Loaded& loaded, const char* local_part) {
  return settings_of(loaded.snapshot->site()).list.contains(local_part, "x.example");
}

}  // namespace

TEST_CASE("included_name: which lines include what", "[policy][lists]") {
  struct Row {
    std::string line;
    std::optional<std::string_view> name;
  };
  const auto row = GENERATE(values<Row>({
      {"$include more", "more"},
      {"$include\t /etc/more  ", "/etc/more"},
      {"$include a b # why", "a b"},
      {"$include", ""},
      {"$include # nothing", ""},
      {"$included@example.net", {}},
      {"x $include more", {}},
      {"", {}},
  }));
  CAPTURE(row.line);
  CHECK(included_name(row.line) == row.name);
  CHECK(included_path("/etc/postern/list", "more") == "/etc/postern/more");
  CHECK(included_path("/etc/postern/list", "../more/") == "/etc/postern/../more");
  CHECK(included_path("/etc/postern/list", "/srv/more") == "/srv/more");
}

TEST_CASE("$include: the lines count as if they stood there", "[policy][lists]") {
  DiskSite site;
  site.folder.write("list", "a@x.example\n  $include sub/more # others\r\nz@x.example\n");
  site.folder.write("sub/more", "b@x.example\n$include deeper\n");
  site.folder.write("sub/deeper", "c@x.example\n");
  site.folder.write("patterns", "^first second\n$include rest\n^f last\n");
  site.folder.write("rest", "^f  the rest\n");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  for (const char* name : {"a", "b", "c", "z"}) CHECK(has(loaded, name));
  const PatternList& patterns = settings_of(loaded.snapshot->site()).patterns;
  CHECK(patterns.match("first")->reply == "second");
  CHECK(patterns.match("from")->reply == "the rest");
  CHECK(site.shown(ListFiles(loaded.snapshot).paths()) ==
        Lines{"list", "patterns", "rest", "sub/deeper", "sub/more"});
}

TEST_CASE("$include: of a folder all files count, in order, and new ones when it changes",
          "[policy][lists]") {
  DiskSite site;
  site.folder.write("patterns", "$include more.d\n");
  site.folder.write("more.d/20", "^x second\n^20 here\n");
  site.folder.write("more.d/10", "^x first\n");
  site.folder.write("more.d/.hidden", "^x hidden\n");
  site.folder.write("more.d/below/file", "^x below\n");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  const PatternList& patterns = settings_of(loaded.snapshot->site()).patterns;
  CHECK(patterns.size() == 3);
  CHECK(patterns.match("x")->reply == "first");
  ListFiles files(loaded.snapshot);
  CHECK(site.shown(files.paths()) ==
        Lines{"list", "more.d/", "more.d/10", "more.d/20", "patterns"});
  site.folder.write("more.d/05", "^x zeroth\n");
  std::filesystem::remove(site.folder.path("more.d/20"));
  CHECK(files.replace(site.folder.path("more.d/"), "05\n10\nbelow\n") == Lines{});
  CHECK(patterns.match("x")->reply == "zeroth");
  CHECK(patterns.match("20") == nullptr);
  CHECK(site.shown(files.paths()) ==
        Lines{"list", "more.d/", "more.d/05", "more.d/10", "patterns"});
}

TEST_CASE("$include: what cannot be is told, with its place, and only that line is skipped",
          "[policy][lists]") {
  DiskSite site;
  site.folder.write("list", "$include\n$include none\na@x.example\n$include circle\nz@x.example\n");
  site.folder.write("circle", "b@x.example\n $include list\nbad one\nc@x.example\n");
  const Loaded loaded = site.load();
  CHECK(loaded.usable());
  for (const char* name : {"a", "b", "c", "z"}) CHECK(has(loaded, name));
  CHECK(site.shown(loaded.lines()) ==
        Lines{"list:1:1: plugin.file: '$include ': names no file; the line is skipped",
              "list:2:1: plugin.file: '$include none': none: No such file or directory; the line "
              "is skipped",
              "circle:2:2: plugin.file: '$include list': goes in a circle: list includes circle "
              "includes list; the line is skipped",
              "circle:3:1: plugin.file: 'bad one' is neither an address, @domain, .domain nor a "
              "local-part without domain; the line is skipped"});
}

TEST_CASE("$include: files within each other end somewhere", "[policy][lists]") {
  DiskSite site;
  site.folder.write("list", "$include 1\nz@x.example\n");
  for (int i = 1; i < 12; ++i)
    site.folder.write(std::to_string(i), fmt::format("n{}@x.example\n$include {}\n", i, i + 1));
  const Loaded loaded = site.load();
  CHECK(has(loaded, "n8"));
  CHECK_FALSE(has(loaded, "n9"));
  CHECK(has(loaded, "z"));
  CHECK(site.shown(loaded.lines()) ==
        Lines{"8:2:1: plugin.file: '$include 9': more than 8 files within each other; the line is "
              "skipped"});
}

TEST_CASE("$include: a file counts once, however often it is named", "[policy][lists]") {
  DiskSite site;
  for (int i = 0; i < 8; ++i) {
    std::string content;
    for (int j = 0; j < 50; ++j) content += fmt::format("$include {}\n", i + 1);
    site.folder.write(i == 0 ? "patterns" : std::to_string(i), content + fmt::format("^{}\n", i));
  }
  site.folder.write("8", "^8\n");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  CHECK(settings_of(loaded.snapshot->site()).patterns.size() == 9);
}

TEST_CASE("$include: a changed file is new for every list that includes it", "[policy][lists]") {
  DiskSite site;
  site.folder.write("list", "a@x.example\n$include sub/more\n");
  site.folder.write("patterns", "$include sub/more\n");
  const std::string more = site.folder.write("sub/more", "b@x.example\n");
  const Loaded loaded = site.load();
  ListFiles files(loaded.snapshot);
  const std::string changed = "c@x.example\n$include /nowhere/else\n";
  site.folder.write("sub/more", changed);
  const Lines problems = files.replace(more, changed);
  REQUIRE(problems.size() == 2);  // of each list
  CHECK(site.shown(problems).front() ==
        "sub/more:2:1: plugin.file: '$include /nowhere/else': /nowhere/else: No such file or "
        "directory; the line is skipped");
  CHECK(has(loaded, "a"));
  CHECK_FALSE(has(loaded, "b"));
  CHECK(has(loaded, "c"));
  CHECK(settings_of(loaded.snapshot->site()).patterns.match("c@x.example"));
  // It is waited for.
  CHECK(site.shown(files.paths()) == Lines{"/nowhere/else", "list", "patterns", "sub/more"});
}

TEST_CASE("$include: a list stays as it is while an included file is away", "[policy][lists]") {
  DiskSite site;
  const std::string list = site.folder.write("list", "a@x.example\n$include more\n");
  const std::string more = site.folder.write("more", "b@x.example\n");
  const Loaded loaded = site.load();
  ListFiles files(loaded.snapshot);
  std::filesystem::remove(more);
  CHECK(site.shown(files.replace(list, "c@x.example\n$include more\n")) ==
        Lines{"more: No such file or directory; list, which includes it, stays as it was"});
  CHECK(has(loaded, "a"));
  CHECK(has(loaded, "b"));
  // When nobody includes it any more, nobody waits for it.
  CHECK(files.replace(list, "c@x.example\n") == Lines{});
  CHECK_FALSE(has(loaded, "a"));
  CHECK_FALSE(has(loaded, "b"));
  CHECK(has(loaded, "c"));
  CHECK(site.shown(files.paths()) == Lines{"list", "patterns"});
}

TEST_CASE("$include: has no place in the configuration itself", "[policy][lists]") {
  Site site(block("recipient", "patterns = [\"$include more\"]\n"));
  REQUIRE(site.lines().size() == 1);
  CHECK(site.lines().front() ==
        "postern.toml:8:13: plugin.patterns: '$include more' belongs in a file of a list");
}

TEST_CASE("$include: no list shows what those may not read who may write to it",
          "[policy][lists]") {
  const FileRights secret{0, 0, 0640};
  struct Row {
    const char* why;
    FileRights list;
    FileRights included;
    bool may;
  };
  const uid_t anna = geteuid() + 1000;
  const auto row = GENERATE_COPY(values<Row>({
      {"root's own list", {0, 0, 0644}, secret, true},
      {"our own list", {geteuid(), 7, 0600}, {0, 0, 0600}, true},
      {"another's list", {anna, 7, 0644}, secret, false},
      {"another's list and file", {anna, 7, 0644}, {anna, 7, 0600}, true},
      {"everybody may read it", {anna, 7, 0666}, {0, 0, 0644}, true},
      {"everybody may write to the list", {0, 0, 0646}, secret, false},
      {"a group may write to the list", {0, 7, 0664}, secret, false},
      {"and read the file", {0, 7, 0664}, {0, 7, 0640}, true},
      {"a group that may not read the file", {0, 7, 0664}, {0, 7, 0600}, false},
      {"root's group", {0, 0, 0664}, secret, true},
  }));
  CAPTURE(row.why);
  CHECK(may_include(row.list, row.included) == row.may);
}

TEST_CASE("$include: a secret file is not told line by line", "[policy][lists]") {
  DiskSite site;
  const std::string list = site.folder.write("list", "a@x.example\n$include users\n");
  const std::string users = site.folder.write("users", "anna:{PLAIN}secret word\n");
  chmod(users.c_str(), 0600);
  chmod(list.c_str(), 0666);
  const Lines lines = site.load().lines();
  CHECK(site.shown(lines) ==
        Lines{"list:2:1: plugin.file: '$include users': users: whoever may write to this list may "
              "not read that; the line is skipped"});
}

}  // namespace postern::policy
