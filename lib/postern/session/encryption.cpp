// TLS: the command STARTTLS (RFC 3207), and listeners that begin with it (RFC 8314).
#include <postern/net/tls.hpp>
#include <postern/session/running.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>

namespace postern::session {
namespace {

namespace replies = smtp::replies;

facts::Tls fact_of(net::TlsFacts&& known) {
  facts::Tls fact;
  fact.version = std::move(known.version);
  fact.cipher = std::move(known.cipher);
  fact.bits = known.bits;
  fact.server_name = std::move(known.server_name);
  fact.subject = std::move(known.subject);
  fact.fingerprint = std::move(known.fingerprint);
  fact.verified = known.verified;
  fact.resumed = known.resumed;
  return fact;
}

}  // namespace

bool Session::offers_tls() const {
  return listener_tls_ == Listener::Tls::starttls && !stream_->coded() && services_.tls &&
         services_.tls->ready();
}

bool Session::must_encrypt() const {
  return listener_tls_ == Listener::Tls::implicit && !stream_->coded();
}

const facts::Tls* Session::tls() const { return hearing_->session().facts().find<facts::Tls>(); }

// RFC 3207 section 4. The reply ends its group: nothing that follows in the clear is read.
Session::Step Session::starttls(const smtp::Command& command) {
  if (listener_tls_ == Listener::Tls::none) return not_offered(command);
  if (stream_->coded() || transaction_ || !extended())
    return refuse_command(replies::bad_sequence());
  if (!command.argument.empty()) return refuse_command(replies::bad_argument());
  if (!offers_tls()) return refuse_command(replies::tls_unavailable());
  if (!offered_.starttls) return not_offered(command);  // a plugin has withheld it
  reply(replies::start_tls());
  return Step::start_tls;
}

// The client has been told to begin, or knows that it must. What it has sent behind STARTTLS is
// thrown away before anything else can arrive.
coro::Task<void> Session::start_tls() {
  const bool implicit = must_encrypt();
  const auto start = implicit ? net::TlsStart::at_once : net::TlsStart::after_dialogue;
  send_replies();
  if (!services_.tls) co_return close(Ending::tls_failed);
  auto known = co_await services_.tls->accept(*stream_, start, net::TlsServer::patience);
  if (!known) co_return tls_failed(known.error());
  if (known->discarded > 0)
    services_.log.warning(
        "session {}: {} octets that {} sent in the clear behind STARTTLS are thrown away: "
        "somebody injects commands",
        id_, known->discarded, client_.remote.ip.text());
  put_tls(fact_of(std::move(*known)));
  client_.tls = true;
  hearing_->excuse(0);
  if (!implicit) forget_the_clear();
}

void Session::put_tls(facts::Tls&& known) {
  const Running running(services_.scheduler, "core:tls");  // whose the fact is
  hearing_->session().facts().put(std::move(known));
}

void Session::tls_failed(const Error& error) {
  if (error.code == Errc::cancelled) return close_if_stopped();
  services_.log.info("session {}: no TLS with {}: {}", id_, client_.remote.ip.text(),
                     error.describe());
  close(Ending::tls_failed);
}

// RFC 3207 section 4.2: what the client has said before may have been somebody else.
void Session::forget_the_clear() {
  state_ = fresh;
  offered_ = {};
  client_.helo.clear();
  client_.esmtp = false;
  forget_user();
  hearing_->forget_greeting();
  if (!peer_) return;
  Peer& peer = *peer_;
  peer.extended = false;
  peer.may_tell(stream_->remote().ip);
  if (!peer.may_xclient && !peer.may_xforward) return;
  peer.told = {};
  peer.forwarded.reset();
  peer.own = peer.met;
  peer.changed = true;
}

}  // namespace postern::session
