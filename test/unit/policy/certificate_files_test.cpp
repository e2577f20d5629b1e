// Which files of [tls] belong together, and what is missing.
#include <postern/policy/certificate_files.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "catch.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

const std::string certificate = "-----BEGIN CERTIFICATE-----\n";
const std::string key = "-----BEGIN PRIVATE KEY-----\n";

File file(const std::string& name, const std::string& content, const std::string& error = "") {
  return {File::Kind::certificate, "/etc/certs/" + name, content, error};
}

CertificatePairs folder(const std::vector<File>& files) {
  Tls tls;
  tls.certificates_dir.text = "/etc/certs";
  return certificate_pairs(tls, files);
}

}  // namespace

TEST_CASE("certificate_pairs: a folder may hold them in each of the usual forms", "[policy][tls]") {
  const auto found = folder({file("a.crt", certificate + "a"),
                             file("a.key", key + "a"),
                             file("b.pem", certificate + key),
                             file("c.key", key + "c"),
                             file("c.pem", certificate + "c"),
                             file("d/fullchain.pem", certificate + "d"),
                             file("d/privkey.pem", key + "d"),
                             file("d/cert.pem", "not wanted"),
                             file("README", "nor this"),
                             {File::Kind::list, "/etc/certs/e.crt", certificate, ""}});
  CHECK(found.faults.empty());
  REQUIRE(found.pairs.size() == 4);
  CHECK(found.pairs[0] ==
        CertificatePair{"/etc/certs/a.crt", certificate + "a", "/etc/certs/a.key", key + "a"});
  CHECK(found.pairs[1].key_file == "/etc/certs/b.pem");
  CHECK(found.pairs[2].certificate_file == "/etc/certs/c.pem");
  CHECK(found.pairs[2].key == key + "c");
  CHECK(found.pairs[3].certificate_file == "/etc/certs/d/fullchain.pem");
  CHECK(found.pairs[3].key_file == "/etc/certs/d/privkey.pem");
}

TEST_CASE("certificate_pairs: says what is missing, and keeps the rest", "[policy][tls]") {
  const auto good = file("good.pem", certificate + key);
  struct Row {
    File bad;
    std::string text;
  };
  const auto row = GENERATE_COPY(values<Row>({
      {file("a.crt", certificate),
       "/etc/certs/a.crt: a certificate without its key; put a.key beside it"},
      {file("a.key", key), "/etc/certs/a.key: a key without its certificate; put a.crt beside it"},
      {file("a.pem", certificate),
       "/etc/certs/a.pem: a certificate without its key; put a.key beside it"},
      {file("a.crt", "", "Permission denied"), "/etc/certs/a.crt: Permission denied"},
  }));
  const auto found = folder({row.bad, good});
  REQUIRE(found.faults.size() == 1);
  CHECK(found.faults[0].key == "certificates_dir");
  CHECK(found.faults[0].text == row.text);
  REQUIRE(found.pairs.size() == 1);
  CHECK(found.pairs[0].certificate_file == good.path);
}

TEST_CASE("certificate_pairs: the one for everybody comes first", "[policy][tls]") {
  Tls tls;
  tls.certificates_dir.text = "/etc/certs";
  tls.certificate.text = "/etc/certs/z.pem";
  const std::vector<File> files = {file("a.pem", certificate + key),
                                   file("z.pem", certificate + key + "z")};
  const auto found = certificate_pairs(tls, files);
  REQUIRE(found.pairs.size() == 2);
  CHECK(found.pairs[0].certificate_file == "/etc/certs/z.pem");
  CHECK(found.pairs[0].key_file == "/etc/certs/z.pem");
}

TEST_CASE("certificate_paths: names what is there and looks like a certificate", "[policy][tls]") {
  const TemporaryFolder here;
  for (const char* name : {"a.crt", "a.key", "README", ".hidden.pem", "live/fullchain.pem",
                           "live/privkey.pem", "live/cert.pem", "live/deep/fullchain.pem"})
    here.write(name, "x");
  Tls tls;
  tls.certificate.text = "/nowhere.crt";
  tls.certificates_dir.text = std::filesystem::path(here.path("x")).parent_path().string();
  std::vector<std::string> expected = {"/nowhere.crt"};
  for (const char* name : {"a.crt", "a.key", "live/fullchain.pem", "live/privkey.pem"})
    expected.push_back(here.path(name));
  CHECK(certificate_paths(tls) == expected);
}

TEST_CASE("certificate_paths: a folder that is not there is told as unreadable", "[policy][tls]") {
  Tls tls;
  tls.certificates_dir.text = "/nowhere/at/all";
  const auto paths = certificate_paths(tls);
  REQUIRE(paths == std::vector<std::string>{"/nowhere/at/all"});
  const auto found = certificate_pairs(tls, read_certificate_files(paths));
  REQUIRE(found.faults.size() == 1);
  CHECK(found.faults[0].text == "/nowhere/at/all: No such file or directory");
}

}  // namespace postern::policy
