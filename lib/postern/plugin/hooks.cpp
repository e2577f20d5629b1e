#include <postern/plugin/hooks.hpp>
#include <postern/plugin/plugin.hpp>

#include <fmt/core.h>

#include <stdexcept>

namespace postern::plugin {
namespace {

ScopeKind scope_of(Hook hook, bool for_recipient) {
  if (for_recipient || hook == Hook::rcpt || hook == Hook::route) return ScopeKind::recipient;
  switch (hook) {
    case Hook::helo:
      return ScopeKind::hello;
    case Hook::auth_password:
    case Hook::auth_secret:
      return ScopeKind::attempt;
    case Hook::mail:
    case Hook::data:
    case Hook::headers:
    case Hook::message:
      return ScopeKind::transaction;
    case Hook::accepted:
    case Hook::rejected:
    case Hook::reset:
    case Hook::disconnect:
    case Hook::record:
    case Hook::tick:
      return ScopeKind::worker;
    default:
      return ScopeKind::client;
  }
}

}  // namespace

Entry& Hooks::fresh(Hook hook, Shape shape, Plugin* plugin, bool for_recipient) {
  Entry& entry = entries_.emplace_back();
  entry.hook = hook;
  entry.shape = shape;
  entry.scope = scope_of(hook, for_recipient);
  entry.for_recipient = entry.scope == ScopeKind::recipient;
  entry.instance = instance_;
  entry.plugin = plugin;
  return entry;
}

void Hooks::require(Hook hook, Shape shape, bool waits) {
  if (!allows(hook, shape, waits))
    throw std::logic_error(fmt::format("the hook {} has no such kind of function", name(hook)));
}

}  // namespace postern::plugin
