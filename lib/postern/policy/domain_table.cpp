#include <postern/base/text.hpp>
#include <postern/policy/domain_table.hpp>
#include <postern/policy/names.hpp>

#include <algorithm>
#include <array>

namespace postern::policy {

std::string DomainTable::add(std::string_view entry) {
  if (entry.starts_with('.')) entry.remove_prefix(1);
  const std::string_view fault = fault_of_domain(entry);
  if (!fault.empty()) return "is no domain: it " + std::string(fault);
  return names_.add(lower(entry), 1) ? std::string() : std::string("is too long");
}

std::string_view DomainTable::find(std::string_view name) const {
  std::array<char, NameTable::max_name_octets> buffer;
  if (names_.size() == 0 || name.size() > buffer.size()) return {};
  std::transform(name.begin(), name.end(), buffer.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string_view key(buffer.data(), name.size());
  for (std::size_t at = 0; at < key.size();) {
    if (names_.find(key.substr(at)) != 0) return name.substr(at);
    const auto dot = key.find('.', at);
    if (dot == std::string_view::npos) break;
    at = dot + 1;
  }
  return {};
}

}  // namespace postern::policy
