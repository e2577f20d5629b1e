// AUTH: the command, its dialogue, and what becomes of it.
#include <postern/base/base64.hpp>
#include <postern/base/text.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/facts/authenticated.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/line.hpp>
#include <postern/smtp/replies.hpp>

#include <algorithm>

namespace postern::session {
namespace {

namespace replies = smtp::replies;
using auth::Mechanism;

// RFC 4954 section 4: "=" stands for a response of no octets.
std::optional<std::string> decode_initial(std::string_view text) {
  if (text == "=") return "";
  return decode_base64(text);
}

}  // namespace

bool Session::may_authenticate() const {
  return stream_->coded() || services_.settings.auth_without_tls;
}

// What the reply to EHLO lists: nothing to those who may not, or have.
smtp::Flags<smtp::AuthMechanism> Session::auth_offers() const {
  if (listener_auth_ == Listener::Auth::off || !may_authenticate()) return {};
  if (hearing_->session().authenticated()) return {};
  auto offers = Witnesses::served(services_.lineup, hearing_->session().policy());
  offers.bits &= services_.settings.auth_mechanisms.bits;
  return offers;
}

// The peers that may say who the client is.
bool Session::is_trusted_peer() const {
  return peer_ && (peer_->may_xclient || peer_->may_xforward);
}

Session::Step Session::auth(const smtp::Command& command) {
  const bool nobody = services_.lineup.empty(plugin::Hook::auth_password) &&
                      services_.lineup.empty(plugin::Hook::auth_secret);
  if (nobody || listener_auth_ == Listener::Auth::off) return not_offered(command);
  // A password that came without being asked for would be read as a command.
  if (hearing_->session().talks_ahead()) {
    close(Ending::errors, replies::talks_ahead());
    return Step::next;
  }
  const auto blank = std::min(command.argument.find(' '), command.argument.size());
  const std::string_view name = command.argument.substr(0, blank);
  const std::string_view initial = trim(command.argument.substr(blank));
  const auto which = smtp::auth_mechanism(name);
  if (state_ == fresh) return refuse_command(replies::helo_first());
  if (transaction_ || !extended()) return refuse_command(replies::bad_sequence());
  if (hearing_->session().authenticated()) return refuse_command(replies::authenticated_already());
  if (!may_authenticate()) return refuse_command(replies::encryption_needed());
  if (name.empty()) return refuse_command(replies::bad_argument());
  if (auto refusal = refuse_auth(which)) return refuse_command(*refusal);

  Attempts::Exchange exchange;
  exchange.name = smtp::name(*which);
  exchange.mechanism = auth::make_mechanism(*which, services_.settings.hostname);
  if (!initial.empty()) {
    exchange.initial = decode_initial(initial);
    if (!exchange.initial) return refuse_command(replies::not_base64());
  }
  auto& attempts = hearing_->attempts();
  if (!attempts) attempts = std::make_unique<Attempts>();
  attempts->begun = std::move(exchange);
  attempts->heard = services_.scheduler.now();
  return Step::authenticate;
}

// Why this mechanism is not to be had.
std::optional<smtp::Reply> Session::refuse_auth(
    std::optional<smtp::AuthMechanism> mechanism) const {
  if (mechanism && offered_.auth.has(*mechanism)) return {};
  if (!mechanism) return replies::unknown_mechanism();
  const bool served =
      Witnesses::served(services_.lineup, hearing_->session().policy()).has(*mechanism);
  const bool wanted = services_.settings.auth_mechanisms.has(*mechanism);
  if (served && !wanted) return replies::mechanism_too_weak();
  return replies::unknown_mechanism();  // or a plugin has withheld AUTH
}

coro::Task<void> Session::authenticate() {
  Attempts& attempts = *hearing_->attempts();
  Attempts::Exchange begun = std::move(*attempts.begun);
  attempts.begun.reset();
  const std::string_view mechanism = begun.name;
  const auth::Mechanism& told = *begun.mechanism;
  Witnesses witnesses(services_, hearing_->session(), stream_->coded());
  const AuthResult result = co_await exchange(begun, witnesses);
  if (context_.stopped() || closing_) co_return close_if_stopped();
  switch (result) {
    case AuthResult::accepted:
      services_.host.counters().add(Count::auth_accepted);
      attempts.by = witnesses.by();
      authenticated_as(told.user(), mechanism);
      reply(replies::authenticated());
      break;
    case AuthResult::refused:
      services_.log.notice("session {}: {} is not authenticated as '{}' by {}", id_,
                           client_.remote.ip.text(), printable(told.user(), 255), mechanism);
      co_await refuse_attempt();
      break;
    case AuthResult::failed:
      ++attempts.failed;
      services_.host.counters().add(Count::auth_failed);
      refuse_command(replies::authentication_unavailable());
      break;
    case AuthResult::over:
      break;
  }
}

// The dialogue, until it is known what comes of it.
coro::Task<AuthResult> Session::exchange(Attempts::Exchange& exchange, Witnesses& witnesses) {
  Mechanism& mechanism = *exchange.mechanism;
  Mechanism::Next next = mechanism.begin(exchange.initial);
  while (true) {
    switch (next) {
      case Mechanism::Next::challenge: {
        // No Reply: it would fold and clean what must stay as it is.
        out_.append("334 ").append(encode_base64(mechanism.challenge())).append("\r\n");
        auto response = co_await read_response();
        if (!response) co_return AuthResult::over;
        next = mechanism.respond(*response);
        Secret::wipe(*response);
        break;
      }
      case Mechanism::Next::password: {
        auto result = co_await witnesses.check(exchange);
        co_return result;
      }
      case Mechanism::Next::secret: {
        auto informed = co_await witnesses.inform(exchange);
        if (!informed) co_return AuthResult::failed;
        next = *informed;
        break;
      }
      case Mechanism::Next::accepted:
        co_return AuthResult::accepted;
      case Mechanism::Next::refused:
        co_return AuthResult::refused;
      case Mechanism::Next::malformed:
        refuse_command(replies::not_base64());
        co_return AuthResult::over;
    }
  }
}

// The client's next line, decoded. Nothing: it has cancelled, or said what is no response, and has
// heard so; or the session is over.
coro::Task<std::optional<std::string>> Session::read_response() {
  if (draining_) close(Ending::shutdown, replies::shutting_down());
  const coro::TimePoint due = services_.scheduler.now() + services_.settings.command_timeout;
  std::optional<std::string> response;
  while (!closing_) {
    const auto line = smtp::take_line(stream_->input(), smtp::limits::auth_line_octets);
    if (line.state == smtp::Line::State::need_more) {
      send_replies();
      if (stream_->unsent() > 0) co_await flush_replies();
      if (closing_) break;
      const auto left = std::max(due - services_.scheduler.now(), net::Duration::zero());
      waiting_ = true;
      auto more = co_await stream_->more(left);
      waiting_ = false;
      if (!more) input_ended(more.error());
      continue;
    }
    if (line.state == smtp::Line::State::too_long)
      close(Ending::errors, replies::authentication_too_long());
    else if (stream_->input().size() > line.consumed)
      close(Ending::errors, replies::talks_ahead());
    else if (line.bare_lf && services_.settings.bare_newline == smtp::BareNewline::reject)
      refuse_command(replies::syntax_error());
    else if (line.text == "*")
      refuse_command(replies::authentication_cancelled());
    else if (response = decode_base64(line.text); !response)
      refuse_command(replies::not_base64());
    stream_->consume(line.consumed);
    hearing_->attempts()->heard = services_.scheduler.now();
    break;
  }
  co_return response;
}

// Always as late: how long the plugins took tells nothing of the user.
coro::Task<void> Session::refuse_attempt() {
  Attempts& attempts = *hearing_->attempts();
  ++attempts.refused;
  services_.host.counters().add(Count::auth_refused);
  const auto due = attempts.heard + services_.settings.auth_failure_time;
  const auto left = due - services_.scheduler.now();
  if (left > coro::Duration::zero()) {
    auto slept = co_await coro::sleep(left);
    if (!slept) co_return close_if_stopped();
  }
  const smtp::Reply refusal = replies::authentication_refused();
  tell_rejected(plugin::Hook::auth_password, refusal, "core:auth");
  reply(refusal);
  if (attempts.refused >= services_.settings.auth_attempts)
    close(Ending::errors, replies::too_many_attempts());
}

void Session::authenticated_as(std::string user, std::string_view mechanism) {
  client_.login = std::move(user);
  if (peer_) peer_->own.login = client_.login;
  hearing_->authenticated(mechanism);
}

void Session::forget_user() {
  client_.login.clear();
  if (peer_) peer_->own.login.clear();
  if (hearing_->attempts()) hearing_->attempts()->by = {};
}

}  // namespace postern::session
