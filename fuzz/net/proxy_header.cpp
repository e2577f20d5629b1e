// PROXY headers: what a header is does not depend on what follows, nor is it known before it is
// whole; what was told writes as a header that tells the same.
#include <postern/deliver/identity.hpp>
#include <postern/net/proxy_header.hpp>

#include "../fuzz.hpp"

using namespace postern;
using net::ProxyHeader;
using State = ProxyHeader::State;

namespace {

void check_again(const ProxyHeader& header) {
  deliver::Client client;
  client.remote = header.client;
  client.local = header.local;
  const bool one_family = client.remote.ip.is_v4() == client.local.ip.is_v4();
  for (const std::string& wire : {proxy_v1_header(client), proxy_v2_header(client)}) {
    const ProxyHeader again = net::parse_proxy_header(wire);
    FUZZ_CHECK(again.state == State::done && again.octets == wire.size());
    if (!one_family && !again.has_client) continue;  // version 1 cannot say it
    FUZZ_CHECK(again.client == header.client && again.local == header.local);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = input_text(data, size);
  const ProxyHeader header = net::parse_proxy_header(input);
  if (header.state == State::malformed) FUZZ_CHECK(*header.problem != '\0');
  if (header.state != State::done) return 0;
  FUZZ_CHECK(header.octets > 0 && header.octets <= size && header.octets <= net::proxy_v2_octets);
  FUZZ_CHECK(input[0] != 'P' || header.octets <= net::proxy_v1_octets);
  for (std::size_t cut = 0; cut < header.octets; ++cut)
    FUZZ_CHECK(net::parse_proxy_header(input.substr(0, cut)).state == State::need_more);
  const ProxyHeader alone = net::parse_proxy_header(input.substr(0, header.octets));
  FUZZ_CHECK(alone.state == State::done && alone.octets == header.octets);
  FUZZ_CHECK(alone.client == header.client && alone.local == header.local);
  if (header.has_client) check_again(header);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
  const std::string v4("\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\x19\xc7\x38\0\x19", 16);
  const std::string tlv(
      "\x21\x11\0\x14\x7f\0\0\1\x7f\0\0\1\0\x2a\5\x39\2\0\5"
      "12345",
      24);
  const std::string v6 = std::string("\x21\x21\0\x24", 4) + std::string(36, '\x20');
  return {"PROXY TCP4 192.0.2.1 192.0.2.25 51000 25\r\nEHLO c.example\r\n",
          "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.25 51000 25\r\n",
          "PROXY UNKNOWN whatever\r\n",
          signature + v4 + "EHLO c.example\r\n",
          signature + tlv,
          signature + v6,
          signature + std::string("\x20\0\0\0", 4),
          signature + std::string("\x21\x31\0\xd8", 4) + std::string(216, 'u')};
}
