// Lists of host and domain names, up to top-level domains. Like the other lists (lists.hpp), with
// a key that names a file; or one that names a directory, whose entries' names are the list.
#pragma once

#include <postern/policy/lists.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace postern::policy {

class DomainTable;

// An entry is "mail.example.net", "example.net" or "net"; a dot before it changes nothing. Case
// does not matter.
class DomainList {
 public:
  // The longest entry that is `name` or a domain it is in: "example.net" for "a.example.net".
  // Empty: there is none. A part of `name`; no dot at the end of it. Allocates nothing.
  std::string_view find(std::string_view name) const;
  // Whether `name` itself is an entry.
  bool contains(std::string_view name) const { return !name.empty() && find(name) == name; }
  bool empty() const { return size() == 0; }
  std::size_t size() const;

  static DomainList of(const std::vector<std::string>& entries);  // of good ones only: for tests

  ListTables<DomainTable> tables;
};

// The same where the key itself names the directory, or a file.
struct DomainDirectory {
  DomainList names;
};

Codec codec(std::type_identity<DomainList>);
Codec file_codec(std::type_identity<DomainList>);
Codec codec(std::type_identity<DomainDirectory>);

}  // namespace postern::policy
