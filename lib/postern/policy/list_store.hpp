// The tables behind lists: made from the bundle's files once each, and replaced later.
#pragma once

#include <postern/policy/bundle.hpp>
#include <postern/policy/list_files.hpp>
#include <postern/policy/list_include.hpp>
#include <postern/policy/local_parts.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace postern::policy {

struct Reading;
struct Value;

class ListStore {
 public:
  // While it reads, lists are those of `bundle`, whose first file has the number `first_file` in
  // places. What `known` has is not made again.
  explicit ListStore(const Bundle& bundle, std::uint32_t first_file = 0,
                     const ListStore* known = nullptr);
  void forget_bundle();           // before the bundle goes
  void adopt(ListStore&& other);  // what is not here

  // The slot of the file at `path`; null when it could not be read, which is then said at `value`.
  template <typename Table>
  std::shared_ptr<const ListSlot<Table>> slot(const std::string& path, Reading& reading,
                                              const Value& value);

  // The mailboxes in the folder at `path`, a file for each domain; null likewise.
  std::shared_ptr<const FolderOfMailboxes> folder(const std::string& path, Reading& reading,
                                                  const Value& value);

  // "3 entries", or "2 domains" of a folder of mailboxes; empty: no list is made from it.
  std::string size_of(const std::string& path) const;

  std::vector<std::string> paths() const;
  RereadList read(const std::string& path, std::string_view content) const;
  std::vector<std::string> folders() const;
  RereadFolder read_folder(const std::string& path) const;
  void install(RereadFolder folder);
  void install(RereadList lists);

 private:
  struct OfPath {
    std::tuple<std::shared_ptr<ListSlot<AddressTable>>, std::shared_ptr<ListSlot<PatternTable>>,
               std::shared_ptr<ListSlot<RecipientTable>>, std::shared_ptr<ListSlot<SecretTable>>,
               std::shared_ptr<ListSlot<NetworkTable>>, std::shared_ptr<ListSlot<DomainTable>>,
               std::shared_ptr<ListSlot<LocalPartTable>>>
        slots;        // null: no list of this kind is made from it
    std::string key;  // that named it first
  };

  struct Folder {
    std::string key;  // that named it first
    std::shared_ptr<FolderOfMailboxes> mailboxes;
  };

  bool is_made_from(const std::string& list, const std::string& path) const;
  bool lost_any(const std::string& list, const std::vector<File>& files,
                std::vector<std::string>& problems) const;
  void read_again(const std::string& list, const OfPath& of_path, const std::vector<File>& files,
                  RereadList& into) const;

  static void read_new_file(const std::string& path, const std::string& domain,
                            const std::string& key, RereadFolder& into);

  ListTexts in_bundle_;
  const ListStore* known_;
  std::map<std::string, OfPath> slots_;
  // By path. A thread of the pool reads it while the loop goes on.
  std::map<std::string, ListOrigin> origins_;
  mutable std::mutex of_origins_;
  std::map<std::string, Folder> folders_;
};

}  // namespace postern::policy
