#include <postern/base/text.hpp>
#include <postern/net/proxy_header.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace postern::net {
namespace {

using State = ProxyHeader::State;

constexpr std::string_view v1_start = "PROXY ";
constexpr std::string_view v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t v2_head = 16;  // signature, version and command, family, length
constexpr std::size_t tlv_head = 3;  // type, length
constexpr unsigned char tlv_crc32c = 3;

ProxyHeader malformed(const char* problem) {
  ProxyHeader header;
  header.state = State::malformed;
  header.problem = problem;
  return header;
}

ProxyHeader done(std::size_t octets) {
  ProxyHeader header;
  header.state = State::done;
  header.octets = octets;
  return header;
}

bool begins_as(std::string_view input, std::string_view start) {
  const std::size_t both = std::min(input.size(), start.size());
  return input.substr(0, both) == start.substr(0, both);
}

// ---- version 1

// Of the family that stands before it: "::ffff:192.0.2.1" is IPv6 text, whatever it means.
std::optional<IpAddress> parse_address(std::string_view text, bool v6) {
  if ((text.find(':') != std::string_view::npos) != v6) return {};
  const auto address = IpAddress::parse(text);
  if (!address) return {};
  return *address;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return {};
  return to_number<std::uint16_t>(text);
}

// "192.0.2.1 192.0.2.25 51000 25": four fields, single blanks.
ProxyHeader parse_v1_addresses(std::string_view text, bool v6) {
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto blank = text.find(' ');
    const bool last = i + 1 == fields.size();
    if (last != (blank == std::string_view::npos)) return malformed("not two addresses and ports");
    fields[i] = text.substr(0, blank);
    text.remove_prefix(last ? text.size() : blank + 1);
  }
  const auto from = parse_address(fields[0], v6), to = parse_address(fields[1], v6);
  if (!from || !to) return malformed("not an address of its family");
  const auto from_port = parse_port(fields[2]), to_port = parse_port(fields[3]);
  if (!from_port || !to_port) return malformed("not a port");
  ProxyHeader header = done(0);
  header.has_client = true;
  header.client = {*from, *from_port};
  header.local = {*to, *to_port};
  return header;
}

ProxyHeader parse_v1(std::string_view input) {
  const std::string_view most = input.substr(0, proxy_v1_octets);
  const auto end = most.find_first_of("\r\n");
  const bool complete = end != std::string_view::npos && end + 1 < most.size();
  if (!complete && most.size() == proxy_v1_octets) return malformed("over 107 octets");
  if (end != std::string_view::npos && most[end] == '\n') return malformed("LF without CR");
  if (!complete) return {};
  if (most[end + 1] != '\n') return malformed("CR without LF");

  const std::string_view line = most.substr(v1_start.size(), end - v1_start.size());
  ProxyHeader header;
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN "))
    header = done(0);  // what follows is to be ignored
  else if (line.starts_with("TCP4 "))
    header = parse_v1_addresses(line.substr(5), false);
  else if (line.starts_with("TCP6 "))
    header = parse_v1_addresses(line.substr(5), true);
  else
    return malformed("neither TCP4, TCP6 nor UNKNOWN");
  if (header.state == State::done) header.octets = end + 2;
  return header;
}

// ---- version 2

unsigned octet_at(std::string_view octets, std::size_t at) {
  return static_cast<unsigned char>(octets[at]);
}

std::uint16_t u16_at(std::string_view octets, std::size_t at) {
  return static_cast<std::uint16_t>(octet_at(octets, at) << 8 | octet_at(octets, at + 1));
}

std::uint32_t u32_at(std::string_view octets, std::size_t at) {
  return std::uint32_t{u16_at(octets, at)} << 16 | u16_at(octets, at + 2);
}

template <std::size_t N>
std::array<std::uint8_t, N> address_at(std::string_view octets, std::size_t at) {
  std::array<std::uint8_t, N> address;
  std::copy_n(octets.begin() + static_cast<std::ptrdiff_t>(at), N, address.begin());
  return address;
}

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t octet = 0; octet < table.size(); ++octet) {
    std::uint32_t crc = octet;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    table[octet] = crc;
  }
  return table;
}();

// The checksum is that of the whole header with zeros in its place (section 2.2.3).
bool checksum_is_right(std::string_view header, std::size_t at) {
  constexpr std::string_view zeros("\0\0\0\0", 4);
  std::uint32_t crc = crc32c(header.substr(0, at));
  crc = crc32c(zeros, crc);
  return crc32c(header.substr(at + zeros.size()), crc) == u32_at(header, at);
}

// The TLVs of `header` from `at` on; null when there is nothing wrong with them.
const char* fault_of_tlvs(std::string_view header, std::size_t at) {
  std::size_t checksum = 0;
  while (at < header.size()) {
    if (header.size() - at < tlv_head) return "octets that are no TLV";
    const unsigned type = octet_at(header, at);
    const std::size_t length = u16_at(header, at + 1);
    at += tlv_head;
    if (length > header.size() - at) return "a TLV over the end of the header";
    if (type == tlv_crc32c) {
      if (length != 4 || checksum != 0) return "not one checksum of four octets";
      checksum = at;
    }
    at += length;
  }
  if (checksum != 0 && !checksum_is_right(header, checksum)) return "a wrong checksum";
  return nullptr;
}

// How many octets the addresses of a family take; nothing for those that there are not.
std::optional<std::size_t> address_octets(unsigned family) {
  switch (family) {
    case 1:
      return 12;
    case 2:
      return 36;
    case 3:
      return 216;  // AF_UNIX
    default:
      return {};
  }
}

ProxyHeader parse_v2(std::string_view input) {
  if (input.size() > 12 && octet_at(input, 12) != 0x20 && octet_at(input, 12) != 0x21)
    return malformed("neither LOCAL nor PROXY of version 2");
  if (input.size() < v2_head) return {};
  const std::size_t octets = v2_head + u16_at(input, 14);
  const bool local = octet_at(input, 12) == 0x20;
  const unsigned family = octet_at(input, 13) >> 4, transport = octet_at(input, 13) & 15;
  const auto addresses = address_octets(family);
  if (!local && addresses && octets < v2_head + *addresses)
    return malformed("shorter than its addresses");
  if (input.size() < octets) return {};

  ProxyHeader header = done(octets);
  if (local || !addresses) return header;  // what it holds is to be skipped
  input = input.substr(0, octets);
  if (const char* fault = fault_of_tlvs(input, v2_head + *addresses)) return malformed(fault);
  if (transport != 1 || family == 3) return header;
  header.has_client = true;
  const std::size_t ports = v2_head + *addresses - 4;
  if (family == 1) {
    header.client.ip = IpAddress::v4(address_at<4>(input, v2_head));
    header.local.ip = IpAddress::v4(address_at<4>(input, v2_head + 4));
  } else {
    header.client.ip = IpAddress::v6(address_at<16>(input, v2_head));
    header.local.ip = IpAddress::v6(address_at<16>(input, v2_head + 16));
  }
  header.client.port = u16_at(input, ports);
  header.local.port = u16_at(input, ports + 2);
  return header;
}

}  // namespace

std::uint32_t crc32c(std::string_view octets, std::uint32_t before) {
  std::uint32_t crc = ~before;
  for (const char octet : octets)
    crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<unsigned char>(octet)) & 0xff];
  return ~crc;
}

ProxyHeader parse_proxy_header(std::string_view input) {
  if (input.empty()) return {};
  const bool v1 = begins_as(input, v1_start), v2 = begins_as(input, v2_signature);
  if (!v1 && !v2) return malformed("no header");
  if (v1) return input.size() < v1_start.size() ? ProxyHeader() : parse_v1(input);
  return input.size() < v2_signature.size() ? ProxyHeader() : parse_v2(input);
}

}  // namespace postern::net
