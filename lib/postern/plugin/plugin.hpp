// A plugin: one class, one description of its settings, one setup.
#pragma once

#include <postern/plugin/hooks.hpp>
#include <postern/policy/schema.hpp>

#include <string_view>
#include <vector>

namespace postern {
class Log;
namespace coro {
class Scheduler;
}
namespace dns {
class Resolver;
}
namespace store {
class State;
}
}  // namespace postern

namespace postern::plugin {

class Lineup;

class Plugin {
 public:
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  virtual ~Plugin() = default;
  // Says which hooks it wants, what it needs and provides; no more than that. Also called of an
  // instance that is never used, to find out; what is below throws std::logic_error then.
  virtual void setup(Hooks& hooks) = 0;

  // The name of this instance: "dnsbl", or "dnsbl:strict" from the configuration.
  std::string_view instance_name() const;

 protected:
  Log& log() const;
  coro::Scheduler& scheduler() const;
  dns::Resolver& dns() const;
  Services& services() const;
  // What lasts: keys of this instance; or, with a name, of all who use that name.
  store::State state() const;
  store::State state(std::string_view shared) const;

 private:
  friend class Lineup;
  template <typename>
  friend class PluginOf;
  Lineup& lineup() const;
  const policy::Snapshot& snapshot() const;

  Lineup* lineup_ = nullptr;
  policy::InstanceIndex instance_ = 0;
};

// `P` derives from it and may have `struct Settings`, `static void describe(Schema<Settings>&)` and
// a `summary`: a sentence for the manual.
template <typename P>
class PluginOf : public Plugin {
 public:
  static constexpr const char* summary = "";
  struct Settings {};
  static void describe(policy::Schema<Settings>&) {}

 protected:
  // The effective settings of a session, transaction, recipient or command: a reference that holds
  // until the next co_await. No lock, no allocation.
  template <typename Where>
  const auto& settings(const Where& where) const {
    return *static_cast<const typename P::Settings*>(where.policy().of(instance_).settings);
  }
  // Those of the site, for what is about nobody who has a policy: notices, ticks, counting. They
  // stay as long as the plugin.
  const auto& site() const {
    return *static_cast<const typename P::Settings*>(snapshot().site().of(instance_).settings);
  }
  // What anybody has in this list: the site, a domain, a recipient; at most 64. For work that
  // starts before the recipient is known. A reference that holds until the next co_await.
  template <typename S, typename E>
  const std::vector<E>& everywhere(std::vector<E> S::*member) const {
    return snapshot().everywhere(instance_, member);
  }
};

}  // namespace postern::plugin
