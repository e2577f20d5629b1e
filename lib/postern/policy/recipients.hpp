// Which recipients are ours: the built-in table behind the plugins rcpt_ok and rcpt_accept.
//
// The rules, in this order:
//   1. `postmaster` without a domain is accepted (RFC 5321 section 4.5.1), nothing else without one
//   is.
//   2. With rcpt_accept every recipient is accepted.
//   3. A domain is ours when it is our hostname, when `domains` names it or, as ".example.net", a
//   domain
//      above it, or when a recipients_file has a line for it. Mail to any other is relaying_denied.
//   4. postmaster and abuse of our domains are accepted (RFC 2142).
//   5. A line "@example.net" accepts every local-part of that very domain.
//   6. Where a recipients_file has addresses of that very domain, only they are accepted; another
//      local-part is an unknown_recipient.
//   7. Otherwise every local-part of our domains is accepted.
// Domains and local-parts are compared without regard to ASCII case.
#pragma once

#include <postern/policy/lists.hpp>
#include <postern/policy/name_table.hpp>
#include <postern/policy/problem.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::policy {

class RecipientTable {
 public:
  enum class Answer : std::uint8_t {
    accepted,
    unknown_recipient,  // 550 5.1.1: the domain is ours, the mailbox is not
    relaying_denied,    // 550 5.7.1: not our domain
  };

  // `local_part` without quotes and backslashes, `domain` without a last dot; both as received
  // otherwise. Allocates nothing; of the order of 100 ns whatever the number of recipients.
  Answer look(std::string_view local_part, std::string_view domain) const;

  void accept_everything() { accepts_everything_ = true; }
  void add_domain(std::string_view pattern);  // "example.net" or ".example.net"

  // Adds "local-part@domain" or "@domain". False: it is neither.
  bool add_recipient(std::string_view line);

  // Adds the lines of a list: `#` begins a comment at the start of a line or after a blank. A bad
  // line is noted with its place and skipped. `file` is the list's index in the bundle.
  void add_list(std::string_view content, std::uint32_t file, Problems& problems);

  std::size_t size() const { return names_.size(); }

  // As the table of a RecipientList. Why `entry` is none; empty: it was added.
  std::string add(std::string_view entry);
  void add_all(const RecipientTable& other);
  void reserve(std::size_t entries, std::size_t octets) { names_.reserve(entries, octets); }
  void finish() {}
  RecipientList::Answer listed(std::string_view local_part, std::string_view domain) const;

  static constexpr bool comment_only_first = false;

 private:
  bool is_ours(std::string_view domain, std::uint8_t flags) const;

  NameTable names_;  // domains, ".suffixes" and addresses: only the last have an '@'
  bool accepts_everything_ = false;
};

}  // namespace postern::policy
