#include <postern/policy/bundle.hpp>
#include <postern/policy/load.hpp>

#include <sys/stat.h>

#include "builtin_catalog.hpp"
#include "catch.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

constexpr const char* minimal = R"([[listen]]
address = "127.0.0.1:2525"
[forward]
to = ["127.0.0.1:2526"]
)";

Bundle example() {
  Bundle bundle = Bundle::of("postern.toml", "/etc/postern", minimal);
  bundle.files.push_back(
      {File::Kind::list, "/etc/postern/recipients", std::string("a@b\0c\n", 6), ""});
  bundle.files.push_back({File::Kind::settings, "conf.d/x.toml", "", "Permission denied"});
  return bundle;
}

}  // namespace

TEST_CASE("Bundle: is the same after a way through bytes", "[policy][bundle]") {
  const Bundle before = example();
  const auto after = Bundle::parse(before.serialize());
  REQUIRE(after);
  CHECK(after->root == "postern.toml");
  CHECK(after->folder == "/etc/postern");
  REQUIRE(after->files.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(after->files[i].kind == before.files[i].kind);
    CHECK(after->files[i].path == before.files[i].path);
    CHECK(after->files[i].content == before.files[i].content);
    CHECK(after->files[i].error == before.files[i].error);
  }
  CHECK(after->serialize() == before.serialize());
}

TEST_CASE("Bundle: refuses bytes that were cut anywhere, or have a tail", "[policy][bundle]") {
  const std::string bytes = example().serialize();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(Bundle::parse(std::string_view(bytes).substr(0, size)));
  }
  CHECK_FALSE(Bundle::parse(bytes + 'x'));
}

TEST_CASE("Bundle: believes no length and no count", "[policy][bundle]") {
  const std::string bytes = example().serialize();
  for (std::size_t at = 0; at + 8 <= bytes.size(); ++at) {
    std::string changed = bytes;
    changed.replace(at, 8, 8, '\xff');
    CAPTURE(at);
    const auto parsed = Bundle::parse(changed);  // within a text any octets will do
    if (parsed) CHECK(parsed->files.size() == 3);
  }
}

TEST_CASE("read_bundle: takes in included files by name, and the lists that all of them name",
          "[policy][bundle]") {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("postern.toml", std::string("include = [\"conf.d/*.toml\"]\n") + minimal);
  folder.write(
      "conf.d/20.toml",
      "[[plugin]]\nuse = \"rcpt_ok\"\nname = \"rcpt_ok:more\"\nrecipients_file = \"lists/more\"\n");
  folder.write("conf.d/10.toml",
               "[[plugin]]\nuse = \"rcpt_ok\"\nrecipients_file = \"lists/first\"\n");
  folder.write("conf.d/ignored.txt", "x");
  folder.write("lists/first", "a@example.net\n");
  folder.write("lists/more", "b@example.net\n");
  const auto bundle = read_bundle(path);
  REQUIRE(bundle);
  std::vector<std::string> paths;
  for (const File& file : bundle->files) paths.push_back(file.path);
  CHECK(paths == std::vector<std::string>{path, folder.path("conf.d/10.toml"),
                                          folder.path("conf.d/20.toml"), folder.path("lists/first"),
                                          folder.path("lists/more")});
  CHECK(bundle->folder == folder.path("").substr(0, folder.path("").size() - 1));
  const Loaded loaded = load(*bundle, builtin_catalog());
  CHECK(loaded.lines() == std::vector<std::string>{});
  using Answer = RecipientList::Answer;
  CHECK(rcpt_ok(*loaded.snapshot, 0).recipients.look("a", "example.net") == Answer::listed);
  CHECK(rcpt_ok(*loaded.snapshot, 0).recipients.look("b", "example.net") == Answer::not_in_list);
  CHECK(rcpt_ok(*loaded.snapshot, 1).recipients.look("b", "example.net") == Answer::listed);
}

TEST_CASE("read_bundle: takes in the files of a folder that a plugin names", "[policy][bundle]") {
  const TemporaryFolder folder;
  const std::string path = folder.write("postern.toml", std::string(minimal) + R"(
[[plugin]]
use = "virtual_rcpt_ok"
directory = "valid"
[[plugin]]
use = "virtual_rcpt_ok"
name = "virtual_rcpt_ok:more"
directory = "absent"
)");
  folder.write("valid/two.example", "bert\n");
  folder.write("valid/one.example", "anna\n");
  folder.write("valid/.one.example.swp", "x\n");
  folder.write("valid/deeper/three.example", "x\n");
  const auto bundle = read_bundle(path);
  REQUIRE(bundle);
  REQUIRE(bundle->files.size() == 7);
  CHECK(bundle->files[1].path == folder.path("valid"));  // its names, should they be the list
  CHECK(bundle->files[3].path == folder.path("valid/one.example"));
  CHECK(bundle->files[3].content == "anna\n");
  CHECK(bundle->files[4].path == folder.path("valid/two.example"));
  CHECK(bundle->files[2].path == folder.path("valid/"));  // it was looked into
  CHECK(bundle->files[2].error.empty());
  CHECK(bundle->files[6].path == folder.path("absent/"));
  CHECK(bundle->files[6].error == "No such file or directory");
}

TEST_CASE("read_bundle: tells in one line that the main file cannot be read", "[policy][bundle]") {
  const auto missing = read_bundle("/nonexistent/postern.toml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text ==
        "/nonexistent/postern.toml: No such file or directory; name the configuration file with "
        "--config");
  const TemporaryFolder folder;
  const auto directory = read_bundle(folder.path(""));
  REQUIRE_FALSE(directory);
  CHECK(directory.error().text.find("not a regular file") != std::string::npos);
}

TEST_CASE("read_bundle: does not wait for a pipe that stands where a list should",
          "[policy][bundle]") {
  const TemporaryFolder folder;
  const std::string fifo = folder.path("recipients");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const std::string path = folder.write(
      "postern.toml",
      std::string(minimal) + "[[plugin]]\nuse = \"rcpt_ok\"\nrecipients_file = \"recipients\"\n");
  const auto bundle = read_bundle(path);
  REQUIRE(bundle);
  CHECK(load(*bundle, builtin_catalog()).lines() ==
        std::vector<std::string>{path + ":7:19: plugin.recipients_file: " + fifo +
                                 ": not a regular file"});
}

TEST_CASE("read_bundle: keeps the reason of a missing file for the place that names it",
          "[policy][bundle]") {
  const TemporaryFolder folder;
  const std::string path = folder.write(
      "postern.toml", "include = [\"conf.d/*.toml\", \"extra.toml\"]\n" + std::string(minimal) +
                          "[[plugin]]\nuse = \"rcpt_ok\"\nrecipients_file = \"recipients\"\n");
  const auto bundle = read_bundle(path);
  REQUIRE(bundle);
  CHECK(load(*bundle, builtin_catalog()).lines() ==
        std::vector<std::string>{
            path + ":1:29: include: " + folder.path("extra.toml") + ": No such file or directory",
            path + ":8:19: plugin.recipients_file: " + folder.path("recipients") +
                ": No such file or directory"});
}

}  // namespace postern::policy
