// The local-parts of one domain, and what a MailboxFolder is made of.
#pragma once

#include <postern/policy/lists.hpp>
#include <postern/policy/name_table.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace postern::policy {

class LocalPartTable {
 public:
  // Why `entry` is no local-part; empty: it was added.
  std::string add(std::string_view entry);
  void reserve(std::size_t entries, std::size_t octets) { names_.reserve(entries, octets); }
  void finish() {}

  bool contains(std::string_view local_part) const;  // without quotes, in any case
  std::size_t size() const { return names_.size() + (has_all_ ? 1 : 0); }

  static constexpr bool comment_only_first = false;

 private:
  NameTable names_;
  bool has_all_ = false;  // "*"
};

struct FolderOfMailboxes {
  // By domain, in lower case.
  std::map<std::string, std::shared_ptr<const ListSlot<LocalPartTable>>, std::less<>> domains;
};

}  // namespace postern::policy
