#include <postern/base/log.hpp>
#include <postern/plugin/hooks.hpp>
#include <postern/plugin/lineup.hpp>
#include <postern/plugin/plugin.hpp>
#include <postern/store/store.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace postern::plugin {
namespace {

using policy::InstanceIndex;
using policy::Stage;

Hook hook_of(Stage stage) {
  switch (stage) {
    case Stage::now:
      return Hook::admit;
    case Stage::helo:
      return Hook::helo;
    case Stage::mail:
      return Hook::mail;
    case Stage::rcpt:
      return Hook::rcpt;
    case Stage::data:
      return Hook::data;
    case Stage::message:
      return Hook::message;
  }
  return Hook::message;
}

bool contains(const std::vector<const FactType*>& types, const FactType& type) {
  return std::any_of(types.begin(), types.end(),
                     [&](const FactType* each) { return each->id == type.id; });
}

bool makes(const Entry& entry, const FactType& type) {
  return (entry.finding && entry.finding->id == type.id) || contains(entry.makes, type);
}

bool decides(const Entry& entry) { return entry.shape == Shape::decision || entry.judge; }

// Where refusals can be put off to.
bool is_later_stage(Hook hook) {
  return hook == Hook::helo || hook == Hook::mail || hook == Hook::rcpt || hook == Hook::data ||
         hook == Hook::message;
}

const HookScope* client_of(const HookScope& scope) {
  const HookScope* s = &scope;
  while (s->kind() != ScopeKind::client && s->outer()) s = s->outer();
  return s;
}

bool is_within(const HookScope* scope, const HookScope& around) {
  while (scope && scope != &around) scope = scope->outer();
  return scope != nullptr;
}

}  // namespace

Hook takes_effect_at(const Entry& entry, const policy::Common& common) {
  const Hook own = entry.hook == Hook::headers ? Hook::message : entry.hook;
  return std::max(own, hook_of(common.enforce_at));
}

Lineup::Lineup(coro::Scheduler& scheduler, Log& log, dns::Resolver& resolver,
               std::shared_ptr<const policy::Snapshot> snapshot, Instances plugins)
    : scheduler_(scheduler),
      log_(log),
      resolver_(resolver),
      store_(&store::no_store()),
      snapshot_(std::move(snapshot)) {
  for (std::size_t i = 0; i < plugins.size(); ++i) {
    Instance& instance = instances_.emplace_back();
    instance.plugin = std::move(plugins[i]);
    instance.name = snapshot_->instances()[i].name;
    instance.plugin->lineup_ = this;
    instance.plugin->instance_ = static_cast<InstanceIndex>(i);
    Hooks hooks(*instance.plugin, static_cast<InstanceIndex>(i), entries_, services_);
    instance.plugin->setup(hooks);
  }
  order();
  replace(snapshot_);
}

Lineup::~Lineup() = default;

void Lineup::replace(std::shared_ptr<const policy::Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  ever_tags_ = false;
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    const auto usage = snapshot_->usage(static_cast<InstanceIndex>(i));
    instances_[i].overridden = usage.overridden;
    instances_[i].ever_on = usage.ever_on;
    ever_tags_ = ever_tags_ || usage.ever_tags;
  }
}

// Entries stand in configuration order already.
void Lineup::order() {
  for (const Entry& entry : entries_) {
    hooks_[static_cast<std::size_t>(entry.hook)].all.push_back(&entry);
    if (!decides(entry)) continue;
    const auto first = static_cast<std::size_t>(entry.hook);
    for (std::size_t h = first; h <= static_cast<std::size_t>(Hook::message); ++h) {
      if (h != first && !is_later_stage(static_cast<Hook>(h))) continue;
      hooks_[h].chain.push_back(&entry);
    }
    if (entry.hook > Hook::message) hooks_[first].chain.push_back(&entry);
  }
}

std::string_view Lineup::instance_name(InstanceIndex instance) const {
  return instances_[instance].name;
}

Plugin& Lineup::plugin(InstanceIndex instance) const { return *instances_[instance].plugin; }

std::vector<const Entry*> Lineup::makers(const FactType& type) const {
  std::vector<const Entry*> found;
  for (const Entry& entry : entries_)
    if (makes(entry, type)) found.push_back(&entry);
  return found;
}

bool Lineup::may_await(std::string_view owner, const FactType& type) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return instances_[entry.instance].name.data() == owner.data() &&
           (contains(entry.needs, type) || contains(entry.wants, type));
  });
}

std::vector<Mismatch> Lineup::check() const {
  std::vector<Mismatch> wrong;
  for (const Entry& entry : entries_) {
    for (const FactType* need : entry.needs)
      if (makers(*need).empty())
        wrong.push_back({entry.instance,
                         fmt::format("needs the fact {}, which no plugin here makes", need->name)});
    for (const Entry& other : entries_)
      if (entry.finding && other.finding && entry.finding->name == other.finding->name &&
          !entry.finding->name.empty() && entry.finding->id != other.finding->id && &entry < &other)
        wrong.push_back(
            {other.instance, fmt::format("makes another version of the fact {} than {}",
                                         entry.finding->name, instance_name(entry.instance))});
  }
  const auto& points = services_.points();
  for (const Attachment& each : services_.attachments())
    if (std::find(points.begin(), points.end(), each.point) == points.end())
      wrong.push_back(
          {each.instance,
           fmt::format("attaches to the hook {}, which no plugin here has", each.point)});
  // A circle: following what each waits for leads back to it.
  enum class Seen : std::uint8_t { no, open, done };
  std::vector<std::pair<const Entry*, Seen>> seen;
  for (const Entry& entry : entries_) seen.emplace_back(&entry, Seen::no);
  std::function<bool(const Entry&)> circle = [&](const Entry& entry) {
    auto& mark =
        std::find_if(seen.begin(), seen.end(), [&](auto& s) { return s.first == &entry; })->second;
    if (mark != Seen::no) return mark == Seen::open;
    mark = Seen::open;
    bool found = false;
    for (const auto* types : {&entry.needs, &entry.wants})
      for (const FactType* type : *types)
        for (const Entry* maker : makers(*type)) found = found || circle(*maker);
    std::find_if(seen.begin(), seen.end(), [&](auto& s) { return s.first == &entry; })->second =
        Seen::done;
    return found;
  };
  for (const Entry& entry : entries_)
    if (circle(entry))
      wrong.push_back({entry.instance, "waits for a fact that waits for one of its own"});
  return wrong;
}

// ---- Runs that wait for their turn ----

bool Lineup::has_turn(const Run& run) const {
  const Entry& entry = run.entry();
  const std::size_t most = run.scope().policy().of(entry.instance).common.parallel;
  const HookScope* client = client_of(run.scope());
  std::size_t running = 0;
  bool serial_busy = false;
  instances_[entry.instance].running.each([&](const Run& other) {
    ++running;
    serial_busy = serial_busy || (other.entry().serial && client_of(other.scope()) == client);
  });
  return (most == 0 || running < most) && !(entry.serial && serial_busy);
}

bool Lineup::may_start(Run& run) {
  Instance& instance = instances_[run.entry().instance];
  const bool capped = run.scope().policy().of(run.entry().instance).common.parallel > 0;
  if (!capped && !run.entry().serial) return true;
  if ((capped && !instance.queue.empty()) || !has_turn(run)) {
    instance.queue.push_back(run);
    return false;
  }
  instance.running.push_back(run);
  return true;
}

void Lineup::ended(const Run& run) {
  auto& place = const_cast<Run&>(run);
  static_cast<coro::ListHook<QueuedTag>&>(place).unlink();
  start_queued(instances_[run.entry().instance]);
}

// Nobody waits for the outcome of what outlives the client: the log tells.
void Lineup::complain(const Run& run) const {
  log_.error("{} at {}: {}", instance_name(run.entry().instance), name(run.entry().hook),
             run.error().describe());
}

// One that ends at once comes back here: the outermost call goes on with the next.
void Lineup::start_queued(Instance& instance) {
  if (instance.starting) return;
  instance.starting = true;
  for (Run* next = nullptr;;) {
    next = nullptr;
    instance.queue.each([&](Run& run) {
      if (!next && has_turn(run)) next = &run;
    });
    if (!next) break;
    static_cast<coro::ListHook<QueuedTag>*>(next)->unlink();
    instance.running.push_back(*next);
    next->start();
  }
  instance.starting = false;
}

void Lineup::drop_queued(const HookScope& scope) {
  for (Instance& instance : instances_) {
    for (Run* found = nullptr;;) {
      found = nullptr;
      instance.queue.each([&](Run& run) {
        if (!found && is_within(&run.scope(), scope)) found = &run;
      });
      if (!found) break;
      found->abandon();
    }
  }
}

}  // namespace postern::plugin
