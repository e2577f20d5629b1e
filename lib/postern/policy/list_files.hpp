// Lists are re-read when their files change, without a reload and without a new snapshot. The
// reading and the watching are a worker's; what is read is handed over here.
#pragma once

#include <postern/policy/domain_list.hpp>
#include <postern/policy/network_list.hpp>
#include <postern/policy/policy.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::policy {

// The tables made from one file's new content.
struct RereadList {
  std::string path;
  std::shared_ptr<const AddressTable> addresses;
  std::shared_ptr<const PatternTable> patterns;
  std::shared_ptr<const RecipientTable> recipients;
  std::shared_ptr<const SecretTable> secrets;
  std::shared_ptr<const NetworkTable> networks;
  std::shared_ptr<const DomainTable> domains;
  // One for each bad line, which is skipped: "/etc/postern/bad:7:1: plugin.file: …".
  std::vector<std::string> problems;
};

class ListFiles {
 public:
  explicit ListFiles(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}

  // Every file that any list of the snapshot is made from: absolute, sorted, each once.
  std::vector<std::string> paths() const;

  // Makes the tables, and changes nothing: may run on another thread, where it belongs, since a
  // million lines take some tenths of a second.
  RereadList read(const std::string& path, std::string_view content) const;

  // From now on the lists of that file have these tables, in all settings. On the loop's thread.
  void install(RereadList list);

  // Both at once; returns the problems.
  std::vector<std::string> replace(const std::string& path, std::string_view content);

 private:
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace postern::policy
