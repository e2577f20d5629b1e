// What a Snapshot is made of: for those who build it.
#pragma once

#include <postern/policy/list_store.hpp>
#include <postern/policy/policy.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::policy {

struct SnapshotData {
  // A list's union over all scopes: see Snapshot::everywhere.
  struct Union {
    InstanceIndex instance;
    std::size_t offset;
    std::shared_ptr<void> elements;
    bool is_cut;  // there were more than max_everywhere
  };

  std::vector<Instance> instances;
  std::deque<Policy> policies;                                   // the site's first; addresses stay
  std::unordered_map<std::string_view, const Policy*> by_scope;  // all but the site's
  bool any_recipient = false;
  std::shared_ptr<ListStore> lists;
  std::vector<Union> unions;

  // The policy of a domain or recipient (its name in lower case), made where there is none yet.
  Policy& add(std::string scope, const Policy& parent);
  const Union& union_of(InstanceIndex instance, std::size_t offset,
                        const detail::UnionAccess& access);
};

}  // namespace postern::policy
