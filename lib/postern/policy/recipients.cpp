#include <postern/base/text.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/recipients.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace postern::policy {
namespace {

// What a name in the table is; a domain can be several.
constexpr std::uint8_t domain_of_ours = 1;  // by hostname or `domains`
constexpr std::uint8_t every_mailbox = 2;   // by a line "@domain"
constexpr std::uint8_t listed = 4;          // it has addresses in a list
constexpr std::uint8_t address = 8;
constexpr std::uint8_t all_below = 16;  // ".example.net": a pattern, no domain
constexpr std::uint8_t any_domain = domain_of_ours | every_mailbox | listed;

// "local-part@domain" in lower case, on the stack.
class LookupKey {
 public:
  LookupKey(std::string_view local_part, std::string_view domain) {
    if (local_part.size() + domain.size() + 1 > buffer_.size()) return;
    char* end = std::transform(local_part.begin(), local_part.end(), buffer_.begin(), ascii_lower);
    *end++ = '@';
    local_part_octets_ = local_part.size();
    end = std::transform(domain.begin(), domain.end(), end, ascii_lower);
    octets_ = static_cast<std::size_t>(end - buffer_.data());
  }

  // Empty when the address is longer than any in a table.
  std::string_view whole() const { return {buffer_.data(), octets_}; }
  std::string_view local_part() const { return {buffer_.data(), local_part_octets_}; }
  std::string_view domain() const {
    return octets_ == 0 ? std::string_view() : whole().substr(local_part_octets_ + 1);
  }

 private:
  std::array<char, NameTable::max_name_octets> buffer_;
  std::size_t octets_ = 0;
  std::size_t local_part_octets_ = 0;
};

// The local-part as look() gets it: a quoted-string (RFC 5321 section 4.1.2) loses its quotes.
// Empty when it is no local-part.
std::string unquoted(std::string_view local_part) {
  const bool is_quoted =
      local_part.size() >= 2 && local_part.front() == '"' && local_part.back() == '"';
  if (!is_quoted) {
    constexpr std::string_view forbidden = " \t\"(),:;<>@[\\]";
    const bool good = std::none_of(local_part.begin(), local_part.end(), [&](char c) {
      return is_control(c) || forbidden.find(c) != std::string_view::npos;
    });
    return good ? std::string(local_part) : std::string();
  }
  std::string out;
  const std::string_view inner = local_part.substr(1, local_part.size() - 2);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '"') return {};
    if (inner[i] == '\\' && ++i == inner.size()) return {};
    out += inner[i];
  }
  return out;
}

std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i)
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
      return line.substr(0, i);
  return line;
}

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
  const std::string local_part = unquoted(line.substr(0, at));
  if (local_part.empty()) return false;
  const LookupKey key(local_part, domain);
  return names_.add(key.whole(), address) && names_.add(key.domain(), listed);
}

void RecipientTable::add_list(std::string_view content, std::uint32_t file, Problems& problems) {
  const auto lines = static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n')) + 1;
  names_.reserve(lines, content.size());
  for (std::uint32_t number = 1; !content.empty(); ++number) {
    const auto end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view entry = trim(without_comment(line));
    if (entry.empty() || add_recipient(entry)) continue;
    const auto column = static_cast<std::uint32_t>(entry.data() - line.data() + 1);
    problems.note({file, number, column}, "plugin.recipients_file",
                  fmt::format("'{}' is neither an address nor @domain; the line is skipped",
                              printable(entry, 80)));
  }
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
  const LookupKey key(local_part, domain);
  // Too long to be listed, and longer than RFC 5321 section 4.5.3.1 allows for a path.
  if (key.whole().empty()) return Answer::relaying_denied;
  const std::uint8_t flags = names_.find(key.domain());
  if (!is_ours(key.domain(), flags)) return Answer::relaying_denied;
  if (key.local_part() == "postmaster" || key.local_part() == "abuse") return Answer::accepted;
  if ((flags & every_mailbox) != 0 || (flags & listed) == 0) return Answer::accepted;
  return (names_.find(key.whole()) & address) != 0 ? Answer::accepted : Answer::unknown_recipient;
}

RecipientTable build_recipients(const Configuration& configuration, const Bundle& bundle,
                                Problems& problems) {
  RecipientTable table;
  if (!configuration.hostname.empty()) table.add_domain(configuration.hostname);
  std::set<const File*> added;  // a list that two blocks name is read, and complained about, once
  for (const PluginBlock& block : configuration.plugins) {
    if (block.use == "rcpt_accept") table.accept_everything();
    for (const DomainPattern& domain : block.domains) table.add_domain(domain.text);
    if (block.recipients_file.empty()) continue;
    const File* file = bundle.find_list(block.recipients_file.text);
    if (file != nullptr && file->error.empty() && added.insert(file).second)
      table.add_list(file->content, static_cast<std::uint32_t>(file - bundle.files.data()),
                     problems);
  }
  return table;
}

}  // namespace postern::policy
