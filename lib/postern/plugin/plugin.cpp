#include <postern/plugin/lineup.hpp>
#include <postern/plugin/plugin.hpp>
#include <postern/store/state.hpp>

#include <stdexcept>

namespace postern::plugin {

Lineup& Plugin::lineup() const {
  if (!lineup_) throw std::logic_error("setup() may only say what it hooks into and provides");
  return *lineup_;
}

std::string_view Plugin::instance_name() const { return lineup().instance_name(instance_); }
Log& Plugin::log() const { return lineup().log(); }
coro::Scheduler& Plugin::scheduler() const { return lineup().scheduler(); }
dns::Resolver& Plugin::dns() const { return lineup().resolver(); }
const policy::Snapshot& Plugin::snapshot() const { return lineup().snapshot(); }
Services& Plugin::services() const { return lineup().services(); }
store::State Plugin::state() const { return {lineup().store(), instance_name()}; }
store::State Plugin::state(std::string_view shared) const {
  return {lineup().store(), std::string("=").append(shared)};  // no instance is called so
}

}  // namespace postern::plugin
