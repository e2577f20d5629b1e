// What cannot be known in time: an exemption by the sender where a refusal takes effect at connect,
// a domain's override where it takes effect before the recipient is known.
#include <postern/base/text.hpp>
#include <postern/policy/snapshot_builder.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::policy {
namespace {

// The first step at which a refusal of the instance can take effect.
Stage first_effect(const PluginType& type, const Effective& effective) {
  return std::max(type.earliest, effective.common.enforce_at);
}

struct Known {
  std::string_view key;
  std::string_view what;
  Stage from;
  bool (*is_set)(const Exempt& exempt);
};

// Since when a client, message or recipient can be told by the keys of `exempt`. Clients
// authenticate after EHLO and before MAIL; that a client may relay is known from its address, or
// then.
constexpr Known known[] = {
    {"helo", "the name in HELO", Stage::helo, [](const Exempt& e) { return !e.helo.empty(); }},
    {"authenticated", "authentication", Stage::mail,
     [](const Exempt& e) { return e.authenticated; }},
    {"senders", "the sender", Stage::mail, [](const Exempt& e) { return !e.senders.empty(); }},
    {"recipients", "the recipient", Stage::rcpt,
     [](const Exempt& e) { return !e.recipients.empty(); }},
};

const Value* find(const Value* table, std::string_view key, std::string_view inner) {
  if (table == nullptr) return nullptr;
  const Entry* entry = table->find(key);
  if (entry == nullptr) return nullptr;
  if (inner.empty()) return &entry->value;
  for (const std::string& name : {std::string(inner), std::string(inner) + "_file"})
    if (const Entry* found = entry->value.find(name)) return &found->value;
  return nullptr;
}

}  // namespace

// Where a key stands, or else its table.
Place SnapshotBuilder::place_of(const Written& written, std::string_view key,
                                std::string_view inner) const {
  const Value* found = find(written.block, key, inner);
  if (found == nullptr) found = find(defaults_, key, inner);
  return found == nullptr ? written.block->place : found->place;
}

void SnapshotBuilder::check_site_stages() {
  const Policy& site = data_.site;
  for (std::size_t i = 0; i < data_.instances.size(); ++i) {
    const auto index = static_cast<InstanceIndex>(i);
    check_instance(index, site.of(index), {blocks_[i], "plugin"}, false, site.score());
  }
}

void SnapshotBuilder::check_instance(InstanceIndex instance, const Effective& effective,
                                     const Written& written, bool is_override, const Score& score) {
  const Instance& which = data_.instances[instance];
  const Common& common = effective.common;
  const Value* enforce_at = find(written.block, "enforce_at", "");
  if (enforce_at != nullptr && common.enforce_at != Stage::now &&
      common.enforce_at < which.type->earliest)
    problems_.add(enforce_at->place, written.path + ".enforce_at",
                  fmt::format("{} decides at {}, which is later; write \"now\", or remove it",
                              which.type->name, step_of(which.type->earliest)));
  if (is_override && std::max(which.type->latest, common.enforce_at) < Stage::rcpt)
    problems_.add(written.block->place, written.path,
                  fmt::format("comes too late: {} takes effect at {}, before the recipient is "
                              "known; set enforce_at = \"rcpt\" in its [[plugin]] block",
                              which.name, step_of(first_effect(*which.type, effective))));
  if (common.mode == Mode::off) return;
  if (common.mode == Mode::score && score.empty())
    problems_.add(place_of(written, "mode"), written.path + ".mode",
                  "\"score\" needs a table [score] with defer_at, reject_at or both");
  check_exemptions(instance, effective, written);
}

void SnapshotBuilder::check_exemptions(InstanceIndex instance, const Effective& effective,
                                       const Written& written) {
  const bool is_override = written.block != blocks_[instance];
  const Instance& which = data_.instances[instance];
  const Stage at = first_effect(*which.type, effective);
  const bool is_off_at_site = data_.site.of(instance).common.mode == Mode::off;
  for (const Known& kind : known) {
    if (at >= kind.from || !kind.is_set(effective.common.exempt)) continue;
    const Value* own = find(written.block, "exempt", kind.key);
    if (own == nullptr && find(blocks_[instance], "exempt", kind.key) == nullptr) {
      const bool is_default = find(defaults_, "exempt", kind.key) != nullptr;  // or the plugin's
      if (is_default && !is_override) moot_[std::string(kind.key)].push_back(which.name);
      continue;
    }
    // An override that changes the stage, or switches the instance on, makes the block's exemption
    // its own affair.
    if (own == nullptr) own = find(written.block, "enforce_at", "");
    if (own == nullptr && is_off_at_site) own = find(written.block, "mode", "");
    if (own == nullptr) continue;  // said of the block
    problems_.add(own->place, fmt::format("{}.exempt.{}", written.path, kind.key),
                  fmt::format("{} is not known yet at {}, where {} refuses; set enforce_at = "
                              "\"{}\" or later, or remove it",
                              kind.what, step_of(at), which.name, step_of(kind.from)));
  }
  check_passed(instance, effective, written, at);
}

void SnapshotBuilder::check_passed(InstanceIndex instance, const Effective& effective,
                                   const Written& written, Stage at) {
  const Value* own = find(written.block, "exempt", "passed");
  const bool is_default = own == nullptr && find(defaults_, "exempt", "passed") != nullptr;
  const bool is_plugins_own = own == nullptr && !is_default;  // for where there is such an instance
  if (own == nullptr && written.block != blocks_[instance]) return;  // said of the block
  for (const std::string& name : effective.common.exempt.passed) {
    const Place place = place_of(written, "exempt", "passed");
    const std::string path =
        is_default ? "plugin_defaults.exempt.passed" : written.path + ".exempt.passed";
    const auto other = data_.find(name);
    if (!other && is_plugins_own) continue;
    if (!other) {
      std::vector<std::string> names;
      for (const Instance& there : data_.instances) names.push_back(there.name);
      // Once is enough where it was said for all.
      if (!is_default || instance == 0)
        problems_.add(place, path,
                      fmt::format("no [[plugin]] block is named '{}'; {}", printable(name, 64),
                                  choice_hint(name, names)));
      continue;
    }
    if (is_default && *other == instance) continue;
    const Instance& voucher = data_.instances[*other];
    const bool in_time =
        voucher.type->earliest < at || (voucher.type->earliest == at && *other < instance);
    if (in_time) continue;
    if (is_default)
      moot_["passed"].push_back(data_.instances[instance].name);
    else if (is_plugins_own)
      problems_.note(place, path,
                     fmt::format("{} decides after {}, and so exempts nobody from it", name,
                                 data_.instances[instance].name));
    else if (*other == instance)
      problems_.add(place, path, "an instance cannot vouch for itself");
    else
      problems_.add(
          place, path,
          fmt::format("{} decides at {}, after {} has refused; {}", name,
                      step_of(voucher.type->earliest), data_.instances[instance].name,
                      voucher.type->earliest == at ? "put its [[plugin]] block first"
                                                   : "set a later enforce_at, or remove it"));
  }
}

// An exemption that is meant for all is no mistake where it comes too late for some.
void SnapshotBuilder::note_moot_defaults() {
  for (const auto& [key, instances] : moot_) {
    const Value* written = find(defaults_, "exempt", key);
    problems_.note(written->place, "plugin_defaults.exempt." + key,
                   fmt::format("is not known in time for {}, which refuse before; it has no effect "
                               "on them",
                               fmt::join(instances, ", ")));
  }
  moot_.clear();
}

}  // namespace postern::policy
