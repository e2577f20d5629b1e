#include <postern/coro/deadline.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/facts/authenticated.hpp>
#include <postern/plugin/run_of.hpp>
#include <postern/session/hearing.hpp>
#include <postern/session/running.hpp>

#include <algorithm>
#include <exception>

namespace postern::session {
namespace {

using namespace std::chrono_literals;
using plugin::Hook;
using plugin::Shape;
using plugin::Step;

// What has not unwound by then never will: a bug, which is told and waited for all the same.
constexpr auto join_time = 30s;
// How soon early input is noticed.
constexpr auto glance = 50ms;
// Of a reply, whatever plugins ask for: clients wait two minutes for the one to DATA (RFC 5321
// section 4.5.3.2.4).
constexpr std::chrono::milliseconds most_delay = 60s;

// What the first plugin says that has an answer; each sees its own facts. One that throws has none.
template <typename T>
std::optional<T> first_answer(const Services& services, Step at) {
  std::optional<T> answer;
  for (const plugin::Entry* entry : services.lineup.entries(at.hook)) {
    if (!entry->answer) continue;
    const std::string_view who = services.lineup.instance_name(entry->instance);
    const Running running(services.scheduler, who);
    try {
      if (entry->answer(*entry, at, &answer)) break;
    } catch (...) {
      answer.reset();
      services.log.error("{} at {}: {}", who, name(at.hook), thrown().text);
    }
  }
  return answer;
}

}  // namespace

Hearing::Hearing(Services& services, coro::Context& around, const deliver::Client& client,
                 net::Stream& stream, std::string_view id)
    : services_(services),
      stream_(stream),
      session_(services.lineup, around, services.lineup.pin(), client, *this, id,
               services.settings.hostname),
      client_(session_, client_marks_, trail_) {}

Hearing::~Hearing() = default;

Step Hearing::step(Hook hook, Transaction* transaction) {
  Step step(hook);
  step.session = &session_;
  step.hello = hello_.get();
  step.transaction = transaction;
  if (transaction) step.message = transaction->message();
  return step;
}

std::optional<Refusal> Hearing::admit(const SocketAddress& local) {
  if (services_.lineup.empty(Hook::admit)) return {};
  plugin::Arrival arrival{session_.client(), local, &session_.policy()};
  Step at = step(Hook::admit);
  at.arrival = &arrival;
  run(at, {&client_, 1});
  return client_.refusal;
}

bool Hearing::connect() { return run(step(Hook::connect), {&client_, 1}); }

bool Hearing::greet(std::string name, bool extended) {
  if (hello_) plugin::HookScope::end(std::move(hello_));
  hello_ = std::make_unique<plugin::Hello>(session_, std::move(name), extended);
  put_user();
  hello_marks_ = {};
  client_ = Party(*hello_, hello_marks_, trail_);
  return run(step(Hook::helo), {&client_, 1});
}

void Hearing::authenticated(std::string_view mechanism) {
  session_.set_mechanism(mechanism);
  put_user();
}

// It is the greeting's: STARTTLS forgets both, and each greeting has it again.
void Hearing::put_user() {
  if (!hello_ || !session_.authenticated()) return;
  const Running running(services_.scheduler, "core:auth");  // whose the fact is
  facts::Authenticated fact;
  fact.user = std::string(session_.user());
  fact.mechanism = session_.auth_mechanism();
  hello_->facts().put(std::move(fact));
}

void Hearing::forget_greeting() {
  if (!hello_) return;
  client_ = Party(session_, client_marks_, trail_);
  plugin::HookScope::end(std::move(hello_));
  hello_marks_ = {};
}

bool Hearing::mail(Transaction& transaction) {
  transaction.judged.emplace(transaction, transaction.marks, transaction.trail);
  return run(step(Hook::mail, &transaction), {&*transaction.judged, 1});
}

bool Hearing::rcpt(Transaction& transaction) {
  return run(step(Hook::rcpt, &transaction), {&transaction.parties.back(), 1});
}

bool Hearing::data(Transaction& transaction) {
  return run(step(Hook::data, &transaction), transaction.parties);
}

bool Hearing::headers(Transaction& transaction) {
  return run(step(Hook::headers, &transaction), transaction.parties);
}

bool Hearing::message(Transaction& transaction) {
  return run(step(Hook::message, &transaction), transaction.parties);
}

bool Hearing::command(Hook hook, plugin::Command& command) {
  client_.refusal.reset();
  Step at = step(hook);
  at.command = &command;
  return run(at, {&client_, 1});
}

// Most steps have nobody, or nobody who waits.
bool Hearing::run(const Step& step, std::span<Party> parties) {
  hook_ = step.hook;
  parties_ = parties;
  transaction_ = static_cast<Transaction*>(step.transaction);
  if (services_.lineup.empty(step.hook)) {
    over();
    return true;
  }
  chain_.emplace(step, session_, parties);
  if (chain_->advance()) return false;
  chain_.reset();
  over();
  return true;
}

coro::Task<void> Hearing::finish() {
  while (plugin::Run* run = chain_->advance()) {
    auto settled = co_await run->wait();
    if (!settled) break;  // the session has been stopped
  }
  chain_.reset();
  over();
}

// The points are judged where the recipients are known.
void Hearing::over() {
  if (hook_ < Hook::rcpt || hook_ > Hook::message || hook_ == Hook::headers) return;
  for (Party& party : parties_) {
    const Marks* const ledger[] = {&client_marks_, &hello_marks_, &transaction_->marks,
                                   party.marks};
    weigh_points(party, hook_, ledger);
  }
}

std::optional<smtp::Reply> Hearing::answer(Hook hook, plugin::Command& command) {
  Step at = step(hook);
  at.command = &command;
  return first_answer<smtp::Reply>(services_, at);
}

std::optional<std::string> Hearing::received_line(plugin::Command& command) {
  Step at = step(Hook::received_line);
  at.command = &command;
  return first_answer<std::string>(services_, at);
}

deliver::Route* Hearing::route(plugin::Recipient& recipient) {
  const Step at = plugin::step_from(recipient, Hook::route);
  return first_answer<deliver::Route*>(services_, at).value_or(nullptr);
}

void Hearing::end(std::unique_ptr<Transaction> transaction) {
  for (Way* way : transaction->ways()) way->delivery.reset();
  plugin::HookScope::end(std::move(transaction));
}

void Hearing::tell(Services& services, Hook hook, const void* value) {
  Step at(hook);
  at.value = value;
  for (const plugin::Entry* entry : services.lineup.entries(hook)) {
    const auto who = services.lineup.instance_name(entry->instance);
    try {
      if (entry->waits)
        plugin::Run::begin(entry->begin(*entry, at, services.worker));
      else
        entry->observe(*entry, at);
    } catch (const std::exception& error) {
      services.log.error("{} at {}: {}", who, name(hook), error.what());
    }
  }
}

void Hearing::slow_down(std::chrono::milliseconds delay) {
  delay_ = std::min(std::max(delay_, delay), most_delay);
}

std::chrono::milliseconds Hearing::take_delay() { return std::exchange(delay_, 0ms); }

bool Hearing::spoke_early() const {
  return spoke_early_ || (!begun_ && stream_.input().size() > excused_);
}

// Looks now and then instead of reading: a stream has one reader, and that is the dialogue,
// whatever plugins do.
coro::Task<bool> Hearing::early_input(coro::Duration limit) {
  const coro::TimePoint due = services_.scheduler.now() + limit;
  while (!begun_ && !spoke_early() && !stream_.ended()) {
    const coro::Duration left = due - services_.scheduler.now();
    if (left <= coro::Duration::zero()) break;
    auto slept = co_await coro::sleep(std::min<coro::Duration>(left, glance));
    if (!slept) break;
  }
  spoke_early_ = spoke_early();
  co_return spoke_early_;
}

void Hearing::stop() {
  if (hello_) plugin::HookScope::end(std::move(hello_));
  session_.context().stop(Errc::cancelled);
  services_.lineup.drop_queued(session_);
}

coro::Task<void> Hearing::close() {
  while (session_.tasks() > 0) {
    auto joined = co_await coro::shielded(coro::forever, session_.join(join_time));
    if (joined) break;
    std::string waits;
    session_.context().describe_waits(waits);
    services_.log.error("session {}: {} tasks of plugins have not ended: {}", session_.id(),
                        session_.tasks(), waits);
  }
}

// What was found out about the client explains what became of his mail: it stands in both records.
void Hearing::append_trail(json::Writer& record, const Trail* inner) const {
  if (trail_.empty() && (!inner || inner->empty())) return;
  record.begin_array("trail");
  trail_.append_to(record, services_.lineup);
  if (inner) inner->append_to(record, services_.lineup);
  record.end();
}

void Hearing::append_to(json::Writer& record) const {
  append_trail(record, nullptr);
  record_facts(record, {&session_});
}

void Hearing::append_to(json::Writer& record, const Transaction& transaction) const {
  append_trail(record, &transaction.trail);
  std::vector<const plugin::HookScope*> scopes{&session_};
  if (hello_) scopes.push_back(hello_.get());
  scopes.push_back(&transaction);
  for (const auto& recipient : transaction.recipients()) scopes.push_back(recipient.get());
  record_facts(record, scopes);
}

}  // namespace postern::session
