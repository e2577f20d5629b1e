#include <postern/base/text.hpp>
#include <postern/coro/deadline.hpp>
#include <postern/deliver/verify.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/reply_parser.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace postern::deliver {
namespace {

constexpr std::size_t most_answers = 50'000;  // of each kind; about 10 MB when full
constexpr std::size_t most_domains = 10'000;

std::string rcpt_line(std::string_view path) { return fmt::format("RCPT TO:<{}>\r\n", path); }

// A local-part that nobody has; another one each time, so that nobody makes it on purpose.
std::string nobody_at(const std::string& domain, coro::TimePoint now) {
  const auto number = static_cast<std::uint64_t>(now.time_since_epoch().count());
  const std::uint64_t mixed = (number ^ std::hash<std::string>()(domain)) * 0x9e3779b97f4a7c15u;
  return fmt::format("postern-asks-{:016x}@{}", mixed, domain);
}

// After these nobody knows what the downstream takes next.
bool is_out_of_order(const smtp::Reply& reply) {
  return reply.code() == 421 || reply.is_intermediate();
}

bool is_postmaster(const smtp::Path& path) { return iequals(path.local_part, "postmaster"); }

}  // namespace

// 5yz with an enhanced code about an address or a mailbox (RFC 3463 sections 3.2 and 3.3), or
// without any.
bool speaks_of_recipient(const smtp::Reply& reply) {
  if (reply.code() != 550 && reply.code() != 551 && reply.code() != 553) return false;
  const smtp::EnhancedCode code = reply.enhanced();
  return !code.present() || code.subject == 1 || code.subject == 2;
}

Verifier::Verifier(coro::Scheduler& scheduler, Pool& pool, VerifySettings settings)
    : pool_(pool),
      settings_(std::move(settings)),
      // Mail keeps half of the connections, whatever is asked.
      slots_(std::max<std::size_t>(1, pool.settings().max_connections / 2)),
      tokens_(std::max(1.0, settings_.probes_per_second)),
      filled_(scheduler.now()),
      known_(most_answers),
      unknown_(most_answers),
      domains_(most_domains),
      scope_(scheduler, "recipient verification") {}

coro::Task<Verifier::Answer> Verifier::ask(smtp::Path path) {
  ++counts_.asked;
  const bool never = is_postmaster(path) || path.domain.empty() || path.needs_smtputf8();
  if (never) co_return Answer();
  const std::string key = path.mailbox_key();
  if (domain(lower(path.domain)).takes_all || known_.find(key, now())) co_return Answer();
  if (const smtp::Reply* refusal = unknown_.find(key, now())) {
    ++counts_.refused;
    co_return Answer(*refusal, "downstream:verify");
  }
  QuestionPtr question;
  if (const auto same = questions_.find(key); same != questions_.end()) {
    ++counts_.joined;
    question = same->second;
  } else {
    question = std::make_shared<Question>();
    if (!take_token()) {
      question->beyond = true;
      co_return answer(*question);
    }
    questions_[key] = question;
    scope_.start(run(question, std::move(path), key));
  }
  auto answered = co_await question->answered.wait();
  if (!answered) co_return Answer();  // the session has ended
  co_return answer(*question);
}

Verifier::Answer Verifier::answer(const Question& question) {
  if (question.beyond) {
    ++counts_.beyond;
    if (!settings_.defer_beyond) return {};
    return Answer(smtp::replies::cannot_verify_now(), "core:verify");
  }
  if (question.outcome.finding != Finding::unknown) return {};
  ++counts_.refused;
  return Answer(*question.outcome.refusal, "downstream:verify");
}

bool Verifier::take_token() {
  const double most = std::max(1.0, settings_.probes_per_second);
  const std::chrono::duration<double> since = now() - filled_;
  tokens_ = std::min(most, tokens_ + since.count() * settings_.probes_per_second);
  filled_ = now();
  if (tokens_ < 1) return false;
  --tokens_;
  return true;
}

// However a probe ends, whoever asked hears of it.
class Verifier::Settled {
 public:
  Settled(Verifier& verifier, QuestionPtr question, std::string key)
      : verifier_(verifier), question_(std::move(question)), key_(std::move(key)) {}
  Settled(const Settled&) = delete;
  Settled& operator=(const Settled&) = delete;
  ~Settled() {
    verifier_.questions_.erase(key_);
    question_->answered.set();
  }

 private:
  Verifier& verifier_;
  QuestionPtr question_;
  std::string key_;
};

coro::Task<void> Verifier::run(QuestionPtr question, smtp::Path path, std::string key) {
  const Settled settled(*this, question, key);
  auto slot = co_await slots_.acquire(settings_.timeout);
  if (!slot) {
    question->beyond = true;
  } else {
    ++counts_.probes;
    question->outcome = co_await coro::within(settings_.timeout, probe(std::move(path)));
    keep(key, question->outcome);
  }
}

void Verifier::keep(const std::string& key, const Outcome& outcome) {
  if (outcome.finding == Finding::known) {
    known_.put(key, true, now() + settings_.positive);
  } else if (outcome.finding == Finding::unknown) {
    unknown_.put(key, *outcome.refusal, now() + settings_.negative);
  }
}

void Verifier::learn(const smtp::Path& path, const smtp::Reply& reply) {
  const std::string key = path.mailbox_key();
  if (reply.is_positive()) {
    if (!path.domain.empty()) known_.put(key, true, now() + settings_.positive);
  } else if (reply.is_permanent()) {
    known_.erase(key);
  }
}

Verifier::Domain Verifier::domain(const std::string& name) const {
  const Domain* found = domains_.find(name, now());
  return found ? *found : Domain();
}

// The kept connection may be gone: then once more with a fresh one. Nobody waits for a place: who
// asks may hold the last one himself.
coro::Task<Verifier::Outcome> Verifier::probe(smtp::Path path) {
  auto turn = co_await pool_.turn(net::Duration::zero());
  if (!turn) co_return Outcome();
  Lease lease = std::move(*turn);
  const bool kept = lease.connection != nullptr;
  Outcome outcome = co_await try_senders(lease, path);
  if (kept && !lease.connection) outcome = co_await try_senders(lease, std::move(path));
  co_return outcome;
}

// Afterwards the connection is ready for others, or gone.
coro::Task<Verifier::Outcome> Verifier::try_senders(Lease& lease, smtp::Path path) {
  const std::string where = lower(path.domain);
  if (!lease.connection) {
    auto opened = co_await pool_.open_for_us();
    if (!opened) co_return Outcome();
    lease.connection = std::move(*opened);
  }
  Outcome outcome;
  for (std::size_t i = 0; i < settings_.senders.size(); ++i) {
    auto heard = co_await try_sender(*lease.connection, settings_.senders[i], path);
    if (!heard && heard.error().code == Errc::refused) continue;  // not this sender
    if (!heard) {
      lease.connection.reset();
      co_return Outcome();
    }
    outcome = std::move(*heard);
    Domain info = domain(where);
    if (i == 0 && outcome.finding == Finding::known && !info.takes_some) {
      info.takes_some = true;
      domains_.put(where, info, now() + settings_.positive);
    }
    // There are servers that refuse everybody where the sender is <>: until somebody was taken from
    // the first sender, the next one is asked as well.
    if (outcome.finding != Finding::unknown || (i == 0 && info.takes_some)) break;
  }
  co_return outcome;
}

// One transaction that ends before DATA. Errors: refused: the sender was; others: the connection is
// of no more use.
coro::Task<Result<Verifier::Outcome>> Verifier::try_sender(Connection& connection,
                                                           std::string sender, smtp::Path path) {
  const net::Duration limit = pool_.settings().timeouts.rcpt;
  auto settled = co_await connection.settle(limit);
  if (!settled) co_return fail(settled.error());
  std::vector<std::string> group;
  group.push_back(fmt::format("MAIL FROM:<{}>\r\n", sender));
  group.push_back(rcpt_line(path.text));
  auto replies = co_await connection.commands(std::move(group), limit);
  if (!replies) co_return fail(replies.error());
  if (std::any_of(replies->begin(), replies->end(), is_out_of_order))
    co_return fail(Errc::closed, "the downstream is closing");
  if (replies->front().is_permanent()) co_return fail(Errc::refused, "the sender of probes");
  Outcome outcome;
  if (!replies->front().is_positive()) co_return outcome;
  const smtp::Reply& answer = replies->back();
  if (answer.is_positive()) outcome.finding = Finding::known;
  if (speaks_of_recipient(answer)) {
    outcome.finding = Finding::unknown;
    outcome.refusal = smtp::relayable(answer, smtp::ReplyClass::completion);
  }
  if (outcome.finding != Finding::undecided) {
    auto compared = co_await compare(connection, lower(path.domain), outcome.finding);
    if (!compared) co_return fail(compared.error());
    outcome.finding = *compared;
  }
  connection.send_and_forget("RSET\r\n");
  connection.reused = true;
  co_return outcome;
}

// A refusal says that there is no such recipient only where one that cannot exist is refused too;
// and where that one is taken, all are, and nobody need be asked about.
coro::Task<Result<Verifier::Finding>> Verifier::compare(Connection& connection, std::string where,
                                                        Finding found) {
  Domain info = domain(where);
  if (info.refuses_nobody) co_return found;
  auto reply = co_await connection.command(rcpt_line(nobody_at(where, now())),
                                           pool_.settings().timeouts.rcpt);
  if (!reply) co_return fail(reply.error());
  if (is_out_of_order(*reply)) co_return fail(Errc::closed, "the downstream is closing");
  info.takes_all = reply->is_positive();
  info.refuses_nobody = reply->is_permanent();
  if (!reply->is_transient()) domains_.put(where, info, now() + settings_.positive);
  if (found == Finding::unknown && !info.refuses_nobody) co_return Finding::undecided;
  co_return found;
}

VerifyState Verifier::state() const {
  VerifyState state = counts_;
  state.known = known_.size();
  state.unknown = unknown_.size();
  return state;
}

coro::Task<void> Verifier::close() {
  scope_.stop(Errc::cancelled);
  co_await scope_.join();
}

}  // namespace postern::deliver
