// One function of a plugin at a hook, as the runner knows it: no type of the plugin is left.
#pragma once

#include <postern/plugin/fact.hpp>
#include <postern/plugin/hook.hpp>
#include <postern/plugin/verdict.hpp>
#include <postern/policy/policy.hpp>
#include <postern/smtp/capabilities.hpp>

#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

namespace postern::plugin {

class AuthAttempt;
class HookScope;
class Plugin;
class Run;
struct Entry;

// Where a session is: what the functions of a hook are called with. Hosts that learn their hooks at
// run time take it as it is.
struct Step {
  explicit Step(Hook at) : hook(at) {}
  Hook hook;
  Session* session = nullptr;
  Hello* hello = nullptr;
  Transaction* transaction = nullptr;
  Recipient* recipient = nullptr;
  Message* message = nullptr;
  Command* command = nullptr;
  Arrival* arrival = nullptr;
  AuthAttempt* attempt = nullptr;
  const void* value = nullptr;  // of hooks whose argument is a value
  // The settings that hold for what it is about: settings(step).
  const policy::Policy& policy() const;
};

// A pointer to a member function of any plugin.
class Member {
 public:
  Member() = default;
  template <typename F>
  requires std::is_member_function_pointer_v<F>
  explicit Member(F function) {
    static_assert(sizeof(F) <= sizeof(octets_));
    std::memcpy(octets_, &function, sizeof(F));
  }
  template <typename F>
  F get() const {
    F function;
    std::memcpy(&function, octets_, sizeof(F));
    return function;
  }

 private:
  alignas(void*) char octets_[2 * sizeof(void*)]{};
};

struct Entry {
  Hook hook = Hook::connect;
  Shape shape = Shape::observer;
  ScopeKind scope = ScopeKind::client;
  bool waits = false;          // a Task
  bool for_recipient = false;  // called for each recipient
  bool holds = false;          // the step waits for the work, whenever it takes effect
  bool on_demand = false;      // a finding that starts when it is first awaited
  bool serial = false;         // one at a time of this instance in a session
  bool last = false;           // an edit after all others
  policy::InstanceIndex instance = 0;
  Plugin* plugin = nullptr;
  Member function;
  Member judgement;
  Member serving;

  // One of these, by shape and `waits`.
  void (*observe)(const Entry&, Step&) = nullptr;
  Verdict (*decide)(const Entry&, Step&) = nullptr;
  bool (*answer)(const Entry&, Step&, void* optional) = nullptr;  // fills a std::optional<A>
  std::unique_ptr<Run> (*begin)(const Entry&, Step&, HookScope&) = nullptr;
  Verdict (*judge)(const Entry&, const void* fact, const void* settings) = nullptr;

  // Of the AUTH hooks: whether it has an answer for this mechanism at all; null: for all.
  bool (*serves)(const Entry&, smtp::AuthMechanism, const void* settings) = nullptr;

  const FactType* finding = nullptr;   // what it returns
  std::vector<const FactType*> makes;  // what it puts besides
  std::vector<const FactType*> needs;
  std::vector<const FactType*> wants;
};

}  // namespace postern::plugin
