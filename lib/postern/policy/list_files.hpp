// Lists are re-read when their files change, without a reload and without a new snapshot. The
// reading and the watching are a worker's; what is read is handed over here.
#pragma once

#include <postern/policy/domain_list.hpp>
#include <postern/policy/list_include.hpp>
#include <postern/policy/network_list.hpp>
#include <postern/policy/policy.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::policy {

class LocalPartTable;

// The tables made anew when a file has changed: of the lists that are made from it, and of those
// that include it.
struct RereadList {
  struct Tables {
    std::string path;
    std::shared_ptr<const AddressTable> addresses;
    std::shared_ptr<const PatternTable> patterns;
    std::shared_ptr<const RecipientTable> recipients;
    std::shared_ptr<const LocalPartTable> local_parts;
    std::shared_ptr<const SecretTable> secrets;
    std::shared_ptr<const NetworkTable> networks;
    std::shared_ptr<const DomainTable> domains;
    ListOrigin origin;
  };
  std::vector<Tables> lists;
  // One for each bad line, which is skipped: "/etc/postern/bad:7:1: plugin.file: …".
  std::vector<std::string> problems;
};

// What has come into a folder of mailboxes, and what has gone.
struct RereadFolder {
  struct NewFile {
    std::string domain;
    std::shared_ptr<ListSlot<LocalPartTable>> slot;
    ListOrigin origin;
  };
  std::string path;
  std::vector<NewFile> came;
  std::vector<std::string> gone;  // domains
  std::vector<std::string> problems;
};

class ListFiles {
 public:
  explicit ListFiles(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}

  // Every file that any list of the snapshot is made from, included ones too: absolute, sorted,
  // each once. A folder of included files ends in a slash. install() may change what is included.
  std::vector<std::string> paths() const;

  // Makes the tables, and changes nothing: may run on another thread, where it belongs, since a
  // million lines take some tenths of a second, and files that include each other are read from
  // the disk. `content` is what is at `path` now; of a folder it does not matter. A list of which
  // an included file has gone stays as it is until that is back.
  RereadList read(const std::string& path, std::string_view content) const;

  // From now on those lists have these tables, in all settings. On the loop's thread.
  void install(RereadList lists);

  // The folders with a file of mailboxes for each domain. Of a change in such a file read() tells;
  // of files that came or went the second: it changes nothing, and may run on another thread while
  // nothing is installed.
  std::vector<std::string> folders() const;
  RereadFolder read_folder(const std::string& path) const;
  void install(RereadFolder folder);

  // Both at once; returns the problems.
  std::vector<std::string> replace(const std::string& path, std::string_view content);

 private:
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace postern::policy
