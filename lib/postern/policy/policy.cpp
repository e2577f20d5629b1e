#include <postern/base/text.hpp>
#include <postern/policy/address_key.hpp>
#include <postern/policy/plugin_type.hpp>
#include <postern/policy/policy.hpp>
#include <postern/policy/snapshot_data.hpp>

#include <algorithm>

namespace postern::policy {

Effective::Effective(const PluginType& type)
    : common(type.defaults), type_(&type), settings_(type.make()) {
  settings = settings_;
}

Effective::Effective(const Effective& other)
    : common(other.common), type_(other.type_), settings_(other.type_->copy(other.settings_)) {
  settings = settings_;
}

Effective::~Effective() { type_->destroy(settings_); }

Policy::Policy(std::string scope, const Policy* parent)
    : scope_(std::move(scope)), parent_(parent) {
  if (parent == nullptr) return;
  mixed_ = parent->mixed_;
  score_ = parent->score_;
}

const Effective& Policy::of(InstanceIndex instance) const {
  const Policy* policy = this;
  for (; policy->parent_ != nullptr; policy = policy->parent_)
    for (const Own& own : policy->own_)
      if (own.instance == instance) return *own.effective;
  return *policy->own_[instance].effective;
}

Effective& Policy::override(InstanceIndex instance) {
  const auto at = std::find_if(own_.begin(), own_.end(),
                               [&](const Own& own) { return own.instance >= instance; });
  if (at != own_.end() && at->instance == instance) return *at->effective;
  auto copy = std::make_unique<Effective>(of(instance));
  return *own_.insert(at, Own{instance, std::move(copy)})->effective;
}

Effective& Policy::add(const PluginType& type) {
  own_.push_back({static_cast<InstanceIndex>(own_.size()), std::make_unique<Effective>(type)});
  return *own_.back().effective;
}

Policy& Overlays::add(std::string scope, const Policy& parent) {
  Policy& made = policies.emplace_back(std::move(scope), &parent);
  by_scope.emplace(made.scope(), &made);
  return made;
}

void add_usage(const Policy& policy, std::vector<Snapshot::Usage>& usage) {
  for (const Policy::Own& own : policy.own()) {
    const Mode mode = own.effective->common.mode;
    Snapshot::Usage& of = usage[own.instance];
    of.overridden = of.overridden || policy.parent() != nullptr;
    of.ever_on = of.ever_on || mode != Mode::off;
    of.ever_tags = of.ever_tags || mode == Mode::tag;
  }
}

void SnapshotData::Union::add(const Policy& policy, const detail::UnionAccess& access) {
  for (const Policy::Own& own : policy.own()) {
    if (own.instance != instance || own.effective->common.mode == Mode::off) continue;
    const void* list = static_cast<const char*>(own.effective->settings) + offset;
    for (std::size_t i = 0; i < access.list.size(list) && !is_cut; ++i) {
      const void* element = access.list.at(list, i);
      if (access.has(elements.get(), element)) continue;
      is_cut = access.list.size(elements.get()) >= max_everywhere;
      if (!is_cut) access.push(elements.get(), element);
    }
  }
}

const SnapshotData::Union& SnapshotData::union_of(InstanceIndex instance, std::size_t offset,
                                                  const detail::UnionAccess& access) {
  for (const Union& made : unions)
    if (made.instance == instance && made.offset == offset) return made;
  Union made{instance, offset, access.make(), false};
  made.add(site, access);
  for (const Policy& policy : overlays.policies) made.add(policy, access);
  return unions.emplace_back(std::move(made));
}

// Few domains change between two loads; these are asked before the rest.
struct Snapshot::Changes {
  std::unordered_map<std::string_view, std::shared_ptr<const DomainOverlays>> domains;
  std::vector<SnapshotData::Union> unions;
};

Snapshot::Snapshot(std::shared_ptr<SnapshotData> loaded)
    : data_(std::move(loaded)), usage_(data_->usage) {}

Snapshot::Snapshot(const Snapshot& before,
                   const std::vector<std::shared_ptr<const DomainOverlays>>& domains)
    : data_(before.data_), changes_(std::make_unique<Changes>()), usage_(before.usage_) {
  if (before.changes_) changes_->domains = before.changes_->domains;
  for (const auto& domain : domains) {
    changes_->domains.erase(domain->domain);  // the key is the old one's
    changes_->domains.emplace(domain->domain, domain);
    for (const Policy& policy : domain->policies) add_usage(policy, usage_);
  }
}

Snapshot::~Snapshot() = default;

const Policy& Snapshot::site() const { return data_->site; }

const Policy& Snapshot::of(std::string_view local_part, std::string_view domain) const {
  // With an '@' in it, a domain could be mistaken for a recipient.
  if ((data_->overlays.by_scope.empty() && !changes_) || domain.find('@') != std::string_view::npos)
    return site();
  const AddressKey key(local_part, domain, AddressKey::Quotes::as_written);
  if (key.domain().empty()) return site();
  const Overlays* overlays = &data_->overlays;
  if (changes_)
    if (const auto changed = changes_->domains.find(key.domain());
        changed != changes_->domains.end())
      overlays = changed->second.get();
  if (overlays->any_recipient) {
    const auto recipient = overlays->by_scope.find(key.whole());
    if (recipient != overlays->by_scope.end()) return *recipient->second;
  }
  const auto found = overlays->by_scope.find(key.domain());
  return found == overlays->by_scope.end() ? site() : *found->second;
}

const std::vector<Instance>& Snapshot::instances() const { return data_->instances; }

std::optional<InstanceIndex> SnapshotData::find(std::string_view instance_name) const {
  const auto found =
      std::find_if(instances.begin(), instances.end(),
                   [&](const Instance& instance) { return instance.name == instance_name; });
  if (found == instances.end()) return {};
  return static_cast<InstanceIndex>(found - instances.begin());
}

std::optional<InstanceIndex> Snapshot::find(std::string_view instance_name) const {
  return data_->find(instance_name);
}

// What a domain had before it changed stays in the union of what was loaded, which costs a look-up
// too many at most.
const void* Snapshot::union_of(InstanceIndex instance, std::size_t offset,
                               const detail::UnionAccess& access) const {
  const SnapshotData::Union& loaded = data_->union_of(instance, offset, access);
  if (!changes_) return loaded.elements.get();
  for (const SnapshotData::Union& made : changes_->unions)
    if (made.instance == instance && made.offset == offset) return made.elements.get();
  SnapshotData::Union made{instance, offset, access.make(), loaded.is_cut};
  for (std::size_t i = 0; i < access.list.size(loaded.elements.get()); ++i)
    access.push(made.elements.get(), access.list.at(loaded.elements.get(), i));
  for (const auto& [name, domain] : changes_->domains)
    for (const Policy& policy : domain->policies) made.add(policy, access);
  return changes_->unions.emplace_back(std::move(made)).elements.get();
}

}  // namespace postern::policy
