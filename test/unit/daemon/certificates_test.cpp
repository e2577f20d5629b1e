// The files of [tls] as the master keeps them: looked at, watched, never made worse.
#include "certificates.hpp"

#include <catch.hpp>

#include <filesystem>
#include <string>

#include "unit/net/made_certificate.hpp"
#include "unit/policy/temporary_folder.hpp"

namespace postern::daemon {
namespace {

using policy::CertificatePair;
using testing::MadeCertificate;
using testing::make_certificate;

const MadeCertificate& made(std::size_t number) {
  static const MadeCertificate all[] = {make_certificate({}), make_certificate({})};
  return all[number];
}

// One for everybody and a folder, and what the workers have begun with.
struct Site {
  Site() {
    put("mx", made(0));
    put("certs/a", made(0));
    tls.certificate.text = here.path("mx.crt");
    tls.key.text = here.path("mx.key");
    tls.certificates_dir.text = here.path("certs");
  }
  void put(const std::string& stem, const MadeCertificate& pair) {
    here.write(stem + ".crt.new", pair.certificate);
    here.write(stem + ".key.new", pair.key);
    for (const char* end : {".crt", ".key"})
      std::filesystem::rename(here.path(stem + end + ".new"), here.path(stem + end));
  }
  CertificateWatch watch() const {
    return {tls, policy::certificate_pairs(
                     tls, policy::read_certificate_files(policy::certificate_paths(tls)))
                     .pairs};
  }
  policy::TemporaryFolder here;
  policy::Tls tls;
};

}  // namespace

TEST_CASE("CertificateWatch: what did not change is no news", "[daemon][tls]") {
  Site site;
  auto watch = site.watch();
  REQUIRE(watch.pairs().size() == 2);
  for (int i = 0; i < 3; ++i) {
    const auto news = watch.look();
    CHECK_FALSE(news.changed);
    CHECK(news.complaints.empty());
  }
  site.put("certs/a", made(0));  // other files, the same text
  CHECK_FALSE(watch.look().changed);
  CHECK_FALSE(watch.ever_changed());
}

TEST_CASE("CertificateWatch: sees what is replaced, added and removed", "[daemon][tls]") {
  Site site;
  auto watch = site.watch();
  site.put("mx", made(1));
  CHECK(watch.look().changed);
  CHECK(watch.pairs()[0].certificate == made(1).certificate);
  site.put("certs/b", made(1));
  CHECK(watch.look().changed);
  CHECK(watch.pairs().size() == 3);
  for (const char* name : {"certs/a.crt", "certs/a.key"})
    std::filesystem::remove(site.here.path(name));
  CHECK(watch.look().changed);
  REQUIRE(watch.pairs().size() == 2);
  CHECK(watch.pairs()[0].certificate_file == site.tls.certificate.text);
  CHECK(watch.pairs()[1].certificate_file == site.here.path("certs/b.crt"));
  CHECK(watch.ever_changed());
}

TEST_CASE("CertificateWatch: one that became unusable stays as it was, and is told once",
          "[daemon][tls]") {
  Site site;
  auto watch = site.watch();
  CHECK_FALSE(watch.look().changed);
  SECTION("rubbish") { site.here.write("mx.crt", "rubbish"); }
  SECTION("another one's key") { site.here.write("mx.key", made(1).key); }
  SECTION("no key") { std::filesystem::remove(site.here.path("mx.key")); }
  SECTION("no certificate") { std::filesystem::remove(site.here.path("mx.crt")); }
  SECTION("no key in the folder") { std::filesystem::remove(site.here.path("certs/a.key")); }
  const auto before = watch.pairs();
  const auto news = watch.look();
  CHECK_FALSE(news.changed);
  CHECK(news.complaints.size() == 1);
  CHECK(watch.look().complaints.empty());
  CHECK(watch.pairs() == before);
  site.put("certs/b", made(1));
  CHECK(watch.look().changed);  // the others go on
  CHECK(watch.pairs().size() == 3);
  site.put("mx", made(1));
  site.put("certs/a", made(1));
  const auto mended = watch.look();
  CHECK(mended.changed);
  CHECK(mended.complaints.empty());
  CHECK(watch.pairs()[0].certificate == made(1).certificate);
}

TEST_CASE("check_certificates: an expired one is a remark, an unusable one is not",
          "[daemon][tls]") {
  const auto expired = make_certificate({.begins_in_days = -20, .ends_in_days = -10});
  const auto early = make_certificate({.begins_in_days = 10, .ends_in_days = 20});
  Site site;
  const auto problems = [&] {
    auto bundle = policy::Bundle::of("postern.toml", "/etc",
                                     "[tls]\ncertificate = \"x\"\nkey = \"y\"\n"
                                     "certificates_dir = \"z\"\n");
    for (auto& file : policy::read_certificate_files(policy::certificate_paths(site.tls)))
      bundle.files.push_back(std::move(file));
    return check_certificates(bundle, site.tls);
  };
  CHECK(problems().empty());
  site.put("mx", expired);
  site.put("certs/a", early);
  auto found = problems();
  REQUIRE(found.size() == 2);
  CHECK_FALSE(found[0].fatal);
  CHECK(found[0].line().find("postern.toml:2:15: tls.certificate: ") == 0);
  CHECK(found[0].text.find("mx.crt has expired on 20") != std::string::npos);
  CHECK_FALSE(found[1].fatal);
  CHECK(found[1].text.find("a.crt is valid only from 20") != std::string::npos);
  site.here.write("mx.key", made(1).key);
  found = problems();
  REQUIRE(found.size() == 2);
  CHECK(found[0].fatal);
  CHECK(found[0].line().find("postern.toml:3:7: tls.key: ") == 0);
}

}  // namespace postern::daemon
