// Lists of addresses and patterns: what plugins work from, as `list = […]`, as `file = "…"`, or
// both.
//
// A list is a small handle. What stands in the configuration is shared by its copies; what stands
// in a file is shared by all lists of that file, and replaced for all of them when the file has
// changed (list_files.hpp). All is read and replaced on one thread. Nothing here allocates in a
// look-up of addresses.
//
// Files have one entry a line; `#` begins a comment at the start of a line or after a blank; a bad
// line is told, with its place, and skipped. A bad entry in the configuration is an error.
#pragma once

#include <postern/auth/secret.hpp>
#include <postern/policy/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace postern::smtp {
struct Path;
}

namespace postern::policy {

class AddressTable;
class PatternTable;
class RecipientTable;
class SecretTable;

// The table of one file, as long as any list is made from it.
template <typename Table>
struct ListSlot {
  std::string path;
  std::shared_ptr<const Table> table;  // never null
};

template <typename Table>
struct ListTables {
  std::shared_ptr<const Table> written;         // null: nothing
  std::shared_ptr<const ListSlot<Table>> file;  // null: none
};

// Whose address it is. An entry is one of
//   anna@example.net   this address
//   @example.net       every address of this very domain; so is a bare example.net
//   .example.net       every address of its subdomains; so is @.example.net
//   postmaster         this local-part in any domain, and without one
//   <>                 the null reverse-path
// Local-parts (without their quotes) and domains are compared without regard to ASCII case.
class AddressList {
 public:
  bool contains(const smtp::Path& path) const;
  // `local_part` as a path has it: with quotes if it has any.
  bool contains(std::string_view local_part, std::string_view domain) const;
  bool empty() const { return size() == 0; }
  std::size_t size() const;  // entries

  static AddressList of(const std::vector<std::string>& entries);  // of good ones only: for tests

  ListTables<AddressTable> tables;
};

// Addresses by pattern, each with a text for the reply. A line, or an element of the list, is an
// entry and, after blanks, its text:
//   anna@example.net   this address
//   @example.net       every address of this very domain
//   ^info-\d+@         a regular expression (RE2's syntax), since it holds one of /^$*+!%?\ or,
//                      being no address, of [](){}|,'" (one character alone stands for itself);
//                      it is found anywhere; /…/ may stand around it, and with it blanks in it
// Case does not matter. Of several entries that match, the first counts, and what stands in the
// configuration stands before what stands in a file. Here `#` also begins a comment where the text
// would begin, and nowhere within it.
class PatternList {
 public:
  struct Entry {
    std::string_view text;   // as written, without the reply
    std::string_view reply;  // empty: the plugin's own
  };

  // The first entry that matches; valid until the loop turns. nullptr: none does.
  const Entry* match(std::string_view address) const;
  bool empty() const { return size() == 0; }
  std::size_t size() const;

  static PatternList of(const std::vector<std::string>& entries);  // of good ones only: for tests

  ListTables<PatternTable> tables;
};

// Mailboxes that exist: "anna@example.net" or "@example.net" for all of a domain.
class RecipientList {
 public:
  enum class Answer : std::uint8_t {
    not_listed,   // it says nothing about this domain
    listed,       // the address, or all of its domain
    not_in_list,  // other addresses of this very domain
  };

  Answer look(std::string_view local_part, std::string_view domain) const;
  bool empty() const { return size() == 0; }
  std::size_t size() const;

  static RecipientList of(const std::vector<std::string>& entries);  // of good ones only: for tests

  ListTables<RecipientTable> tables;
};

// Users and what they are known by, "USER:SECRET" each; auth::read_secret() has the forms of a
// secret. Names are compared without regard to ASCII case. No message repeats an entry, and here
// `#` is a comment only at the start of a line.
class SecretList {
 public:
  // Valid until the loop turns. nullptr: no such user. What stands in the configuration stands
  // before what stands in a file.
  const auth::StoredSecret* find(std::string_view user) const;
  // Any of that form, to do the same work for users that there are not; nullptr: there is none.
  const auth::StoredSecret* any_of(auth::StoredSecret::Form form) const;
  std::size_t size() const;
  std::size_t count(auth::StoredSecret::Form form) const;

  static SecretList of(const std::vector<std::string>& entries);  // of good ones only: for tests

  ListTables<SecretTable> tables;
};

Codec codec(std::type_identity<AddressList>);
Codec codec(std::type_identity<PatternList>);
Codec codec(std::type_identity<RecipientList>);
Codec codec(std::type_identity<SecretList>);

// The key beside it that names a file: `list` and `file`, or `senders` and `senders_file`.
Codec file_codec(std::type_identity<AddressList>);
Codec file_codec(std::type_identity<PatternList>);
Codec file_codec(std::type_identity<RecipientList>);
Codec file_codec(std::type_identity<SecretList>);

template <typename T>
concept FromFile = requires {
  file_codec(std::type_identity<T>{});
};

}  // namespace postern::policy
