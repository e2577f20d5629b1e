// A question, and the answers of all types as one: what cache, parser and lookups have in common.
// Inside `dns` and its tests only.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/dns/answer.hpp>

#include <compare>
#include <string_view>
#include <variant>

namespace postern::dns {

enum class Type : std::uint16_t {
  a = 1,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28
};  // as on the wire

std::string_view name(Type type);  // "AAAA"

struct Question {
  Type type = Type::a;
  std::string name;  // as query_name() makes it

  // Questions are kept in ordered maps: strangers choose the names, and could choose such whose
  // hashes are equal.
  auto operator<=>(const Question&) const = default;
  std::string text() const;  // "example.net MX"
};

// Addresses, mail exchangers, or the texts of TXT and names of PTR records.
using AnyAnswer = std::variant<Answer<IpAddress>, Answer<Mx>, Answer<std::string>>;

std::chrono::seconds ttl_of(const AnyAnswer& answer);
bool is_negative(const AnyAnswer& answer);       // no data, or no such name
std::size_t octets_of(const AnyAnswer& answer);  // of memory, about

}  // namespace postern::dns
