// Address lists: From, To, Cc, Reply-To, Sender, and the URIs of List-* fields (RFC 5322
// section 3.4).
//
// Lenient, since filters must see what a mail program shows, and exact about what it was lenient
// with: an address that is not an addr-spec is told as such, never repaired. Where the parts of an
// address are divided is decided outside quotes and comments only: "x@evil"@good.example is of
// good.example.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

struct Mailbox {
  std::string name;     // the display name, decoded
  std::string comment;  // all comments, decoded, a blank between them
  // The addr-spec without comments, blanks and source route (RFC 5322 section 4.4), quotes kept;
  // or, when it is not well-formed, what stands in its place: a URI, a word.
  std::string address;
  bool well_formed = false;   // an addr-spec, nothing but comments behind it
  std::size_t domain_at = 0;  // where the domain begins in `address`, when it is well-formed
  std::size_t group = npos;   // index into groups

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  std::string_view local_part() const;
  std::string_view domain() const;
};

struct AddressList {
  std::vector<Mailbox> mailboxes;   // in order, those of groups included
  std::vector<std::string> groups;  // their names, decoded, comments behind in parentheses
  bool malformed = false;           // not as RFC 5322 wants it, obsolete syntax (section 4.4) aside
  bool truncated = false;           // there were more than the limit
};

// `value`: of the field, folding included. At most `limit` mailboxes and groups are read.
AddressList parse_addresses(std::string_view value, std::size_t limit = 10'000);

}  // namespace postern::mail
