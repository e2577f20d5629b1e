// Lists of networks, and lists that are directories.
#include <postern/policy/bundle.hpp>
#include <postern/policy/domain_list.hpp>
#include <postern/policy/domain_table.hpp>
#include <postern/policy/list_directory.hpp>
#include <postern/policy/network_list.hpp>
#include <postern/policy/network_table.hpp>

#include "catch.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;

bool holds(const NetworkList& list, const std::string& address) {
  return list.contains(*IpAddress::parse(address));
}

}  // namespace

TEST_CASE("NetworkList: which address fits which entry", "[policy][lists]") {
  struct Row {
    std::string entry;
    Lines yes;
    Lines no;
  };
  const auto row = GENERATE(values<Row>({
      {"192.0.2.7", {"192.0.2.7", "::ffff:192.0.2.7"}, {"192.0.2.8"}},
      {"192.0.2.0/24", {"192.0.2.0", "192.0.2.255"}, {"192.0.3.0", "2001:db8::1"}},
      {"192.0.2.77/24", {"192.0.2.0", "192.0.2.255"}, {"192.0.3.77"}},  // whatever the host bits
      {"192.0.2.128/25", {"192.0.2.128"}, {"192.0.2.127"}},
      {"192.0.2.", {"192.0.2.0", "192.0.2.255"}, {"192.0.20.1"}},
      {"10.", {"10.0.0.1", "10.255.255.255"}, {"100.0.0.1"}},
      {"0.0.0.0/0", {"203.0.113.1"}, {"2001:db8::1"}},
      {"::/0", {"2001:db8::1"}, {"203.0.113.1"}},
      {"2001:db8::/32", {"2001:db8:ffff::1"}, {"2001:db9::1"}},
      {"2001:db8:", {"2001:db8:ffff::1"}, {"2001:db80::1"}},
      {"2001:db8::7", {"2001:DB8::7"}, {"2001:db8::8"}},
      {"2001:db8::", {"2001:db8::"}, {"2001:db8::1"}},
  }));
  CAPTURE(row.entry);
  const NetworkList list = NetworkList::of({"198.51.100.1", row.entry});
  for (const std::string& address : row.yes) {
    CAPTURE(address);
    CHECK(holds(list, address));
  }
  for (const std::string& address : row.no) {
    CAPTURE(address);
    CHECK_FALSE(holds(list, address));
  }
}

TEST_CASE("NetworkList: the first entry counts, with its text", "[policy][lists]") {
  const NetworkList list = NetworkList::of(
      {"192.0.2.7 OK a friend", "192.0.2.0/24\tDENY  not wanted", "192.0.2.8 never", "0.0.0.0/0"});
  const auto text = [&](const char* address) {
    return list.match(*IpAddress::parse(address))->text;
  };
  CHECK(text("192.0.2.7") == "OK a friend");
  CHECK(text("192.0.2.8") == "DENY  not wanted");
  CHECK(text("203.0.113.1").empty());
  CHECK(list.match(*IpAddress::parse("::1")) == nullptr);
  CHECK(list.size() == 4);
}

TEST_CASE("NetworkList: what is no network is told", "[policy][lists]") {
  for (const char* bad : {"example.net", "192.0.2", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/",
                          "300.1.2.3", "300.", ".", ":", "1.2.3.4.", "2001:db8::/129",
                          "::ffff:1.2.3.4/96", "1:2:3:4:5:6:7:8:", "192..", "/24"}) {
    CAPTURE(bad);
    CHECK_FALSE(NetworkTable().add(bad).empty());
  }
}

TEST_CASE("NetworkList: a hundred thousand networks are looked through at once",
          "[policy][lists]") {
  NetworkTable table;
  for (unsigned i = 0; i < 100'000; ++i)
    REQUIRE(table
                .add(std::to_string(1 + i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
                     std::to_string(i % 256) + ".0/24")
                .empty());
  table.finish();
  CHECK(table.match(*IpAddress::parse("1.255.255.9")));
  CHECK(table.match(*IpAddress::parse("2.134.159.9")));
  CHECK_FALSE(table.match(*IpAddress::parse("2.134.160.9")));
}

TEST_CASE("DomainList: a name is found by itself and by what it is in", "[policy][lists]") {
  const DomainList list = DomainList::of({"ru", "Example.net", ".mail.example.net", "x.org"});
  struct Row {
    std::string name;
    std::string found;
  };
  const auto row = GENERATE(values<Row>({
      {"ru", "ru"},
      {"a.b.RU", "RU"},
      {"example.net", "example.net"},
      {"a.example.net", "example.net"},
      {"a.mail.example.net", "mail.example.net"},
      {"notexample.net", ""},
      {"guru", ""},
      {"org", ""},
      {"", ""},
      {"..", ""},
  }));
  CAPTURE(row.name);
  CHECK(list.find(row.name) == row.found);
  CHECK(list.contains(row.name) == (!row.name.empty() && row.name == row.found));
  CHECK_FALSE(DomainTable().add("a b").empty());
}

TEST_CASE("names_in_directory: empty files are the entries of a list", "[policy][lists]") {
  const TemporaryFolder folder;
  for (const char* name : {"ru", "192.0.2.7", "bad@b.example", ".hidden"}) folder.write(name, "");
  CHECK(names_in_directory(folder.path(""), 1000).value() == "192.0.2.7\nbad@b.example\nru\n");
  CHECK(names_in_directory(folder.path(""), 20).error().code == Errc::too_long);
  CHECK(names_in_directory(folder.path("none"), 1000).error().code == Errc::io);
}

TEST_CASE("read_bundle: a directory is a list of the names in it", "[policy][bundle]") {
  const TemporaryFolder folder;
  folder.write("tld/ru", "");
  folder.write("tld/cn", "");
  folder.write("senders/bad@b.example", "");
  const std::string path = folder.write("postern.toml",
                                        "[[plugin]]\nuse = \"rdns_blacklist\"\n"
                                        "directory = \"tld\"\n"
                                        "[[plugin]]\nuse = \"badmailfrom\"\n"
                                        "file = \"senders\"\n");
  const auto bundle = read_bundle(path);
  REQUIRE(bundle);
  REQUIRE(bundle->find_list(folder.path("tld")));
  CHECK(bundle->find_list(folder.path("tld"))->content == "cn\nru\n");
  CHECK(bundle->find_list(folder.path("senders"))->content == "bad@b.example\n");
}

}  // namespace postern::policy
