// Whether a host name looks like one that a provider gives to the lines of its customers. Pure.
#pragma once

#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {

// The parts of a name between dots, hyphens, underscores, and where digits and letters meet:
// "dsl-7.pool" is dsl 7 pool. `label` counts the dots before.
struct NamePart {
  std::string_view text;
  std::size_t label;
  bool is_number() const { return text.front() >= '0' && text.front() <= '9'; }
};

inline std::vector<NamePart> parts_of(std::string_view name) {
  std::vector<NamePart> parts;
  const auto kind = [](char c) {
    return c >= '0' && c <= '9' ? 1 : (c >= 'a' && c <= 'z') ? 2 : 0;
  };
  std::size_t label = 0;
  for (std::size_t i = 0; i < name.size();) {
    const int of = kind(name[i]);
    std::size_t end = i + 1;
    while (of != 0 && end < name.size() && kind(name[end]) == of) ++end;
    if (name[i] == '.') ++label;
    if (of != 0) parts.push_back({name.substr(i, end - i), label});
    i = end;
  }
  return parts;
}

// Three or more octets of the address as numbers, each counted once; of an address with equal
// octets as many.
inline bool has_octets(const std::vector<NamePart>& parts, const IpAddress& client) {
  const auto& all = client.octets();
  std::vector<unsigned> wanted(all.begin() + 12, all.end());
  std::size_t found = 0;
  for (const NamePart& part : parts) {
    const auto number = part.is_number() ? to_number<unsigned>(part.text) : std::nullopt;
    if (!number) continue;
    const auto at = std::find(wanted.begin(), wanted.end(), *number);
    if (at == wanted.end()) continue;
    wanted.erase(at);
    ++found;
  }
  return found >= 3;
}

// All octets in one piece, to either direction: c0000207, 192000002007.
inline bool has_whole_address(std::string_view name, const IpAddress& client) {
  const auto& octets = client.octets();
  const std::size_t first = client.is_v4() ? 12 : 0;
  std::string hex, hex_back, decimal, decimal_back;
  for (std::size_t i = first; i < octets.size(); ++i) {
    hex += fmt::format("{:02x}", octets[i]);
    decimal += fmt::format("{:03}", octets[i]);
    hex_back.insert(0, fmt::format("{:02x}", octets[i]));
    decimal_back.insert(0, fmt::format("{:03}", octets[i]));
  }
  const auto has = [&](const std::string& text) { return name.find(text) != name.npos; };
  if (has(hex) || has(hex_back)) return true;
  return client.is_v4() && (has(decimal) || has(decimal_back));
}

// A word of dial-up lines in a label with digits, or beside one.
inline bool has_word_beside_digits(const std::vector<NamePart>& parts) {
  static constexpr std::string_view words[] = {
      "adsl",      "vdsl",    "xdsl",  "dsl",    "dial",  "dialup",   "dialin",
      "dyn",       "dynamic", "dynip", "pool",   "pools", "ppp",      "pppoe",
      "cable",     "catv",    "dhcp",  "client", "cust",  "customer", "customers",
      "broadband", "docsis",  "modem", "gprs",   "umts",  "lte",      "wimax"};
  const auto is_word = [](const NamePart& part) {
    return std::find(std::begin(words), std::end(words), part.text) != std::end(words);
  };
  return std::any_of(parts.begin(), parts.end(), [&](const NamePart& word) {
    return is_word(word) && std::any_of(parts.begin(), parts.end(), [&](const NamePart& other) {
             return other.is_number() && other.label <= word.label + 1 &&
                    word.label <= other.label + 1;
           });
  });
}

// `name` in lower case. What says of itself that it is no dial-up line is none.
inline bool looks_dynamic(std::string_view name, const IpAddress& client) {
  const std::vector<NamePart> parts = parts_of(name);
  for (const NamePart& part : parts)
    if (part.text == "static" || part.text == "fixed" || part.text == "fix") return false;
  return (client.is_v4() && has_octets(parts, client)) || has_whole_address(name, client) ||
         has_word_beside_digits(parts);
}

}  // namespace postern::plugins
