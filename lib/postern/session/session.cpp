// The life of a session: greeting, the wait for input, the end.
#include <postern/coro/deadline.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/timeouts.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace postern::session {
namespace {

using namespace std::chrono_literals;
namespace replies = smtp::replies;

// Closing while the client still sends would reset the connection under our last reply: read a
// little of it and throw it away.
constexpr auto linger_time = 2s;
constexpr std::size_t linger_octets = 256 * 1024;

// A session keeps its reply buffer for the next command, but not what EHLO or a group needed: it
// may now be idle for long.
constexpr std::size_t kept_reply_octets = 128;

}  // namespace

std::string_view name(Ending ending) {
  switch (ending) {
    case Ending::none:
      return "none";
    case Ending::quit:
      return "quit";
    case Ending::refused:
      return "refused";
    case Ending::client_gone:
      return "client_gone";
    case Ending::idle:
      return "idle";
    case Ending::shutdown:
      return "shutdown";
    case Ending::errors:
      return "errors";
    case Ending::overload:
      return "overload";
    case Ending::failure:
      return "failure";
    case Ending::tls_failed:
      return "tls_failed";
  }
  return "none";
}

Session::Session(net::StreamPtr stream, Services& services, const Listener& listener,
                 std::string id)
    : id_(std::move(id)),
      context_(services.scheduler, id_),
      stream_(std::move(stream)),
      services_(services),
      began_(services.scheduler.now()),
      listener_tls_(listener.tls),
      listener_auth_(listener.auth) {
  client_.remote = stream_->remote();
  if (listener.trusts_anybody()) peer_ = Peer::at(listener, client_.remote.ip);
  hearing_ = std::make_unique<Hearing>(services, context_, client_, *stream_, id_);
}

void Session::start(coro::Scope& scope, std::unique_ptr<Session> session, bool full) {
  coro::Context& context = session->context_;
  scope.start(run(std::move(session), full), context);
}

coro::Task<void> Session::run(std::unique_ptr<Session> session, bool full) {
  try {
    if (full) session->close(Ending::overload, replies::too_busy());
    if (!full && session->peer_) co_await session->meet_peer();
    co_await session->converse();
  } catch (const std::exception& error) {
    session->services_.log.error("session {}: {}", session->id_, error.what());
    session->close(Ending::failure, replies::closing_on_error());
  }
  session->stream_->watch_end(nullptr);
  session->end_transaction("aborted");
  session->hearing_->stop();
  co_await session->say_goodbye();
  session->record_session();
  co_await session->hearing_->close();
  session->services_.host.session_ended();
}

coro::Task<void> Session::converse() {
  if (closing_) co_return;
  stream_->watch_end(this);
  Step doing = welcome();
  while (!closing_) {
    switch (doing) {
      case Step::next:
        break;
      case Step::wait_for_plugins: {
        co_await hearing_->finish();
        close_if_stopped();
        if (!closing_) doing = after_(*this);
        continue;
      }
      case Step::welcome_client:
        co_await change_client();
        close_if_stopped();
        if (!closing_) doing = welcome_told();
        continue;
      case Step::judge_late:
        co_await judge_late();
        break;
      case Step::start_tls: {
        const bool implicit = must_encrypt();
        co_await start_tls();
        if (!implicit) break;
        if (!closing_) doing = welcome_admitted();
        continue;
      }
      case Step::authenticate:
        co_await authenticate();
        break;
      case Step::ask_about_recipient:
        co_await ask_about_recipient();
        break;
      case Step::receive_message:
        co_await receive_message();
        break;
      case Step::receive_chunk:
        co_await receive_chunk();
        break;
      case Step::wait_for_input: {
        send_replies();
        if (stream_->unsent() > 0) {
          co_await flush_replies();
          break;
        }
        const auto left = command_due_ - services_.scheduler.now();
        waiting_ = true;
        auto more = co_await stream_->more(std::max(left, net::Duration::zero()));
        waiting_ = false;
        if (!more) input_ended(more.error());
        if (!closing_) doing = step();
        continue;  // a command in pieces has one time limit
      }
    }
    const auto delay = hearing_->take_delay();
    if (peer_ && peer_->changed) co_await change_client();
    if (delay.count() > 0) co_await pause(delay);
    command_due_ = services_.scheduler.now() + services_.settings.command_timeout;
    close_if_stopped();
    if (!closing_) doing = step();
  }
}

Session::Step Session::welcome() {
  const plugin::Lineup& lineup = services_.lineup;
  if (!put_off()) {
    if (!lineup.empty(plugin::Hook::admit) || !lineup.empty(plugin::Hook::connect)) learn_local();
    if (auto refusal = hearing_->admit(client_.local)) {
      tell_rejected(plugin::Hook::admit, refusal->reply, refusal->by);
      close(Ending::refused, refusal->reply);
      return Step::next;
    }
  }
  return must_encrypt() ? Step::start_tls : welcome_admitted();
}

Session::Step Session::welcome_admitted() {
  if (put_off()) {
    hearing_->begins();
    return greet();
  }
  after_ = [](Session& session) { return session.greet(); };
  return hearing_->connect() ? greet() : Step::wait_for_plugins;
}

Session::Step Session::greet() {
  early_talker_ = hearing_->spoke_early();
  hearing_->begins();
  if (const auto& refusal = hearing_->refusal()) {
    tell_rejected(plugin::Hook::connect, refusal->reply, refusal->by);
    close(Ending::refused, refusal->reply);
  } else {
    reply(replies::greeting(services_.settings.hostname));
  }
  return Step::next;
}

// A task of its own: what it needs is rarely needed, and converse() would keep it for every
// session.
coro::Task<void> Session::flush_replies() {
  auto flushed = co_await stream_->flush(smtp::timeouts::reply_write);
  if (!flushed) input_ended(flushed.error());
}

// The next reply waits, but no longer than the worker's budget of waiting replies allows; nobody
// else waits for what this session holds.
coro::Task<void> Session::pause(std::chrono::milliseconds delay) {
  DelayBudget& budget = services_.delays;
  if (budget.now >= budget.most) co_return;
  if (transaction_)
    for (const Way* way : transaction_->ways())
      if (way->delivery) way->delivery->pauses();
  ++budget.now;
  auto slept = co_await coro::sleep(delay);
  --budget.now;
  if (!slept) close_if_stopped();
}

void Session::input_ended(const Error& error) {
  switch (error.code) {
    case Errc::timed_out:
      return close(Ending::idle, replies::idle());
    case Errc::cancelled:
      return close_if_stopped();
    default:
      return close(Ending::client_gone);
  }
}

// Nobody waited for input when the other side went. If it has sent a whole message it may only have
// closed its half and still listen; so it may if there is input that was not looked at yet.
void Session::stream_ended(Errc why) {
  if (why == Errc::closed && (after_data_ || !stream_->input().empty())) return;
  if (ending_ == Ending::none) ending_ = Ending::client_gone;
  context_.stop(Errc::cancelled);
}

void Session::close_if_stopped() {
  if (closing_ || !context_.stopped()) return;
  if (ending_ == Ending::client_gone) return close(Ending::client_gone);
  close(Ending::shutdown, replies::shutting_down());
}

void Session::drain() {
  draining_ = true;
  if (waiting_ && !transaction_) context_.stop(Errc::cancelled);
}

void Session::shut_down() {
  draining_ = true;
  context_.stop(Errc::cancelled);
}

void Session::close(Ending ending) {
  if (ending_ == Ending::none) ending_ = ending;
  closing_ = true;
}

void Session::close(Ending ending, const smtp::Reply& last) {
  reply(last);
  close(ending);
}

coro::Task<void> Session::say_goodbye() {
  if (ending_ == Ending::quit) stream_->end_follows();
  send_replies();
  if (ending_ == Ending::client_gone || ending_ == Ending::tls_failed) co_return;
  const bool still_sends = !stream_->input().empty() || ending_ == Ending::errors;
  if (stream_->unsent() == 0 && !still_sends) co_return;
  co_await coro::shielded(linger_time, linger());
}

coro::Task<void> Session::linger() {
  auto flushed = co_await stream_->flush(linger_time);
  if (!flushed) co_return;
  stream_->end_output();
  std::size_t thrown_away = 0;
  while (thrown_away < linger_octets) {
    thrown_away += stream_->input().size();
    stream_->consume(stream_->input().size());
    auto more = co_await stream_->more(linger_time);
    if (!more) co_return;
  }
}

void Session::reply(const smtp::Reply& reply) {
  const bool utf8 = transaction_ && transaction_->parameters().smtputf8;
  reply.append_to(out_, utf8 ? smtp::ReplyText::utf8 : smtp::ReplyText::ascii);
}

void Session::send_replies() {
  if (out_.empty()) return;
  if (must_encrypt()) return out_.clear();  // nobody could read it
  stream_->write(out_);
  if (out_.capacity() > kept_reply_octets) out_ = std::string();
  out_.clear();
}

}  // namespace postern::session
