// How a plugin says at which points of a session it wants to be called.
//
//   hooks.on_connect(this, &Dnsbl::look).judge(&Dnsbl::judge);
//
// What the function returns tells what it is: void an observer, Verdict a decision, a fact a
// finding, std::optional an answer; a Task of it the same, beside the dialogue.
#pragma once

#include <postern/plugin/auth.hpp>
#include <postern/plugin/entry.hpp>
#include <postern/plugin/hook_point.hpp>
#include <postern/plugin/run_of.hpp>
#include <postern/plugin/services.hpp>

#include <deque>
#include <optional>
#include <string>
#include <type_traits>

namespace postern::deliver {
class Route;
}

namespace postern::plugin {

namespace detail {

template <typename A>
struct Argument;
template <>
struct Argument<Arrival&> {
  static Arrival& of(Step& step) { return *step.arrival; }
};
template <>
struct Argument<Session&> {
  static Session& of(Step& step) { return *step.session; }
};
template <>
struct Argument<Hello&> {
  static Hello& of(Step& step) { return *step.hello; }
};
template <>
struct Argument<AuthAttempt&> {
  static AuthAttempt& of(Step& step) { return *step.attempt; }
};
template <>
struct Argument<Transaction&> {
  static Transaction& of(Step& step) { return *step.transaction; }
};
template <>
struct Argument<Recipient&> {
  static Recipient& of(Step& step) { return *step.recipient; }
};
template <>
struct Argument<Message&> {
  static Message& of(Step& step) { return *step.message; }
};
template <>
struct Argument<Command&> {
  static Command& of(Step& step) { return *step.command; }
};
template <>
struct Argument<Step&> {
  static Step& of(Step& step) { return step; }
};
template <typename Value>
struct Argument {
  static const Value& of(Step& step) { return *static_cast<const Value*>(step.value); }
};

template <typename T>
struct Unwrapped {
  using type = T;
  static constexpr bool waits = false;
};
template <typename T>
struct Unwrapped<coro::Task<T>> {
  using type = T;
  static constexpr bool waits = true;
};

template <typename T>
struct FindingOf {
  using type = T;
};
template <typename F>
struct FindingOf<Result<F>> {
  using type = F;
};

template <typename T>
consteval Shape shape_of() {
  if constexpr (std::is_void_v<T>)
    return Shape::observer;
  else if constexpr (std::is_same_v<T, Verdict>)
    return Shape::decision;
  else if constexpr (is_optional<T>)
    return Shape::answer;
  else
    return Shape::finding;
}

// What the hooks that ask want to hear.
template <Hook hook>
struct AnswerTo {
  using type = smtp::Reply;
};
template <>
struct AnswerTo<Hook::route> {
  using type = deliver::Route*;
};
template <>
struct AnswerTo<Hook::auth_password> {
  using type = AuthAnswer;
};
template <>
struct AnswerTo<Hook::auth_secret> {
  using type = AuthSecret;
};
template <>
struct AnswerTo<Hook::received_line> {
  using type = std::string;  // the value of the field
};

template <typename F>
struct Function;
template <typename P, typename R, typename... A>
struct Function<R (P::*)(A...)> {
  using Class = P;
  using Returns = R;
  using Takes = Args<A...>;
  static constexpr bool takes_recipient = (std::is_same_v<A, Recipient&> || ...);
  template <typename F>
  static R call(const Entry& entry, Step& step) {
    P& self = *static_cast<P*>(entry.plugin);
    return (self.*entry.function.get<F>())(Argument<A>::of(step)...);
  }
};
template <typename P, typename R, typename... A>
struct Function<R (P::*)(A...) const> : Function<R (P::*)(A...)> {};

template <typename F>
void observe(const Entry& entry, Step& step) {
  Function<F>::template call<F>(entry, step);
}
template <typename F>
Verdict decide(const Entry& entry, Step& step) {
  return Function<F>::template call<F>(entry, step);
}
template <typename F>
bool answer(const Entry& entry, Step& step, void* optional) {
  using A = typename Function<F>::Returns;
  auto& out = *static_cast<A*>(optional);
  out = Function<F>::template call<F>(entry, step);
  return out.has_value();
}
template <typename F>
std::unique_ptr<Run> begin_task(const Entry& entry, Step& step, HookScope& scope) {
  using T = typename Unwrapped<typename Function<F>::Returns>::type;
  return std::make_unique<TaskRun<T>>(entry, scope, Function<F>::template call<F>(entry, step));
}
template <typename F>
std::unique_ptr<Run> begin_value(const Entry& entry, Step& step, HookScope& scope) {
  using T = typename Function<F>::Returns;
  return std::make_unique<ValueRun<T>>(entry, scope, Function<F>::template call<F>(entry, step));
}
template <typename P, typename F, typename J>
Verdict judge(const Entry& entry, const void* fact, const void* settings) {
  const P& self = *static_cast<const P*>(entry.plugin);
  return (self.*entry.judgement.get<J>())(*static_cast<const F*>(fact),
                                          *static_cast<const typename P::Settings*>(settings));
}

template <typename P, typename S>
bool serves(const Entry& entry, smtp::AuthMechanism mechanism, const void* settings) {
  const P& self = *static_cast<const P*>(entry.plugin);
  return (self.*entry.serving.get<S>())(mechanism,
                                        *static_cast<const typename P::Settings*>(settings));
}

}  // namespace detail

// What may be said about a function that has been hooked in.
template <typename P, typename R>
class Hooked {
 public:
  using T = typename detail::Unwrapped<R>::type;
  static constexpr bool is_finding = detail::shape_of<T>() == Shape::finding;
  struct NoFinding {};
  using F = std::conditional_t<is_finding, typename detail::FindingOf<T>::type, NoFinding>;

  explicit Hooked(Entry& entry) : entry_(entry) {}

  // The judgement of a finding: pure; made for each recipient with that recipient's settings.
  template <typename B, typename S>
  requires(is_finding&& std::is_base_of_v<B, P>) Hooked& judge(Verdict (B::*judgement)(const F&,
                                                                                       const S&)
                                                                   const) {
    static_assert(std::is_same_v<S, typename P::Settings>, "a judgement takes (finding, Settings)");
    using Judgement = Verdict (P::*)(const F&, const S&) const;
    entry_.judgement = Member(static_cast<Judgement>(judgement));
    entry_.judge = &detail::judge<P, F, Judgement>;
    return *this;
  }
  // Of the AUTH hooks: the mechanisms for which it can have an answer. Without it all are offered
  // that such a hook can serve: PLAIN and LOGIN by auth_password, each by auth_secret.
  template <typename B, typename S>
  requires std::is_base_of_v<B, P> Hooked& serves(bool (B::*serving)(smtp::AuthMechanism, const S&)
                                                      const) {
    static_assert(std::is_same_v<S, typename P::Settings>, "it takes (AuthMechanism, Settings)");
    using Serving = bool (P::*)(smtp::AuthMechanism, const S&) const;
    entry_.serving = Member(static_cast<Serving>(serving));
    entry_.serves = &detail::serves<P, Serving>;
    return *this;
  }
  // The step waits for the work whatever `enforce_at` says.
  Hooked& holds() {
    entry_.holds = true;
    return *this;
  }
  // Starts when it is first awaited.
  Hooked& on_demand() requires is_finding {
    entry_.on_demand = true;
    return *this;
  }
  // The tasks of this instance in one session one at a time.
  Hooked& serial() {
    entry_.serial = true;
    return *this;
  }
  // Its edits come after those of all others: signers.
  Hooked& last() {
    entry_.last = true;
    return *this;
  }
  // A fact that it awaits and cannot do without: its failure is this instance's `on_error`.
  template <AFact Needed>
  Hooked& needs() {
    entry_.needs.push_back(&fact_type<Needed>);
    return *this;
  }
  // A fact that it awaits, and does without where nobody makes it.
  template <AFact Wanted>
  Hooked& wants() {
    entry_.wants.push_back(&fact_type<Wanted>);
    return *this;
  }
  // A fact that it puts besides what it returns.
  template <AFact Made>
  Hooked& makes() {
    entry_.makes.push_back(&fact_type<Made>);
    return *this;
  }

 private:
  Entry& entry_;
};

class Hooks {
 public:
  Hooks(Plugin& plugin, policy::InstanceIndex instance, std::deque<Entry>& entries,
        Services& services)
      : plugin_(plugin), instance_(instance), entries_(entries), services_(services) {}

  template <typename P, typename F>
  auto on_admit(P* self, F f) {
    return add<Hook::admit>(self, f);
  }
  template <typename P, typename F>
  auto on_connect(P* self, F f) {
    return add<Hook::connect>(self, f);
  }
  template <typename P, typename F>
  auto on_helo(P* self, F f) {
    return add<Hook::helo>(self, f);
  }
  template <typename P, typename F>
  auto on_auth_password(P* self, F f) {
    return add<Hook::auth_password>(self, f);
  }
  template <typename P, typename F>
  auto on_auth_secret(P* self, F f) {
    return add<Hook::auth_secret>(self, f);
  }
  template <typename P, typename F>
  auto on_mail(P* self, F f) {
    return add<Hook::mail>(self, f);
  }
  template <typename P, typename F>
  auto on_rcpt(P* self, F f) {
    return add<Hook::rcpt>(self, f);
  }
  template <typename P, typename F>
  auto on_route(P* self, F f) {
    return add<Hook::route>(self, f);
  }
  template <typename P, typename F>
  auto on_data(P* self, F f) {
    return add<Hook::data>(self, f);
  }
  template <typename P, typename F>
  auto on_headers(P* self, F f) {
    return add<Hook::headers>(self, f);
  }
  template <typename P, typename F>
  auto on_message(P* self, F f) {
    return add<Hook::message>(self, f);
  }
  template <typename P, typename F>
  auto on_received_line(P* self, F f) {
    return add<Hook::received_line>(self, f);
  }
  template <typename P, typename F>
  auto on_help(P* self, F f) {
    return add<Hook::help>(self, f);
  }
  template <typename P, typename F>
  auto on_vrfy(P* self, F f) {
    return add<Hook::vrfy>(self, f);
  }
  template <typename P, typename F>
  auto on_noop(P* self, F f) {
    return add<Hook::noop>(self, f);
  }
  template <typename P, typename F>
  auto on_quit(P* self, F f) {
    return add<Hook::quit>(self, f);
  }
  template <typename P, typename F>
  auto on_unrecognized(P* self, F f) {
    return add<Hook::unrecognized>(self, f);
  }
  template <typename P, typename F>
  auto on_accepted(P* self, F f) {
    return add<Hook::accepted>(self, f);
  }
  template <typename P, typename F>
  auto on_rejected(P* self, F f) {
    return add<Hook::rejected>(self, f);
  }
  template <typename P, typename F>
  auto on_reset(P* self, F f) {
    return add<Hook::reset>(self, f);
  }
  template <typename P, typename F>
  auto on_disconnect(P* self, F f) {
    return add<Hook::disconnect>(self, f);
  }
  template <typename P, typename F>
  auto on_record(P* self, F f) {
    return add<Hook::record>(self, f);
  }
  template <typename P, typename F>
  auto on_tick(P* self, F f) {
    return add<Hook::tick>(self, f);
  }

  // For hosts that learn their hooks at run time: `f` takes Step&. `for_recipient`: called for
  // each. A shape that the hook does not have throws std::logic_error.
  template <typename P, typename F>
  auto on(Hook hook, P* self, F f, bool for_recipient = false) {
    static_assert(std::is_same_v<typename detail::Function<F>::Takes, Args<Step&>>,
                  "hooks.on(Hook, …) wants a function that takes Step&");
    using R = typename detail::Function<F>::Returns;
    require(hook, shape<R>(), detail::Unwrapped<R>::waits);
    return make<P>(hook, self, f, for_recipient);
  }

  // A hook of this plugin's own; decisions at such a hook of another plugin.
  template <typename Argument>
  void own(const HookPoint<Argument>& point) {
    services_.own(point.name());
  }
  template <typename Argument, typename P>
  void attach(std::string point, P* self, Verdict (P::*f)(Argument&)) {
    services_.attach({std::move(point), sizeof(Argument), instance_, self, Member(f),
                      &detail::decide_at_point<P, Argument>, nullptr});
  }
  template <typename Argument, typename P>
  void attach(std::string point, P* self, coro::Task<Verdict> (P::*f)(Argument&)) {
    services_.attach({std::move(point), sizeof(Argument), instance_, self, Member(f), nullptr,
                      &detail::begin_at_point<P, Argument>});
  }

  // A service that other plugins find by its type and `name`.
  template <typename T>
  void provide(std::string name, T& service) {
    services_.provide<T>(std::move(name), service);
  }

 private:
  template <typename R>
  static constexpr Shape shape() {
    return detail::shape_of<typename detail::Unwrapped<R>::type>();
  }
  template <Hook hook, typename P, typename F>
  auto add(P* self, F f) {
    using Of = detail::Function<F>;
    static_assert(takes<hook, typename Of::Takes>,
                  "a function of this hook takes other arguments: see plugin/hook.hpp");
    static_assert(
        allows(hook, shape<typename Of::Returns>(), detail::Unwrapped<typename Of::Returns>::waits),
        "this hook has no such kind of function: see plugin/hook.hpp");
    if constexpr (shape<typename Of::Returns>() == Shape::answer)
      static_assert(std::is_same_v<typename detail::Unwrapped<typename Of::Returns>::type,
                                   std::optional<typename detail::AnswerTo<hook>::type>>,
                    "this hook asks for something else: see AnswerTo");
    return make<P>(hook, self, f, Of::takes_recipient);
  }
  template <typename P, typename F>
  auto make(Hook hook, P* self, F f, bool for_recipient) {
    using R = typename detail::Function<F>::Returns;
    using T = typename detail::Unwrapped<R>::type;
    constexpr bool waits = detail::Unwrapped<R>::waits;
    constexpr Shape kind = shape<R>();
    Entry& entry = fresh(hook, kind, self, for_recipient);
    entry.function = Member(f);
    entry.waits = waits;
    if constexpr (kind == Shape::finding) {
      using Found = typename detail::FindingOf<T>::type;
      static_assert(AFact<Found>, "a finding is a Fact<…>, or a Result of one");
      entry.finding = &fact_type<Found>;
    }
    if constexpr (waits)
      entry.begin = &detail::begin_task<F>;
    else if constexpr (kind == Shape::observer)
      entry.observe = &detail::observe<F>;
    else if constexpr (kind == Shape::decision)
      entry.decide = &detail::decide<F>;
    else if constexpr (kind == Shape::answer)
      entry.answer = &detail::answer<F>;
    else
      entry.begin = &detail::begin_value<F>;
    return Hooked<P, R>(entry);
  }
  Entry& fresh(Hook hook, Shape shape, Plugin* plugin, bool for_recipient);
  static void require(Hook hook, Shape shape, bool waits);

  Plugin& plugin_;
  policy::InstanceIndex instance_;
  std::deque<Entry>& entries_;
  Services& services_;
};

}  // namespace postern::plugin
