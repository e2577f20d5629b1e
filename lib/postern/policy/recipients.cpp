#include <postern/base/text.hpp>
#include <postern/policy/address_key.hpp>
#include <postern/policy/list_lines.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/recipients.hpp>

#include <fmt/format.h>

namespace postern::policy {
namespace {

// What a name in the table is; a domain can be several.
constexpr std::uint8_t domain_of_ours = 1;  // by hostname or `domains`
constexpr std::uint8_t every_mailbox = 2;   // by a line "@domain"
constexpr std::uint8_t listed_some = 4;     // it has addresses in a list
constexpr std::uint8_t address = 8;
constexpr std::uint8_t all_below = 16;  // ".example.net": a pattern, no domain
constexpr std::uint8_t any_domain = domain_of_ours | every_mailbox | listed_some;

}  // namespace

void RecipientTable::add_domain(std::string_view pattern) {
  names_.add(lower(pattern), pattern.starts_with('.') ? all_below : domain_of_ours);
}

bool RecipientTable::add_recipient(std::string_view line) {
  const auto at = line.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::string_view domain = line.substr(at + 1);
  if (!fault_of_domain(domain).empty() || !valid_utf8(line)) return false;
  if (at == 0) return names_.add(lower(domain), every_mailbox);
  const std::string local_part = unquoted_local_part(line.substr(0, at));
  if (local_part.empty()) return false;
  const AddressKey key(local_part, domain, AddressKey::Quotes::removed);
  return names_.add(key.whole(), address) && names_.add(key.domain(), listed_some);
}

std::string RecipientTable::add(std::string_view entry) {
  return add_recipient(entry) ? "" : "is neither an address nor @domain";
}

void RecipientTable::add_all(const RecipientTable& other) {
  names_.reserve(other.names_.size(), other.names_.octets());
  other.names_.each([](void* into, std::string_view name,
                       std::uint8_t flags) { static_cast<NameTable*>(into)->add(name, flags); },
                    &names_);
}

void RecipientTable::add_list(std::string_view content, std::uint32_t file, Problems& problems) {
  reserve(count_lines(content), content.size());
  each_line(content, Comments::after_blanks,
            [&](std::string_view entry, std::uint32_t line, std::uint32_t column) {
              if (add_recipient(entry)) return;
              problems.note(
                  {file, line, column}, "plugin.recipients_file",
                  fmt::format("'{}' is neither an address nor @domain; the line is skipped",
                              printable(entry, 80)));
            });
}

RecipientList::Answer RecipientTable::listed(std::string_view local_part,
                                             std::string_view domain) const {
  using Listed = RecipientList::Answer;
  const AddressKey key(local_part, domain, AddressKey::Quotes::as_written);
  if (key.domain().empty()) return Listed::not_listed;
  const std::uint8_t flags = names_.find(key.domain());
  if ((flags & every_mailbox) != 0) return Listed::listed;
  if ((flags & listed_some) == 0) return Listed::not_listed;
  return (names_.find(key.whole()) & address) != 0 ? Listed::listed : Listed::not_in_list;
}

bool RecipientTable::is_ours(std::string_view domain, std::uint8_t flags) const {
  if ((flags & any_domain) != 0) return true;
  for (auto dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.', dot + 1))
    if (dot > 0 && (names_.find(domain.substr(dot)) & all_below) != 0) return true;
  return false;
}

RecipientTable::Answer RecipientTable::look(std::string_view local_part,
                                            std::string_view domain) const {
  if (domain.empty())
    return iequals(local_part, "postmaster") ? Answer::accepted : Answer::relaying_denied;
  if (accepts_everything_) return Answer::accepted;
  const AddressKey key(local_part, domain, AddressKey::Quotes::removed);
  // Too long to be listed, and longer than RFC 5321 section 4.5.3.1 allows for a path.
  if (key.whole().empty()) return Answer::relaying_denied;
  const std::uint8_t flags = names_.find(key.domain());
  if (!is_ours(key.domain(), flags)) return Answer::relaying_denied;
  if (key.local_part() == "postmaster" || key.local_part() == "abuse") return Answer::accepted;
  if ((flags & every_mailbox) != 0 || (flags & listed_some) == 0) return Answer::accepted;
  return (names_.find(key.whole()) & address) != 0 ? Answer::accepted : Answer::unknown_recipient;
}

}  // namespace postern::policy
