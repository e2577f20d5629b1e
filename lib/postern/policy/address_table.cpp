#include <postern/base/text.hpp>
#include <postern/policy/address_key.hpp>
#include <postern/policy/address_table.hpp>
#include <postern/policy/names.hpp>
#include <postern/smtp/domain.hpp>

namespace postern::policy {
namespace {

// What a name in the table is. Only whole addresses and local-parts have an '@' in it, the latter
// at their end; the null reverse-path is "@".
constexpr std::uint8_t address = 1;
constexpr std::uint8_t domain_itself = 2;
constexpr std::uint8_t all_below = 4;  // ".example.net"
constexpr std::uint8_t any_domain = 8;
constexpr std::uint8_t null_path = 16;

constexpr const char* no_entry =
    "is neither an address, @domain, .domain nor a local-part without domain";

bool is_domain_of_list(std::string_view domain) {
  return fault_of_domain(domain).empty() || smtp::is_address_literal(domain);
}

}  // namespace

std::string AddressTable::add_name(std::string_view name, std::uint8_t kind) {
  if (!names_.add(name, kind)) return "is too long";
  kinds_ |= kind;
  return {};
}

std::string AddressTable::add(std::string_view entry) {
  if (!valid_utf8(entry)) return no_entry;
  if (entry == "<>") return add_name("@", null_path);
  const auto at = entry.rfind('@');
  std::string_view domain = at == std::string_view::npos ? entry : entry.substr(at + 1);
  const bool has_local_part = at != std::string_view::npos && at > 0;
  if (!has_local_part && domain.starts_with('.')) {
    if (!fault_of_domain(domain.substr(1)).empty()) return no_entry;
    return add_name(lower(domain), all_below);
  }
  if (at == std::string_view::npos && domain.find('.') == std::string_view::npos) {
    const std::string local_part = unquoted_local_part(entry);
    if (local_part.empty()) return no_entry;
    return add_name(lower(local_part) + '@', any_domain);
  }
  if (!is_domain_of_list(domain)) return no_entry;
  if (!has_local_part) return add_name(lower(domain), domain_itself);
  const std::string local_part = unquoted_local_part(entry.substr(0, at));
  if (local_part.empty()) return no_entry;
  const AddressKey key(local_part, domain, AddressKey::Quotes::removed);
  return add_name(key.whole(), address);
}

bool AddressTable::contains(std::string_view local_part, std::string_view domain) const {
  if (local_part.empty() && domain.empty()) return (kinds_ & null_path) != 0;
  if (kinds_ == 0) return false;
  const AddressKey key(local_part, domain, AddressKey::Quotes::as_written);
  if (key.whole().empty()) return false;
  const auto is = [&](std::string_view name, std::uint8_t kind) {
    return (kinds_ & kind) != 0 && (names_.find(name) & kind) != 0;
  };
  if (is(key.whole(), address) || is(key.domain(), domain_itself)) return true;
  if (is(key.local_part_and_at(), any_domain)) return true;
  if ((kinds_ & all_below) == 0) return false;
  const std::string_view name = key.domain();
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1))
    if (dot > 0 && is(name.substr(dot), all_below)) return true;
  return false;
}

}  // namespace postern::policy
