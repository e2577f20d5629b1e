#include <postern/deliver/identity.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/xtext.hpp>

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace postern::deliver {
namespace {

using smtp::Attribute;

constexpr std::string_view unavailable = "[UNAVAILABLE]";

std::string address_value(const IpAddress& ip) {
  return ip.is_v4() ? ip.text() : "IPV6:" + ip.text();
}

std::string value_of(Attribute attribute, const Client& client) {
  switch (attribute) {
    case Attribute::name:
    case Attribute::reverse_name:
      return client.name;
    case Attribute::addr:
      return address_value(client.remote.ip);
    case Attribute::port:
      return fmt::to_string(client.remote.port);
    case Attribute::destaddr:
      return address_value(client.local.ip);
    case Attribute::destport:
      return fmt::to_string(client.local.port);
    case Attribute::proto:
      return client.esmtp ? "ESMTP" : "SMTP";
    case Attribute::helo:
      return client.helo;
    case Attribute::login:
      return std::string(client.login.text());
    case Attribute::source:
      return "REMOTE";
    default:
      return {};
  }
}

// NAME=VALUE pairs, in order, on as few lines as hold them.
std::vector<std::string> attribute_lines(std::string_view verb, const Client& client,
                                         const smtp::Flags<Attribute>& offered,
                                         std::initializer_list<Attribute> order) {
  std::vector<std::string> lines;
  std::string line(verb);
  for (const Attribute attribute : order) {
    if (!offered.has(attribute)) continue;
    std::string value = smtp::encode_xtext(value_of(attribute, client));
    if (value.empty() || value.size() > smtp::limits::xclient_value_octets) value = unavailable;
    const std::string pair = fmt::format(" {}={}", smtp::name(attribute), value);
    if (line.size() + pair.size() + 2 > smtp::limits::command_line_octets) {
      lines.push_back(std::exchange(line, std::string(verb)) + "\r\n");
    }
    line += pair;
  }
  if (line.size() > verb.size()) lines.push_back(line + "\r\n");
  return lines;
}

void append_u16(std::string& out, std::uint16_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xff);
}

void append_octets(std::string& out, const IpAddress& ip, std::size_t from) {
  const auto& octets = ip.octets();
  out.append(reinterpret_cast<const char*>(octets.data()) + from, octets.size() - from);
}

}  // namespace

std::vector<std::string> xforward_lines(const Client& client,
                                        const smtp::Flags<Attribute>& offered) {
  return attribute_lines("XFORWARD", client, offered,
                         {Attribute::name, Attribute::addr, Attribute::port, Attribute::proto,
                          Attribute::helo, Attribute::source});
}

std::vector<std::string> xclient_lines(const Client& client,
                                       const smtp::Flags<Attribute>& offered) {
  return attribute_lines("XCLIENT", client, offered,
                         {Attribute::helo, Attribute::login, Attribute::proto, Attribute::destaddr,
                          Attribute::destport, Attribute::port, Attribute::reverse_name,
                          Attribute::name, Attribute::addr});
}

std::string proxy_v1_header(const Client& client) {
  const IpAddress& source = client.remote.ip;
  const IpAddress& target = client.local.ip;
  if (source.is_v4() != target.is_v4()) return "PROXY UNKNOWN\r\n";
  return fmt::format("PROXY {} {} {} {} {}\r\n", source.is_v4() ? "TCP4" : "TCP6", source.text(),
                     target.text(), client.remote.port, client.local.port);
}

std::string proxy_v2_header(const Client& client) {
  const bool v4 = client.remote.ip.is_v4() && client.local.ip.is_v4();
  const std::size_t skipped = v4 ? 12 : 0;  // IpAddress keeps IPv4 in its last four octets
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += '\x21';                // version 2, PROXY
  header += v4 ? '\x11' : '\x21';  // TCP over IPv4, IPv6
  append_u16(header, v4 ? 12 : 36);
  append_octets(header, client.remote.ip, skipped);
  append_octets(header, client.local.ip, skipped);
  append_u16(header, client.remote.port);
  append_u16(header, client.local.port);
  return header;
}

}  // namespace postern::deliver
