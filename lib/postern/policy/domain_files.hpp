// domains/DOMAIN.toml are read again when they change, without a reload. The reading and the
// watching are a worker's; what is read becomes a new snapshot here, for what begins after it.
#pragma once

#include <postern/policy/policy.hpp>

#include <memory>
#include <string>
#include <vector>

namespace postern::policy {

class ListStore;

struct RereadDomain {
  std::string path;
  std::shared_ptr<const DomainOverlays> overlays;  // null: it cannot be used, and nothing changes
  std::shared_ptr<ListStore> lists;                // those that it names and nobody named before
  std::vector<std::string> problems;  // "…/domains/example.net.toml:7:1: plugin.dnsbl.zone: …"
  bool is_gone = false;               // there is no such file: the site's settings hold
};

class DomainFiles {
 public:
  // `snapshot`: any of those that come from one load.
  explicit DomainFiles(const Snapshot& snapshot) : loaded_(snapshot.data()) {}

  // The folder in which they are: absolute.
  std::string folder() const;

  // Reads the file and the lists that it names, and changes nothing: may run on another thread, one
  // at a time.
  RereadDomain read(const std::string& path) const;

  // `now` with what could be used of these. On the loop's thread.
  std::shared_ptr<const Snapshot> install(const Snapshot& now, std::vector<RereadDomain> domains);

 private:
  std::shared_ptr<SnapshotData> loaded_;
};

}  // namespace postern::policy
