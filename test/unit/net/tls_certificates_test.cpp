// Which certificate is for whom, and what is wrong with a file.
#include "catch.hpp"
#include "tls_world.hpp"

using namespace postern;
using namespace postern::net;
using namespace postern::testing;

namespace {

// The subject that a client gets who asks for `name`.
std::string subject_for(TlsServer& server, const std::string& name) {
  TlsWorld world;
  const auto met = world.meet(server, make_client().get(), TlsStart::at_once, nullptr, name);
  return met.client_facts ? met.client_facts->subject : met.client_facts.error().describe();
}

std::string complaint(const TlsPair& pair) {
  const auto info = look_at(pair);
  return info ? "" : info.error().text;
}

}  // namespace

TEST_CASE("TlsCertificates: each name gets its certificate, every other the first", "[net][tls]") {
  const auto first = make_certificate({.names = {"mx.example.net"}, .common_name = "first"});
  const auto second =
      make_certificate({.names = {"a.example.org", "*.B.example.org"}, .common_name = "second"});
  const auto nameless = make_certificate({.common_name = "old.example.com"});
  const auto server = make_server();
  server->use(*TlsCertificates::make({first.pair(), second.pair(), nameless.pair()}));
  struct Row {
    const char* name;
    const char* subject;
  };
  const auto row = GENERATE(values<Row>({
      {"", "CN=first"},
      {"mx.example.net", "CN=first"},
      {"a.example.org", "CN=second"},
      {"A.EXAMPLE.org", "CN=second"},
      {"x.b.example.org", "CN=second"},
      {"b.example.org", "CN=first"},
      {"x.y.b.example.org", "CN=first"},
      {"old.example.com", "CN=old.example.com"},
      {"unknown.example", "CN=first"},
  }));
  CAPTURE(row.name);
  CHECK(subject_for(*server, row.name) == row.subject);
}

TEST_CASE("TlsCertificates: a name may have one for each kind of key", "[net][tls]") {
  const auto elliptic = make_certificate({.names = {"mx.example.net"}, .common_name = "P-256"});
  const auto rsa = make_certificate(
      {.names = {"mx.example.net"}, .common_name = "RSA", .key = KeyKind::rsa_2048});
  const auto server = make_server();
  server->use(*TlsCertificates::make({elliptic.pair(), rsa.pair()}));
  const auto subject_with = [&](const char* ciphers) {
    TlsWorld world;
    const auto client = make_client({.version = TLS1_2_VERSION});
    SSL_CTX_set_cipher_list(client.get(), ciphers);
    const auto met =
        world.meet(*server, client.get(), TlsStart::at_once, nullptr, "mx.example.net");
    return met.client_facts ? met.client_facts->subject : "";
  };
  CHECK(subject_with("ECDHE-RSA-AES128-GCM-SHA256") == "CN=RSA");
  CHECK(subject_with("ECDHE-ECDSA-AES128-GCM-SHA256") == "CN=P-256");
}

TEST_CASE("TlsCertificates: sessions keep the set that they began with", "[net][tls]") {
  const auto server = make_server();
  TlsWorld world;
  auto met = world.meet(*server, make_client().get());
  REQUIRE(met.server_facts);
  server->use(*TlsCertificates::make({make_certificate({.common_name = "new"}).pair()}));
  met.client->write("NOOP\r\n");
  world.sim.run_until_idle();
  CHECK(met.server->input() == "NOOP\r\n");
  CHECK(subject_for(*server, "") == "CN=new");
}

TEST_CASE("TlsCertificates: what is wrong is said with the file that is", "[net][tls]") {
  const auto good = make_certificate({});
  const auto other = make_certificate({});
  CHECK(complaint(good.pair()).empty());
  CHECK(complaint({"a.crt", "", "a.key", good.key}).find("a.crt: no certificate") == 0);
  CHECK(complaint({"a.crt", good.certificate.substr(0, 200), "a.key", good.key})
            .find("a.crt: no certificate in PEM form, or a broken one") == 0);
  CHECK(complaint({"a.crt", good.certificate, "a.key", ""}).find("a.key: no private key") == 0);
  CHECK(complaint({"a.crt", good.certificate, "a.key", good.key.substr(0, 100)}).find("a.key: ") ==
        0);
  CHECK(complaint({"a.crt", good.certificate, "a.key", other.key}) ==
        "a.key: not the key of the certificate in a.crt");
  CHECK(complaint(
            {"a.crt", good.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n", "a.key", good.key})
            .find("a.crt: ") == 0);
  const auto weak = make_certificate({.key = KeyKind::rsa_1024});
  CHECK(complaint({"a.crt", weak.certificate, "a.key", weak.key})
            .find("a.crt: not usable for TLS: ") == 0);
  const std::string locked =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh0\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  CHECK(complaint({"a.crt", good.certificate, "a.key", locked})
            .find("a.key: the key has a passphrase") == 0);
  CHECK_FALSE(TlsCertificates::make({}));
  CHECK_FALSE(TlsCertificates::make({good.pair(), {"a.crt", "", "a.key", ""}}));
}

TEST_CASE("TlsCertificates: names and times are read from the certificate", "[net][tls]") {
  const auto made = make_certificate(
      {.names = {"A.example.net", "*.example.org"}, .begins_in_days = -20, .ends_in_days = -10});
  const auto info = look_at(made.pair());
  REQUIRE(info);
  CHECK(info->names == std::vector<std::string>{"a.example.net", "*.example.org"});
  const auto now = std::chrono::system_clock::now();
  CHECK(info->ends < now - std::chrono::hours(9 * 24));
  CHECK(info->begins < info->ends);
}
