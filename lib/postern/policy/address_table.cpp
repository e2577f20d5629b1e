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

std::string AddressTable::add(std::string_view entry) {
  const auto added = [](bool good) { return good ? std::string() : std::string("is too long"); };
  if (!valid_utf8(entry)) return no_entry;
  if (entry == "<>") return added(names_.add("@", null_path));
  const auto at = entry.rfind('@');
  std::string_view domain = at == std::string_view::npos ? entry : entry.substr(at + 1);
  const bool has_local_part = at != std::string_view::npos && at > 0;
  if (!has_local_part && domain.starts_with('.')) {
    if (!fault_of_domain(domain.substr(1)).empty()) return no_entry;
    has_suffixes_ = true;
    return added(names_.add(lower(domain), all_below));
  }
  if (at == std::string_view::npos && domain.find('.') == std::string_view::npos) {
    const std::string local_part = unquoted_local_part(entry);
    if (local_part.empty()) return no_entry;
    return added(names_.add(lower(local_part) + '@', any_domain));
  }
  if (!is_domain_of_list(domain)) return no_entry;
  if (!has_local_part) return added(names_.add(lower(domain), domain_itself));
  const std::string local_part = unquoted_local_part(entry.substr(0, at));
  if (local_part.empty()) return no_entry;
  const AddressKey key(local_part, domain, AddressKey::Quotes::removed);
  return added(names_.add(key.whole(), address));
}

bool AddressTable::contains(std::string_view local_part, std::string_view domain) const {
  if (names_.size() == 0) return false;
  if (local_part.empty() && domain.empty()) return (names_.find("@") & null_path) != 0;
  const AddressKey key(local_part, domain, AddressKey::Quotes::as_written);
  if (key.whole().empty()) return false;
  if ((names_.find(key.whole()) & address) != 0) return true;
  if ((names_.find(key.domain()) & domain_itself) != 0) return true;
  if ((names_.find(key.local_part_and_at()) & any_domain) != 0) return true;
  if (!has_suffixes_) return false;
  const std::string_view name = key.domain();
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1))
    if (dot > 0 && (names_.find(name.substr(dot)) & all_below) != 0) return true;
  return false;
}

}  // namespace postern::policy
