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

Policy& SnapshotData::add(std::string scope, const Policy& parent) {
  Policy& made = policies.emplace_back(std::move(scope), &parent);
  by_scope.emplace(made.scope(), &made);
  return made;
}

const SnapshotData::Union& SnapshotData::union_of(InstanceIndex instance, std::size_t offset,
                                                  const detail::UnionAccess& access) {
  for (const Union& made : unions)
    if (made.instance == instance && made.offset == offset) return made;
  Union made{instance, offset, access.make(), false};
  const auto add_all = [&](const Effective& effective) {
    if (effective.common.mode == Mode::off) return;
    const void* list = static_cast<const char*>(effective.settings) + offset;
    for (std::size_t i = 0; i < access.list.size(list); ++i) {
      const void* element = access.list.at(list, i);
      if (access.has(made.elements.get(), element)) continue;
      made.is_cut = access.list.size(made.elements.get()) >= max_everywhere;
      if (made.is_cut) return;
      access.push(made.elements.get(), element);
    }
  };
  for (const Policy& policy : policies)
    for (const Policy::Own& own : policy.own())
      if (own.instance == instance && !made.is_cut) add_all(*own.effective);
  return unions.emplace_back(std::move(made));
}

Snapshot::Snapshot() : data_(std::make_unique<SnapshotData>()) {
  data_->policies.emplace_back("site", nullptr);
}

Snapshot::~Snapshot() = default;

const Policy& Snapshot::site() const { return data_->policies.front(); }

const Policy& Snapshot::of(std::string_view local_part, std::string_view domain) const {
  // With an '@' in it, a domain could be mistaken for a recipient.
  if (data_->by_scope.empty() || domain.find('@') != std::string_view::npos) return site();
  const AddressKey key(local_part, domain, AddressKey::Quotes::as_written);
  if (key.domain().empty()) return site();
  if (data_->any_recipient) {
    const auto recipient = data_->by_scope.find(key.whole());
    if (recipient != data_->by_scope.end()) return *recipient->second;
  }
  const auto found = data_->by_scope.find(key.domain());
  return found == data_->by_scope.end() ? site() : *found->second;
}

const std::vector<Instance>& Snapshot::instances() const { return data_->instances; }

std::optional<InstanceIndex> Snapshot::find(std::string_view instance_name) const {
  const auto& all = data_->instances;
  const auto found = std::find_if(all.begin(), all.end(), [&](const Instance& instance) {
    return instance.name == instance_name;
  });
  if (found == all.end()) return {};
  return static_cast<InstanceIndex>(found - all.begin());
}

const void* Snapshot::union_of(InstanceIndex instance, std::size_t offset,
                               const detail::UnionAccess& access) const {
  return data_->union_of(instance, offset, access).elements.get();
}

Snapshot::Usage Snapshot::usage(InstanceIndex instance) const {
  Usage usage;
  for (const Policy& policy : data_->policies) {
    for (const Policy::Own& own : policy.own()) {
      if (own.instance != instance) continue;
      const Mode mode = own.effective->common.mode;
      usage.overridden = usage.overridden || policy.parent() != nullptr;
      usage.ever_on = usage.ever_on || mode != Mode::off;
      usage.ever_tags = usage.ever_tags || mode == Mode::tag;
    }
  }
  return usage;
}

}  // namespace postern::policy
