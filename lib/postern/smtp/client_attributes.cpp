#include <postern/base/text.hpp>
#include <postern/smtp/client_attributes.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/xtext.hpp>

#include <array>
#include <initializer_list>
#include <utility>

namespace postern::smtp {
namespace {

constexpr std::array all_attributes = {
    Attribute::name,         Attribute::addr,   Attribute::port,     Attribute::proto,
    Attribute::helo,         Attribute::login,  Attribute::destaddr, Attribute::destport,
    Attribute::reverse_name, Attribute::source, Attribute::ident,
};

Flags<Attribute> flags_of(std::initializer_list<Attribute> attributes) {
  Flags<Attribute> flags;
  for (const Attribute attribute : attributes) flags.add(attribute);
  return flags;
}

std::optional<Attribute> attribute_named(std::string_view text) {
  for (const Attribute attribute : all_attributes)
    if (iequals(text, name(attribute))) return attribute;
  return {};
}

// Each takes a value, which is empty where the peer knows none. False: it is malformed.

bool set_domain(std::optional<std::string>& known, std::string value) {
  if (!value.empty() && !is_domain(value)) return false;
  known = std::move(value);
  return true;
}

bool set_address(std::optional<IpAddress>& known, std::string_view value) {
  constexpr std::string_view v6 = "IPV6:";
  if (value.empty()) {
    known = IpAddress();
    return true;
  }
  const bool marked = istarts_with(value, v6);
  if (marked) value.remove_prefix(v6.size());
  const auto address = IpAddress::parse(value);
  if (!address || marked != (value.find(':') != std::string_view::npos)) return false;
  known = *address;
  return true;
}

bool set_port(std::optional<std::uint16_t>& known, std::string_view value) {
  const auto port = value.empty() ? std::uint16_t{0} : to_number<std::uint16_t>(value);
  if (port) known = port;
  return port.has_value();
}

bool set_choice(std::optional<bool>& known, std::string_view value, std::string_view no,
                std::string_view yes) {
  if (!value.empty() && !iequals(value, no) && !iequals(value, yes)) return false;
  known.reset();
  if (!value.empty()) known = iequals(value, yes);
  return true;
}

bool set(ClientAttributes& known, Attribute attribute, std::string value) {
  switch (attribute) {
    case Attribute::name:
      return set_domain(known.name, std::move(value));
    case Attribute::reverse_name:
      return set_domain(known.reverse_name, std::move(value));
    case Attribute::addr:
      return set_address(known.addr, value);
    case Attribute::destaddr:
      return set_address(known.destaddr, value);
    case Attribute::port:
      return set_port(known.port, value);
    case Attribute::destport:
      return set_port(known.destport, value);
    case Attribute::proto:
      return set_choice(known.esmtp, value, "SMTP", "ESMTP");
    case Attribute::source:
      return set_choice(known.local, value, "REMOTE", "LOCAL");
    case Attribute::helo:
      known.helo = std::move(value);
      return true;
    case Attribute::ident:
      known.ident = std::move(value);
      return true;
    case Attribute::login:
      if (!is_clean_utf8(value)) return false;
      known.login = std::move(value);
      return true;
  }
  return false;
}

Result<void> read_one(std::string_view pair, Flags<Attribute> offered, Flags<Attribute>& seen,
                      ClientAttributes& known) {
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos || equals + 1 == pair.size())
    return fail(Errc::malformed, "not NAME=VALUE");
  const auto attribute = attribute_named(pair.substr(0, equals));
  if (!attribute) return fail(Errc::unsupported, "no such attribute");
  if (seen.has(*attribute)) return fail(Errc::malformed, "an attribute twice");
  seen.add(*attribute);
  auto value = decode_xtext(pair.substr(equals + 1));
  if (!value) return fail(value.error());
  if (value->size() > limits::xclient_value_octets) return fail(Errc::too_long, "a value");
  if (iequals(*value, "[UNAVAILABLE]") || iequals(*value, "[TEMPUNAVAIL]")) value->clear();
  if (!offered.has(*attribute)) return fail(Errc::unsupported, "an attribute that is not offered");
  const bool is_xforward = offered.has(Attribute::source);
  const bool is_known = set(known, *attribute, std::move(*value));
  if (!is_known && !is_xforward) return fail(Errc::malformed, std::string(name(*attribute)));
  if (!is_known) set(known, *attribute, {});
  return {};
}

}  // namespace

Flags<Attribute> xclient_attributes() {
  return flags_of({Attribute::name, Attribute::addr, Attribute::port, Attribute::proto,
                   Attribute::helo, Attribute::login, Attribute::destaddr, Attribute::destport,
                   Attribute::reverse_name});
}

Flags<Attribute> xforward_attributes() {
  return flags_of({Attribute::name, Attribute::addr, Attribute::port, Attribute::proto,
                   Attribute::helo, Attribute::ident, Attribute::source});
}

Result<void> read_client_attributes(std::string_view argument, Flags<Attribute> offered,
                                    ClientAttributes& known) {
  ClientAttributes read = known;
  Flags<Attribute> seen;
  while (!argument.empty()) {
    const auto end = std::min(argument.find_first_of(" \t"), argument.size());
    auto one = read_one(argument.substr(0, end), offered, seen, read);
    if (!one) return one;
    argument = trim(argument.substr(end));
  }
  if (seen.empty()) return fail(Errc::malformed, "no attribute");
  known = std::move(read);
  return {};
}

}  // namespace postern::smtp
