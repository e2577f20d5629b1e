// What a Snapshot is made of: for those who build it.
#pragma once

#include <postern/policy/document.hpp>
#include <postern/policy/list_store.hpp>
#include <postern/policy/policy.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::policy {

// The policies of domains and of their recipients.
struct Overlays {
  std::deque<Policy> policies;                                   // addresses stay
  std::unordered_map<std::string_view, const Policy*> by_scope;  // domain, or address
  bool any_recipient = false;

  // The policy of a domain or recipient (its name in lower case), made where there is none yet.
  Policy& add(std::string scope, const Policy& parent);
};

// Of one domain, read after the rest. Without policies it has none of its own any more.
struct DomainOverlays : Overlays {
  explicit DomainOverlays(std::string name) : domain(std::move(name)) {}
  const std::string domain;
};

// What was loaded; shared by the snapshots that differ from it in some domains.
struct SnapshotData {
  // A list's union over all scopes: see Snapshot::everywhere.
  struct Union {
    InstanceIndex instance;
    std::size_t offset;
    std::shared_ptr<void> elements;
    bool is_cut;  // there were more than max_everywhere

    void add(const Policy& policy, const detail::UnionAccess& access);
  };

  std::vector<Instance> instances;
  Policy site{"site", nullptr};
  Overlays overlays;
  std::shared_ptr<ListStore> lists;
  std::vector<Union> unions;
  std::vector<Snapshot::Usage> usage;  // by instance

  // For domains that are read later: the settings of the site as they were written.
  Value document;
  std::vector<std::string> file_names;  // of its places
  std::string folder;                   // where relative paths start

  std::optional<InstanceIndex> find(std::string_view instance_name) const;
  const Union& union_of(InstanceIndex instance, std::size_t offset,
                        const detail::UnionAccess& access);
};

// Adds what holds in `policy` to the usage of all instances.
void add_usage(const Policy& policy, std::vector<Snapshot::Usage>& usage);

}  // namespace postern::policy
