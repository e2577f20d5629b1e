// The instances of a worker's plugins in configuration order, and their functions hook by hook.
#pragma once

#include <postern/coro/list.hpp>
#include <postern/plugin/entry.hpp>
#include <postern/plugin/run.hpp>
#include <postern/plugin/services.hpp>

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern {
class Log;
namespace dns {
class Resolver;
}
namespace store {
class Store;
}
}  // namespace postern

namespace postern::plugin {

class Plugin;

// What is wrong with the instances as a whole, to be told where the block of `instance` stands.
struct Mismatch {
  policy::InstanceIndex instance;
  std::string text;
};

class Lineup {
 public:
  using Instances = std::vector<std::unique_ptr<Plugin>>;

  // `plugins` in the order of `snapshot`'s instances; asks each what it hooks into.
  Lineup(coro::Scheduler& scheduler, Log& log, dns::Resolver& resolver,
         std::shared_ptr<const policy::Snapshot> snapshot, Instances plugins);
  ~Lineup();
  Lineup(const Lineup&) = delete;
  Lineup& operator=(const Lineup&) = delete;

  // Needs without a maker, circles, facts that two plugins give different shapes. Empty: it can
  // run.
  std::vector<Mismatch> check() const;

  const policy::Snapshot& snapshot() const { return *snapshot_; }
  std::shared_ptr<const policy::Snapshot> pin() const { return snapshot_; }
  // From now on new sessions and transactions have these settings, of the same instances.
  void replace(std::shared_ptr<const policy::Snapshot> snapshot);

  bool empty(Hook hook) const { return at(hook).all.empty() && at(hook).chain.empty(); }
  // What is called at `hook`, in order.
  const std::vector<const Entry*>& entries(Hook hook) const { return at(hook).all; }
  // The decisions and judgements that may take effect at `hook`: its own, and earlier ones that
  // may be put off to it.
  const std::vector<const Entry*>& chain(Hook hook) const { return at(hook).chain; }

  // Whether anybody's settings differ from the site's; whether it is on for anybody.
  bool overridden(policy::InstanceIndex instance) const { return instances_[instance].overridden; }
  bool ever_on(policy::InstanceIndex instance) const { return instances_[instance].ever_on; }
  bool ever_tags() const { return ever_tags_; }

  std::string_view instance_name(policy::InstanceIndex instance) const;
  Plugin& plugin(policy::InstanceIndex instance) const;
  std::size_t size() const { return instances_.size(); }
  Services& services() { return services_; }
  Log& log() const { return log_; }
  coro::Scheduler& scheduler() const { return scheduler_; }
  dns::Resolver& resolver() const { return resolver_; }
  // Where plugins keep what lasts: there is none before use().
  store::Store& store() const { return *store_; }
  void use(store::Store& store) { store_ = &store; }

  // Entries that make `type`, whoever they belong to.
  std::vector<const Entry*> makers(const FactType& type) const;
  // Runs of `scope`, and of those within it, that still wait for their turn never get it.
  void drop_queued(const HookScope& scope);
  // Whether `instance` has declared that it awaits `type`.
  bool may_await(std::string_view owner, const FactType& type) const;

 private:
  friend class Run;
  struct Instance {
    std::unique_ptr<Plugin> plugin;
    std::string name;
    bool overridden = false;
    bool ever_on = false;
    coro::List<Run, QueuedTag> queue;  // in the order in which they came
    coro::List<Run, QueuedTag> running;
    bool starting = false;
  };
  struct AtHook {
    std::vector<const Entry*> all;
    std::vector<const Entry*> chain;
  };
  const AtHook& at(Hook hook) const { return hooks_[static_cast<std::size_t>(hook)]; }
  void order();
  bool has_turn(const Run& run) const;
  bool may_start(Run& run);  // else it is queued
  void ended(const Run& run);
  void complain(const Run& run) const;
  void start_queued(Instance& instance);

  coro::Scheduler& scheduler_;
  Log& log_;
  dns::Resolver& resolver_;
  store::Store* store_;
  std::shared_ptr<const policy::Snapshot> snapshot_;
  std::deque<Instance> instances_;
  std::deque<Entry> entries_;
  std::array<AtHook, hook_count> hooks_;
  Services services_;
  bool ever_tags_ = false;
};

// The stage at which a refusal of `entry` takes effect under `common`: its own hook, or later.
Hook takes_effect_at(const Entry& entry, const policy::Common& common);

}  // namespace postern::plugin
