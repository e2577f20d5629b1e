// A hook of a plugin's own, to which others attach decisions.
//
//   struct Candidate { … };                          // in the owner's installed header
//   HookPoint<Candidate> point_{"greylist.candidate"};
//   hooks.own(point_);                               // the owner's setup()
//   Verdict verdict = co_await point_.ask(services(), candidate);
//
//   hooks.attach<Candidate>("greylist.candidate", this, &Mine::decide);   // anybody's setup()
#pragma once

#include <postern/coro/task.hpp>
#include <postern/plugin/entry.hpp>
#include <postern/plugin/fact.hpp>
#include <postern/plugin/services.hpp>

#include <exception>
#include <string>
#include <utility>

namespace postern::plugin {

// One function at somebody's hook point.
struct Attachment {
  std::string point;
  std::size_t argument_size = 0;  // what both modules must agree on
  policy::InstanceIndex instance = 0;
  Plugin* plugin = nullptr;
  Member function;
  Verdict (*decide)(const Attachment&, void* argument) = nullptr;
  coro::Task<Verdict> (*begin)(const Attachment&, void* argument) = nullptr;  // where it waits
};

template <typename Argument>
class HookPoint {
 public:
  explicit HookPoint(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }

  // The first verdict that is not next(), in configuration order. What one throws is
  // Verdict::failed(): the owner returns it, and its `on_error` decides.
  coro::Task<Verdict> ask(Services& services, Argument& argument) const {
    for (const Attachment& each : services.attachments()) {
      if (each.point != name_ || each.argument_size != sizeof(Argument)) continue;
      Verdict verdict = Verdict::next();
      try {
        if (each.decide)
          verdict = each.decide(each, &argument);
        else
          verdict = co_await each.begin(each, &argument);
      } catch (const std::exception& error) {
        verdict = Verdict::failed(Error(Errc::bug, error.what()));
      }
      if (verdict.kind() != Verdict::Kind::next) co_return verdict;
    }
    co_return Verdict::next();
  }

 private:
  std::string name_;
};

namespace detail {

template <typename P, typename Argument>
Verdict decide_at_point(const Attachment& attachment, void* argument) {
  auto& self = *static_cast<P*>(attachment.plugin);
  const auto function = attachment.function.get<Verdict (P::*)(Argument&)>();
  return (self.*function)(*static_cast<Argument*>(argument));
}

template <typename P, typename Argument>
coro::Task<Verdict> begin_at_point(const Attachment& attachment, void* argument) {
  auto& self = *static_cast<P*>(attachment.plugin);
  const auto function = attachment.function.get<coro::Task<Verdict> (P::*)(Argument&)>();
  return (self.*function)(*static_cast<Argument*>(argument));
}

}  // namespace detail

}  // namespace postern::plugin
