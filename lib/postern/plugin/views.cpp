#include <postern/base/text.hpp>
#include <postern/plugin/auth.hpp>
#include <postern/plugin/views.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace postern::plugin {
namespace {

// A path that looks the same as the key made of it: neither quotes nor capitals.
bool is_plain_key(std::string_view path) {
  return !path.starts_with('"') &&
         std::none_of(path.begin(), path.end(), [](char c) { return c != ascii_lower(c); });
}

}  // namespace

Session::Session(Lineup& lineup, coro::Context& around,
                 std::shared_ptr<const policy::Snapshot> snapshot, const deliver::Client& client,
                 Dialogue& dialogue, std::string_view id, std::string_view hostname)
    : HookScope(ScopeKind::client, lineup, around, nullptr, snapshot->site()),
      snapshot_(std::move(snapshot)),
      client_(client),
      dialogue_(dialogue),
      id_(id),
      hostname_(hostname) {}

void Session::permit_relay(std::string why) { set_relay(Relay::permitted, std::move(why)); }

void Session::forbid_relay(std::string why) { set_relay(Relay::forbidden, std::move(why)); }

void Session::set_relay(Relay relay, std::string why) {
  if (!relay_question_)
    throw std::logic_error("relaying is permitted or forbidden by observers of connect only");
  if (relay_ == Relay::forbidden) return;
  relay_ = relay;
  relay_reason_ = std::move(why);
}

Hello::Hello(Session& session, std::string name, bool extended)
    : HookScope(ScopeKind::hello, session.lineup(), session.context(), &session, session.policy()),
      session_(session),
      name_(std::move(name)),
      extended_(extended) {}

AuthAttempt::AuthAttempt(Session& session, std::string_view mechanism, std::string user,
                         Secret password, bool encrypted)
    : HookScope(ScopeKind::attempt, session.lineup(), session.context(), &session,
                session.policy()),
      session_(session),
      mechanism_(mechanism),
      user_(std::move(user)),
      password_(std::move(password)),
      encrypted_(encrypted) {}

Transaction::Transaction(Hello& hello, const deliver::Client& client)
    : HookScope(ScopeKind::transaction, hello.lineup(), hello.context(), &hello,
                hello.lineup().snapshot().site()),
      hello_(hello),
      snapshot_(hello.lineup().pin()),
      envelope_(client) {}

Transaction::~Transaction() = default;

void Transaction::set_reverse_path(smtp::Path path) {
  received_path_ = path;
  envelope_.reverse_path = std::move(path);
}

Recipient& Transaction::add(std::unique_ptr<Recipient> recipient) {
  recipients_.push_back(std::move(recipient));
  return *recipients_.back();
}

void Transaction::remove_last() {
  HookScope::end(std::move(recipients_.back()));
  recipients_.pop_back();
}

Recipient::Recipient(Transaction& transaction, deliver::Recipient received)
    : HookScope(ScopeKind::recipient, transaction.lineup(), transaction.context(), &transaction,
                transaction.snapshot().of(received.path.local_part, received.path.domain)),
      transaction_(transaction),
      received_(std::move(received)),
      key_(received_.path.text) {
  if (is_plain_key(key_)) return;
  made_key_ = received_.path.mailbox_key();
  for (char& c : made_key_) c = ascii_lower(c);
  key_ = made_key_;
}

std::string_view Recipient::domain() const {
  const auto at = key_.rfind('@');
  return at == std::string_view::npos ? std::string_view() : key_.substr(at + 1);
}

std::string_view Recipient::local_part() const { return key_.substr(0, key_.rfind('@')); }

std::vector<deliver::Recipient> Recipient::delivered() const {
  std::vector<deliver::Recipient> to;
  for (const smtp::Path& path : rewritten_) to.push_back({path, received_.parameters});
  if (to.empty()) to.push_back(received_);
  return to;
}

void Message::set_complete(bool whole) {
  complete_ = true;
  cut_ = !whole;
  arrived_.set();
}

coro::Task<Result<std::string>> Message::read(std::uint64_t offset, std::size_t most) {
  while (!complete_ && offset >= spool_.size()) {
    arrived_.reset();
    auto more = co_await arrived_.wait();
    if (!more) co_return fail(more.error());
  }
  if (cut_) co_return fail(Errc::closed, "the client went before the end of the message");
  auto octets = co_await spool_.read(offset, most);
  co_return octets;
}

const policy::Policy& Step::policy() const {
  if (attempt) return attempt->policy();
  if (recipient) return recipient->policy();
  if (transaction) return transaction->policy();
  return session->policy();
}

Step step_from(HookScope& scope, Hook hook) {
  Step step(hook);
  for (HookScope* s = &scope; s; s = s->outer()) {
    switch (s->kind()) {
      case ScopeKind::client:
        step.session = static_cast<Session*>(s);
        break;
      case ScopeKind::hello:
        step.hello = static_cast<Hello*>(s);
        break;
      case ScopeKind::attempt:
        step.attempt = static_cast<AuthAttempt*>(s);
        break;
      case ScopeKind::transaction:
        step.transaction = static_cast<Transaction*>(s);
        step.message = step.transaction->message();
        break;
      case ScopeKind::recipient:
        step.recipient = static_cast<Recipient*>(s);
        break;
      case ScopeKind::worker:
        break;
    }
  }
  return step;
}

}  // namespace postern::plugin
