#include <postern/base/text.hpp>
#include <postern/dns/names.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::dns {
namespace {

tl::unexpected<Error> bad_name(std::string_view name, const char* why) {
  return fail(Errc::malformed, fmt::format("'{}' is not a DNS name: {}", printable(name, 80), why));
}

bool is_host_octet(char c) { return is_alnum(c) || c == '-' || c == '_'; }

// Calls `use` with each label, until it says no.
template <typename Use>
bool each_label(std::string_view name, Use use) {
  for (;;) {
    const auto dot = name.find('.');
    if (!use(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool good_length(std::string_view label) { return !label.empty() && label.size() <= label_octets; }

std::string nibbles(const IpAddress& address) {
  std::string out;
  const auto& octets = address.octets();
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet)
    out += fmt::format("{:x}.{:x}.", *octet & 15, *octet >> 4);
  out.pop_back();
  return out;
}

// Why an address is no listing; null when it is one.
const char* broken_list(const IpAddress& address) {
  const auto& octets = address.octets();
  if (!address.is_v4() || octets[12] != 127)
    return "outside 127.0.0.0/8: the list does not work any more";
  if (octets[13] == 255 && octets[14] == 255)
    return "of 127.255.255.0/24: the list refuses to answer this resolver";
  if (address == IpAddress::v4({127, 0, 0, 1})) return "which lists nothing: the list is broken";
  return nullptr;
}

}  // namespace

std::string reverse_name(const IpAddress& address) {
  if (!address.is_v4()) return nibbles(address);
  const auto& o = address.octets();
  return fmt::format("{}.{}.{}.{}", o[15], o[14], o[13], o[12]);
}

std::string pointer_name(const IpAddress& address) {
  return reverse_name(address) + (address.is_v4() ? ".in-addr.arpa" : ".ip6.arpa");
}

Result<std::string> query_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) return bad_name(name, "it is empty");
  if (name.size() > name_octets) return bad_name(name, "over 253 octets");
  if (!each_label(name, good_length)) return bad_name(name, "a label has 1 to 63 octets");
  const auto odd = [](char c) { return c < ' ' || c > '~'; };  // chars may be negative
  if (std::any_of(name.begin(), name.end(), odd))
    return bad_name(name, "it holds what is not printable ASCII");
  return lower(name);
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > name_octets) return false;
  return each_label(name, [](std::string_view label) {
    return good_length(label) && std::all_of(label.begin(), label.end(), is_host_octet);
  });
}

Result<bool> is_listing(const Result<Answer<IpAddress>>& answer) {
  if (!answer) return fail(answer.error());
  for (const IpAddress& address : answer->records)
    if (const char* why = broken_list(address))
      return fail(Errc::malformed, fmt::format("the list answers {}, {}", address.text(), why));
  return !answer->empty();
}

}  // namespace postern::dns
