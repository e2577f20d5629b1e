// A domain's file that is read again.
#include <postern/policy/domain_files.hpp>
#include <postern/policy/load.hpp>

#include "catch.hpp"
#include "fake_plugins.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;

// A site on disk, and the snapshot that follows each change.
struct Folder {
  explicit Folder(const std::string& blocks) {
    disk.write("postern.toml",
               "hostname = \"mx.example.net\"\n[[listen]]\naddress = \"127.0.0.1:2525\"\n"
               "[forward]\nto = [\"127.0.0.1:2526\"]\n" +
                   blocks);
  }
  void load() {
    now = policy::load(read_bundle(disk.path("postern.toml")).value(), shared_catalog(), {false})
              .snapshot;
  }
  // Returns what was wrong with it.
  Lines read(const std::string& domain) {
    DomainFiles files(*now);
    RereadDomain read = files.read(disk.path("domains/" + domain + ".toml"));
    Lines problems = read.problems;
    std::vector<RereadDomain> all;
    all.push_back(std::move(read));
    now = files.install(*now, std::move(all));
    return problems;
  }
  Lines change(const std::string& domain, const std::string& content) {
    disk.write("domains/" + domain + ".toml", content);
    return read(domain);
  }
  int threshold(const std::string& domain, const std::string& local_part = "x") const {
    return settings_of(now->of(local_part, domain)).threshold;
  }

  TemporaryFolder disk;
  std::shared_ptr<const Snapshot> now;
};

}  // namespace

TEST_CASE("DomainFiles: a domain's new settings hold for it alone, from the next snapshot on",
          "[policy][domain]") {
  Folder folder(block("recipient", "threshold = 2\n"));
  folder.disk.write("domains/a.example.toml", "[plugin.recipient]\nthreshold = 3\n");
  folder.disk.write("domains/b.example.toml", "[plugin.recipient]\nthreshold = 4\n");
  folder.load();
  const auto before = folder.now;
  CHECK(folder.change("a.example",
                      "[recipient.\"anna@a.example\".plugin.recipient]\n"
                      "threshold = 5\n") == Lines{});
  CHECK(folder.change("c.example", "[plugin.recipient]\nthreshold = 6\n") == Lines{});
  CHECK(folder.threshold("a.example") == 2);
  CHECK(folder.threshold("A.example", "Anna") == 5);
  CHECK(folder.threshold("b.example") == 4);
  CHECK(folder.threshold("c.example") == 6);
  CHECK(settings_of(before->of("x", "a.example")).threshold == 3);
  CHECK(settings_of(before->of("x", "c.example")).threshold == 2);
  std::filesystem::remove(folder.disk.path("domains/b.example.toml"));
  CHECK(folder.read("b.example") == Lines{});
  CHECK(folder.threshold("b.example") == 2);
}

TEST_CASE("DomainFiles: what cannot be used is told with its place, and changes nothing",
          "[policy][domain]") {
  Folder folder(block("recipient", "threshold = 2\n"));
  folder.load();
  folder.change("a.example", "[plugin.recipient]\nthreshold = 3\n");
  const std::string path = folder.disk.path("domains/a.example.toml");
  CHECK(folder.change("a.example", "[plugin.recipient]\nthreshold = 4\nlowd = true\n") ==
        Lines{path + ":3:1: plugin.recipient.lowd: no such key; did you mean 'loud'?"});
  CHECK(folder.threshold("a.example") == 3);
  CHECK(folder.change("a..example", "").size() == 1);
  CHECK(folder.change("a.example", "[plugin.recipient]\nfile = \"none\"\n") ==
        Lines{path + ":2:8: plugin.recipient.file: " + folder.disk.path("none") +
              ": No such file or directory"});
}

TEST_CASE("DomainFiles: a mistake that rests on the [[plugin]] block is found as at the start",
          "[policy][domain]") {
  Folder folder(block("early") + block("recipient"));
  folder.load();
  CHECK(folder.change("a.example", "[plugin.early]\nthreshold = 2\n").size() == 1);
  CHECK(folder.change("a.example", "[plugin.recipient]\nmode = \"score\"\n").size() == 1);
  CHECK(folder.change("a.example", "[plugin.recipient]\nmode = \"score\"\n[score]\nreject_at = 3\n")
            .empty());
}

TEST_CASE("DomainFiles: a list is shared with those of its file, or read with the domain",
          "[policy][domain]") {
  Folder folder(block("recipient", "file = \"known\"\n"));
  folder.disk.write("known", "@spam.example\n");
  folder.disk.write("other", "@else.example\nnot an address\n");
  folder.load();
  CHECK(folder.change("a.example", "[plugin.recipient]\nfile = \"other\"\n") ==
        Lines{folder.disk.path("other") +
              ":2:1: plugin.recipient.file: 'not an address' is neither "
              "an address, @domain, .domain nor a local-part without "
              "domain; the line is skipped"});
  CHECK(folder.change("b.example", "[plugin.recipient]\nloud = true\n") == Lines{});
  const auto contains = [&](const std::string& domain, const std::string& sender) {
    return settings_of(folder.now->of("x", domain)).list.contains("a", sender);
  };
  CHECK(contains("a.example", "else.example"));
  CHECK_FALSE(contains("a.example", "spam.example"));
  ListFiles lists(folder.now);
  CHECK(lists.paths() == Lines{folder.disk.path("known"), folder.disk.path("other")});
  lists.replace(folder.disk.path("known"), "@third.example\n");
  lists.replace(folder.disk.path("other"), "@fourth.example\n");
  CHECK(contains("a.example", "fourth.example"));
  CHECK(contains("b.example", "third.example"));
}

TEST_CASE("DomainFiles: what is known of all domains grows with them", "[policy][domain]") {
  Folder folder(block("wide", "mode = \"off\"\nzones = [\"site.test\"]\nenforce_at = \"rcpt\"\n"));
  folder.load();
  const auto zones = [&] {
    Lines names;
    for (const Zone& zone : folder.now->everywhere(0, &FakeSettings::zones))
      names.push_back(zone.name);
    return names;
  };
  CHECK(zones() == Lines{});
  CHECK_FALSE(folder.now->usage(0).ever_on);
  folder.change("a.example", "[plugin.wide]\nmode = \"tag\"\nzones = [\"a.test\", \"b.test\"]\n");
  CHECK(zones() == Lines{"a.test", "b.test"});
  CHECK(folder.now->usage(0).ever_on);
  CHECK(folder.now->usage(0).overridden);
  CHECK(folder.now->usage(0).ever_tags);
  folder.change("b.example", "[plugin.wide]\nmode = \"on\"\nzones = [\"b.test\", \"c.test\"]\n");
  CHECK(zones().size() == 3);
}

}  // namespace postern::policy
