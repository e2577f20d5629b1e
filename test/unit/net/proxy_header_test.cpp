// The PROXY protocol's header, as octets (case S020: every length, every cut).
#include <postern/net/proxy_header.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace std::string_literals;
using net::ProxyHeader;
using State = ProxyHeader::State;

namespace {

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string ipv4 = "\xc0\x00\x02\x01\xc0\x00\x02\x19\xc7\x38\x00\x19"s;  // 192.0.2.1:51000

std::string u16(std::size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

// Version 2: its command and family octets, and what follows the length.
std::string v2(char command, char family, const std::string& block) {
  return signature + command + family + u16(block.size()) + block;
}

std::string tlv(char type, const std::string& value) { return type + u16(value.size()) + value; }

// With the checksum of the whole, less `off`.
std::string with_checksum(std::uint32_t off = 0) {
  std::string header =
      v2('\x21', '\x11', ipv4 + tlv('\x03', std::string(4, '\0')) + tlv('\x04', "pad"));
  const std::uint32_t crc = net::crc32c(header) - off;
  for (std::size_t i = 0; i < 4; ++i)
    header[16 + 12 + 3 + i] = static_cast<char>(crc >> (24 - 8 * i));
  return header;
}

// What one header comes to: "192.0.2.1:51000 192.0.2.25:25", "own", "malformed", "more".
std::string outcome(std::string_view input) {
  const ProxyHeader header = net::parse_proxy_header(input);
  switch (header.state) {
    case State::need_more:
      return "more";
    case State::malformed:
      return "malformed";
    case State::done:
      break;
  }
  return header.has_client ? header.client.text() + " " + header.local.text() : "own";
}

}  // namespace

TEST_CASE("crc32c: gives the check value of RFC 3720", "[net][proxy]") {
  CHECK(net::crc32c("123456789") == 0xe3069283u);
  CHECK(net::crc32c(std::string(32, '\0')) == 0x8a9136aau);
  CHECK(net::crc32c("6789", net::crc32c("12345")) == 0xe3069283u);
}

TEST_CASE("PROXY version 1: is taken exactly as it is specified", "[net][proxy][line:21]") {
  struct Row {
    const char* why;
    std::string input;
    std::string what;
  };
  const std::string four = "192.0.2.1:51000 192.0.2.25:25";
  const auto row = GENERATE_COPY(values<Row>({
      {"IPv4", "PROXY TCP4 192.0.2.1 192.0.2.25 51000 25\r\n", four},
      {"IPv6", "PROXY TCP6 2001:db8::1 2001:DB8::25 1 65535\r\n",
       "[2001:db8::1]:1 [2001:db8::25]:65535"},
      {"IPv4 in IPv6", "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.25 51000 25\r\n", four},
      {"port 0", "PROXY TCP4 192.0.2.1 192.0.2.25 0 0\r\n", "192.0.2.1:0 192.0.2.25:0"},
      {"unknown", "PROXY UNKNOWN\r\n", "own"},
      {"unknown, with something", "PROXY UNKNOWN ffff::1 what ever\r\n", "own"},
      {"unknown, as long as may be", "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n", "own"},
      {"too long by one", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", "malformed"},
      {"too long, no end", "PROXY UNKNOWN " + std::string(93, 'x'), "malformed"},
      {"not unknown", "PROXY UNKNOWNS\r\n", "malformed"},
      {"lower case", "PROXY tcp4 192.0.2.1 192.0.2.25 51000 25\r\n", "malformed"},
      {"lower case verb", "proxy UNKNOWN\r\n", "malformed"},
      {"no family", "PROXY \r\n", "malformed"},
      {"UDP", "PROXY UDP4 192.0.2.1 192.0.2.25 51000 25\r\n", "malformed"},
      {"LF alone", "PROXY UNKNOWN\n", "malformed"},
      {"CR alone", "PROXY UNKNOWN\rx", "malformed"},
      {"two blanks", "PROXY TCP4  192.0.2.1 192.0.2.25 51000 25\r\n", "malformed"},
      {"blank at the end", "PROXY TCP4 192.0.2.1 192.0.2.25 51000 25 \r\n", "malformed"},
      {"tab", "PROXY TCP4 192.0.2.1\t192.0.2.25 51000 25\r\n", "malformed"},
      {"field missing", "PROXY TCP4 192.0.2.1 192.0.2.25 51000\r\n", "malformed"},
      {"field too many", "PROXY TCP4 192.0.2.1 192.0.2.25 51000 25 1\r\n", "malformed"},
      {"address with zeros", "PROXY TCP4 192.00.2.1 192.0.2.25 51000 25\r\n", "malformed"},
      {"port with zero", "PROXY TCP4 192.0.2.1 192.0.2.25 051000 25\r\n", "malformed"},
      {"port 00", "PROXY TCP4 192.0.2.1 192.0.2.25 00 25\r\n", "malformed"},
      {"port too large", "PROXY TCP4 192.0.2.1 192.0.2.25 65536 25\r\n", "malformed"},
      {"port with sign", "PROXY TCP4 192.0.2.1 192.0.2.25 +25 25\r\n", "malformed"},
      {"other family", "PROXY TCP4 2001:db8::1 192.0.2.25 51000 25\r\n", "malformed"},
      {"other family", "PROXY TCP6 192.0.2.1 192.0.2.25 51000 25\r\n", "malformed"},
      {"zone", "PROXY TCP6 fe80::1%eth0 fe80::2 51000 25\r\n", "malformed"},
      {"NUL", "PROXY TCP4 192.0.2.1\0 192.0.2.25 51000 25\r\n"s, "malformed"},
      {"no header", "EHLO c.example\r\n", "malformed"},
      {"no blank", "PROXYTCP4 192.0.2.1 192.0.2.25 51000 25\r\n", "malformed"},
  }));
  CAPTURE(row.why, row.input);
  CHECK(outcome(row.input) == row.what);
  // Not a moment before its last octet, and none behind it.
  if (row.what == "malformed") return;
  for (std::size_t cut = 0; cut < row.input.size(); ++cut)
    CHECK(outcome(std::string_view(row.input).substr(0, cut)) == "more");
  const ProxyHeader header = net::parse_proxy_header(row.input + "PROXY UNKNOWN\r\n");
  CHECK(header.octets == row.input.size());
}

TEST_CASE("PROXY version 2: what is in it counts, and how long it is", "[net][proxy][line:22]") {
  struct Row {
    const char* why;
    std::string input;
    std::string what;
  };
  const std::string four = "192.0.2.1:51000 192.0.2.25:25";
  const std::string six = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01" +
                          "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x19" + u16(51000) +
                          u16(25);
  const auto row = GENERATE_COPY(values<Row>({
      {"IPv4", v2('\x21', '\x11', ipv4), four},
      {"IPv6", v2('\x21', '\x21', six), "[2001:db8::1]:51000 [2001:db8::19]:25"},
      {"TLV", v2('\x21', '\x11', ipv4 + tlv('\x02', "mx.example") + tlv('\x04', "")), four},
      {"checksum", with_checksum(), four},
      {"wrong checksum", with_checksum(1), "malformed"},
      {"checksum too short", v2('\x21', '\x11', ipv4 + tlv('\x03', "abc")), "malformed"},
      {"two checksums", v2('\x21', '\x11', ipv4 + tlv('\x03', "abcd") + tlv('\x03', "abcd")),
       "malformed"},
      {"TLV too long", v2('\x21', '\x11', ipv4 + "\x02" + u16(5) + "abcd"), "malformed"},
      {"half a TLV", v2('\x21', '\x11', ipv4 + "\x02"), "malformed"},
      {"addresses cut", v2('\x21', '\x11', ipv4.substr(1)), "malformed"},
      {"addresses cut", v2('\x21', '\x21', six.substr(1)), "malformed"},
      {"no addresses", v2('\x21', '\x11', ""), "malformed"},
      {"local", v2('\x20', '\0', ""), "own"},
      {"local, its addresses ignored", v2('\x20', '\x11', ipv4), "own"},
      {"local, nonsense in it ignored", v2('\x20', '\x11', "abc"), "own"},
      {"unspecified", v2('\x21', '\0', ""), "own"},
      {"unspecified, skipped", v2('\x21', '\0', "abcdef"), "own"},
      {"unknown family, skipped", v2('\x21', '\x71', "abcdef"), "own"},
      {"datagrams", v2('\x21', '\x12', ipv4), "own"},
      {"Unix", v2('\x21', '\x31', std::string(216, 'u')), "own"},
      {"Unix, cut", v2('\x21', '\x31', std::string(215, 'u')), "malformed"},
      {"version 1 in binary", v2('\x11', '\x11', ipv4), "malformed"},
      {"version 3", v2('\x31', '\x11', ipv4), "malformed"},
      {"no such command", v2('\x22', '\x11', ipv4), "malformed"},
      {"signature broken", signature.substr(0, 11) + "\r", "malformed"},
  }));
  CAPTURE(row.why);
  CHECK(outcome(row.input) == row.what);
  if (row.what == "malformed") return;
  for (std::size_t cut = 0; cut < row.input.size(); ++cut)
    CHECK(outcome(std::string_view(row.input).substr(0, cut)) == "more");
  CHECK(net::parse_proxy_header(row.input + "EHLO").octets == row.input.size());
}

TEST_CASE("PROXY version 2: each length is right or wrong, and none is read over", "[net][proxy]") {
  std::string input = signature + "\x21\x11" + u16(0) + ipv4 + std::string(65'535, '\0');
  std::size_t wrong = 0;
  for (std::size_t length = 0; length <= 65'535; ++length) {
    input.replace(14, 2, u16(length));
    const ProxyHeader header =
        net::parse_proxy_header(std::string_view(input).substr(0, 16 + length));
    // Zeros are TLVs of type 0 without a value: three octets each.
    const bool fits = length >= 12 && (length - 12) % 3 == 0;
    if (header.state != (fits ? State::done : State::malformed)) ++wrong;
    if (fits && header.octets != 16 + length) ++wrong;
  }
  CHECK(wrong == 0);
}
