// geoip: where a client is, from databases that the test writes (MaxMind DB format 2.0).
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

// Values as the format writes them: a control octet with type and size, then the value.
std::string control(unsigned type, std::size_t size) {
  std::string out;
  const auto octet = [&](std::size_t n) { out += static_cast<char>(n); };
  REQUIRE(size < 29 + 256);
  const std::size_t told = size < 29 ? size : 29;
  octet(type < 8 ? type << 5 | told : told);
  if (type >= 8) octet(type - 7);
  if (size >= 29) octet(size - 29);
  return out;
}
std::string text(const std::string& value) { return control(2, value.size()) + value; }
std::string big_endian(std::uint64_t value, int octets) {
  std::string out;
  for (int i = octets - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string uint16(unsigned value) { return control(5, 2) + big_endian(value, 2); }
std::string uint32(std::uint32_t value) { return control(6, 4) + big_endian(value, 4); }
std::string uint64(std::uint64_t value) { return control(9, 8) + big_endian(value, 8); }
std::string real(double value) {
  std::uint64_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  return control(3, 8) + big_endian(bits, 8);
}
using Map = std::vector<std::pair<std::string, std::string>>;
std::string map(const Map& entries) {
  std::string out = control(7, entries.size());
  for (const auto& [key, value] : entries) out += text(key) + value;
  return out;
}

// A database of /8 networks of IPv4: each level of the tree is one bit of the first octet.
std::string database(const std::map<unsigned, std::string>& networks) {
  struct Node {
    int child[2] = {-1, -1};    // another node
    long offset[2] = {-1, -1};  // or data
  };
  std::vector<Node> nodes(1);
  std::string data;
  for (const auto& [octet, value] : networks) {
    std::size_t at = 0;
    for (unsigned bit = 0; bit < 7; ++bit) {
      const unsigned side = octet >> (7 - bit) & 1;
      if (nodes[at].child[side] < 0) {
        nodes[at].child[side] = static_cast<int>(nodes.size());
        nodes.emplace_back();
      }
      at = static_cast<std::size_t>(nodes[at].child[side]);
    }
    nodes[at].offset[octet & 1] = static_cast<long>(data.size());
    data += value;
  }
  std::string out;
  for (const Node& node : nodes)
    for (int side : {0, 1}) {
      std::uint64_t record = nodes.size();  // nothing is known
      if (node.child[side] >= 0) record = static_cast<std::uint64_t>(node.child[side]);
      if (node.offset[side] >= 0)
        record = nodes.size() + 16 + static_cast<std::uint64_t>(node.offset[side]);
      out += big_endian(record, 3);
    }
  out += std::string(16, '\0') + data + "\xab\xcd\xefMaxMind.com";
  return out + map({{"binary_format_major_version", uint16(2)},
                    {"binary_format_minor_version", uint16(0)},
                    {"build_epoch", uint64(1)},
                    {"database_type", text("Test")},
                    {"description", map({})},
                    {"ip_version", uint16(4)},
                    {"languages", control(11, 0)},
                    {"node_count", uint32(static_cast<std::uint32_t>(nodes.size()))},
                    {"record_size", uint16(24)}});
}

std::string place(const char* country, const char* continent, const char* city, double latitude,
                  double longitude) {
  return map({{"city", map({{"names", map({{"en", text(city)}})}})},
              {"continent", map({{"code", text(continent)}})},
              {"country", map({{"iso_code", text(country)}})},
              {"location", map({{"latitude", real(latitude)}, {"longitude", real(longitude)}})}});
}

class Databases {
 public:
  Databases() {
    std::string name = (std::filesystem::temp_directory_path() / "postern-XXXXXX").string();
    if (mkdtemp(name.data())) path_ = name;
    write("city", database({{10, place("DE", "EU", "Berlin", 52.52, 13.405)},
                            {11, place("US", "NA", "New York", 40.7128, -74.006)},
                            {200, place("XX", "SA", "S\xc3\xa3o", 0, 0)}}));
    write("asn", database({{11, map({{"autonomous_system_number", uint32(64496)},
                                     {"autonomous_system_organization", text("Example Net")}})}}));
  }
  ~Databases() { std::filesystem::remove_all(path_); }
  // As those are replaced who use them: another file takes the name.
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ + "/new", std::ios::binary) << content;
    std::filesystem::rename(path_ + "/new", path_ + "/" + name);
  }
  std::string keys() const {
    return "databases = [\"" + path_ + "/city\", \"" + path_ + "/asn\"]\n";
  }

 private:
  std::string path_;
};

test::Heard heard_from(Harness& h, const char* client, const char* content = "Subject: s\r\n\r\n") {
  test::Letter letter;
  letter.client = client;
  letter.content = content;
  return test::whole_dialogue(h, letter);
}

}  // namespace

TEST_CASE("geoip: refuses countries, networks and what is too far away", "[plugins][geoip]") {
  struct Row {
    const char* why;
    const char* keys;
    const char* client;
    const char* text;  // empty: it is let in
  };
  const auto row = GENERATE(values<Row>({
      {"a country", "countries = [\"us\"]", "11.1.2.3", "Mail from US is not accepted here"},
      {"another", "countries = [\"DE\"]", "11.1.2.3", ""},
      {"nobody knows where", "countries = [\"DE\"]", "9.1.2.3", ""},
      {"IPv6 in a database without", "countries = [\"DE\"]", "2001:db8::1", ""},
      {"an autonomous system", "asns = [64496]", "11.1.2.3",
       "Mail from AS64496 is not accepted here"},
      {"no system is not system 0", "asns = [64496]", "10.1.2.3", ""},
      {"too far", "home = \"10.0.0.1\"\ntoo_far = 6000", "11.1.2.3",
       "Mail from so far away is not accepted here"},
      {"near enough", "home = \"10.0.0.1\"\ntoo_far = 7000", "11.1.2.3", ""},
      {"at home", "home = \"10.0.0.1\"\ntoo_far = 1", "10.1.2.3", ""},
      {"how far is not known", "home = \"10.0.0.1\"\ntoo_far = 1", "9.1.2.3", ""},
  }));
  CAPTURE(row.why);
  const Databases databases;
  Harness h;
  h.load("geoip", databases.keys() + row.keys);
  const test::Heard heard = heard_from(h, row.client);
  if (*row.text)
    CHECK(in_one_line(heard) == std::string("rcpt 550 5.7.1 ") + row.text);
  else
    CHECK(heard.code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("geoip: the record tells where a client is, and how far away", "[plugins][geoip]") {
  const Databases databases;
  Harness h;
  h.load("geoip", databases.keys() + "home = \"10.0.0.1\"");
  CHECK(heard_from(h, "11.1.2.3").code == 250);
  CHECK(h.end() == "");
  const std::string records = test::all_records(h);
  for (const char* part : {"\"country\":\"US\"", "\"continent\":\"NA\"", "\"city\":\"New York\"",
                           "\"asn\":64496", "\"network\":\"Example Net\"", "\"km\":638"})
    CHECK(test::contains(records, part));
}

TEST_CASE("geoip: messages tell it too, and no client can forge it", "[plugins][geoip]") {
  const bool adds = GENERATE(true, false);
  const Databases databases;
  Harness h;
  h.load("geoip", databases.keys() + (adds ? "" : "add_headers = false"));
  CHECK(heard_from(h, "11.1.2.3", "X-GeoIP-Country: ZZ\r\nSubject: s\r\n\r\n").code == 250);
  CHECK(heard_from(h, "9.1.2.3", "X-GeoIP-Country: ZZ\r\nSubject: s\r\n\r\n").code == 250);
  CHECK(heard_from(h, "200.1.2.3").code == 250);
  CHECK(h.end() == "");
  REQUIRE(h.downstream.ledger().size() == 3);
  const std::string known = h.downstream.ledger()[0].content;
  const std::string unknown = h.downstream.ledger()[1].content;
  const std::string foreign = h.downstream.ledger()[2].content;
  CHECK(test::contains(known, "X-GeoIP-Country: US\r\n") == adds);
  CHECK(test::contains(known, "X-GeoIP-City: New York\r\n") == adds);
  CHECK(test::contains(known, "X-GeoIP-ASN: 64496\r\n") == adds);
  CHECK(test::contains(known, "ZZ") == !adds);
  CHECK(test::contains(unknown, "X-GeoIP") == !adds);
  CHECK(test::contains(foreign, "X-GeoIP-Continent: SA\r\n") == adds);
  CHECK_FALSE(test::contains(foreign, "X-GeoIP-City"));  // no header field is UTF-8
}

TEST_CASE("geoip: a database that is replaced is used within a minute, a bad one is told",
          "[plugins][geoip]") {
  const Databases databases;
  Harness h;
  h.load("geoip", databases.keys() + "countries = [\"US\"]");
  CHECK(heard_from(h, "11.1.2.3").code == 550);
  databases.write("city", "rubbish");
  h.tick();
  CHECK(heard_from(h, "11.1.2.3").code == 550);  // the old one stays
  databases.write("city", database({{11, place("CA", "NA", "Ottawa", 45, -75)}}));
  h.tick();
  CHECK(heard_from(h, "11.1.2.3").code == 250);
  CHECK(h.end() == "");
  int told = 0;
  for (const std::string& line : h.log.lines) told += test::contains(line, "error: geoip: ");
  CHECK(told == 1);
}

TEST_CASE("geoip: a database that is not there is told and refuses nobody", "[plugins][geoip]") {
  Harness h;
  h.load("geoip", "databases = [\"/nonexistent.mmdb\"]\ncountries = [\"US\"]");
  CHECK(heard_from(h, "11.1.2.3").code == 250);
  CHECK(h.end() == "");
  CHECK(h.problems().empty());
}

TEST_CASE("geoip: a distance needs a home", "[plugins][geoip]") {
  Harness h;
  h.load("geoip", "databases = [\"/x\"]\ntoo_far = 1");
  REQUIRE(h.problems().size() == 1);
  CHECK(test::contains(h.problems()[0], "too_far needs home"));
}
