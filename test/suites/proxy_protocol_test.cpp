// The suite `proxy-protocol`: headers of both versions, with what they mean.
#include <postern/net/proxy_header.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "suite_file.hpp"

using namespace postern;
using net::ProxyHeader;
using State = ProxyHeader::State;

namespace {

nlohmann::json cases_of(const char* file) {
  const auto text = suites::suite_file(file);
  return text ? nlohmann::json::parse(*text) : nlohmann::json::array();
}

std::string octets_of(const std::string& hex) {
  std::string octets;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2)
    octets += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  return octets;
}

// The suite's lines end in LF, and it takes one more than the specification does: "the canonical
// form" of an IPv4 address (section 2.1) has no zeros in front.
const std::string more_lenient = "PROXY TCP4 01.02.03.04 04.03.02.01 123 321\r\n";

void check_valid(const nlohmann::json& row, const std::string& wire) {
  const ProxyHeader header = net::parse_proxy_header(wire + "x");  // "x" is SMTP's
  REQUIRE(header.state == State::done);
  CHECK(header.octets == wire.size());
  CHECK(net::parse_proxy_header(wire.substr(0, wire.size() - 1)).state == State::need_more);
  REQUIRE(header.has_client);
  const SocketAddress client{*IpAddress::parse(row.at("client").get<std::string>()),
                             row.at("client_port")};
  const SocketAddress local{*IpAddress::parse(row.at("server").get<std::string>()),
                            row.at("server_port")};
  CHECK(header.client == client);
  CHECK(header.local == local);
}

}  // namespace

TEST_CASE("proxy-protocol: both versions are read as the suite has it", "[suite][proxy]") {
  for (const auto& row : cases_of("proxy-protocol/v1-and-v2.json")) {
    const std::string with_lf = row.at("v1");
    CAPTURE(with_lf);
    CHECK(net::parse_proxy_header(with_lf).state == State::malformed);
    const std::string wire = with_lf.substr(0, with_lf.size() - 1) + "\r\n";
    if (row.at("valid").get<bool>()) {
      if (row.contains("v2_hex")) check_valid(row, octets_of(row.at("v2_hex")));
      if (wire != more_lenient && row.contains("client")) check_valid(row, wire);
      if (wire == more_lenient) CHECK(net::parse_proxy_header(wire).state == State::malformed);
    } else {
      CHECK(net::parse_proxy_header(wire).state == State::malformed);
    }
  }
}

TEST_CASE("proxy-protocol: LOCAL, TLVs and lengths of version 2", "[suite][proxy]") {
  for (const auto& row : cases_of("proxy-protocol/v2-extra.json")) {
    const std::string name = row.at("name"), expected = row.at("expect");
    CAPTURE(name, expected);
    const std::string wire = octets_of(row.at("hex"));
    const ProxyHeader header = net::parse_proxy_header(wire);
    const bool accepted = expected.rfind("accepted", 0) == 0;
    CHECK(header.state == (accepted ? State::done : State::malformed));
    if (!accepted) continue;
    CHECK(header.octets == wire.size());
    CHECK(header.has_client == (name.find("LOCAL") == std::string::npos));
  }
}
