// Which mailboxes there are, from a folder: a file for each domain, named like it, in which each
// line is a local-part, or `*` for all. `#` begins a comment as in lists (lists.hpp).
//
// Files that change, come or go count without a reload, as those of lists do.
#pragma once

#include <postern/policy/codec.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace postern::policy {

struct FolderOfMailboxes;

// A small handle, as lists are.
class MailboxFolder {
 public:
  enum class Answer : std::uint8_t {
    no_such_domain,  // the folder has no file of that name
    listed,
    not_listed,
  };

  // `local_part` without its quotes; the case of neither matters. Allocates nothing for domains and
  // local-parts as short as RFC 5321 section 4.5.3.1 wants them.
  Answer look(std::string_view local_part, std::string_view domain) const;
  bool empty() const { return tables == nullptr; }

  std::shared_ptr<const FolderOfMailboxes> tables;  // null: there is no folder
};

Codec codec(std::type_identity<MailboxFolder>);

}  // namespace postern::policy
