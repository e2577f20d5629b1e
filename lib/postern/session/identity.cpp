// Who the client is where a peer tells it: PROXY, XCLIENT, XFORWARD. One model for all three: the
// client scope begins anew for the client that is told, so that every plugin judges him.
#include <postern/coro/deadline.hpp>
#include <postern/facts/client_name.hpp>
#include <postern/net/proxy_header.hpp>
#include <postern/session/running.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/timeouts.hpp>

#include <algorithm>

namespace postern::session {
namespace {

namespace replies = smtp::replies;
using net::ProxyHeader;

// Whose the facts are that a peer has told.
constexpr std::string_view by_peer = "peer";

bool contains(const std::vector<Network>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(address); });
}

// What is told of the client takes the place of what was known; a name does not outlast its
// address.
void apply(const smtp::ClientAttributes& told, deliver::Client& client) {
  if (told.addr) {
    client.remote = {*told.addr, 0};
    client.name.clear();
  }
  if (told.port) client.remote.port = *told.port;
  if (told.destaddr) client.local.ip = *told.destaddr;
  if (told.destport) client.local.port = *told.destport;
  if (told.name) client.name = *told.name;
  if (told.helo) client.helo = *told.helo;
  if (told.esmtp) client.esmtp = *told.esmtp;
  if (told.login) client.login = *told.login;
}

// XFORWARD begins with nothing known (XFORWARD_README); what came up at the peer itself is its own.
deliver::Client forwarded_client(const smtp::ClientAttributes& told, const deliver::Client& own) {
  if (told.local.value_or(false) && told.addr.value_or(IpAddress()) == IpAddress()) return own;
  deliver::Client client;
  client.local = own.local;
  client.login = own.login;  // the connection is its; XFORWARD is for records
  client.esmtp = true;
  apply(told, client);
  return client;
}

// The basic code is that of MAIL, where it takes effect; neither says that we close.
smtp::Reply at_mail(const smtp::Reply& reply) {
  if (reply.code() == 421) return {450, reply.enhanced(), std::string(reply.text())};
  if (reply.code() == 554) return {550, reply.enhanced(), std::string(reply.text())};
  return reply;
}

}  // namespace

// Rights are those of the connection's own address, whatever is told after.
std::unique_ptr<Peer> Peer::at(const Listener& listener, const IpAddress& address) {
  auto peer = std::make_unique<Peer>(listener);
  peer->sends_header = contains(listener.proxy_from, address);
  peer->may_tell(address);
  peer->put_off = peer->may_xclient || peer->may_xforward;
  if (!peer->sends_header && !peer->put_off) return nullptr;
  return peer;
}

void Peer::may_tell(const IpAddress& address) {
  may_xclient = contains(listener.xclient_from, address);
  may_xforward = contains(listener.xforward_from, address);
}

// Before anything else. Where a header does not come it is closed without an octet: a proxy would
// pass any to its client.
coro::Task<void> Session::meet_peer() {
  if (peer_->sends_header) {
    const char* problem = co_await read_proxy_header();
    if (problem) {
      peer_->is_unmet = true;
      if (*problem)
        services_.log.warning("session {}: {} is in proxy_from, but sends no PROXY header: {}", id_,
                              stream_->remote().ip.text(), problem);
      close(Ending::errors);
    }
  }
  learn_local();
  peer_->met = peer_->own = client_;
}

// Null, or why there is none: "" where nobody need know.
coro::Task<const char*> Session::read_proxy_header() {
  const coro::TimePoint due = began_ + smtp::timeouts::proxy_header;
  ProxyHeader header = net::parse_proxy_header(stream_->input());
  while (header.state == ProxyHeader::State::need_more) {
    const auto left = std::max<net::Duration>(due - services_.scheduler.now(), {});
    waiting_ = true;
    auto more = co_await stream_->more(left);
    waiting_ = false;
    if (more) {
      header = net::parse_proxy_header(stream_->input());
      continue;
    }
    if (more.error().code == Errc::timed_out) co_return "not within 5 s";
    const bool nothing = stream_->input().empty() || more.error().code == Errc::cancelled;
    co_return nothing ? "" : "it ends within";
  }
  if (header.state == ProxyHeader::State::malformed) co_return header.problem;
  stream_->consume(header.octets);
  hearing_->excuse(stream_->input().size());  // what came with it was not sent to us
  peer_->is_own = !header.has_client;
  peer_->put_off = peer_->put_off || peer_->is_own;
  if (header.has_client) {
    client_.remote = header.client;
    client_.local = header.local;
  }
  co_return nullptr;
}

// Where the client connected to: known from a peer, or asked for when it is first needed.
void Session::learn_local() {
  if (client_.local == SocketAddress()) client_.local = stream_->local();
}

// What XCLIENT has told of the greeting stays, however the peer itself greets. True: the client is
// not judged yet.
bool Session::greeted_by_peer(bool extended) {
  peer_->extended = extended;
  deliver::Client& own = peer_->own;
  own.helo = peer_->told.helo.value_or(client_.helo);
  own.esmtp = peer_->told.esmtp.value_or(extended);
  if (!peer_->forwarding) {
    client_.helo = own.helo;
    client_.esmtp = own.esmtp;
  }
  return put_off();
}

// The reply is a greeting, and the session is where it was after the first one.
Session::Step Session::xclient(const smtp::Command& command) {
  if (!peer_) return not_offered(command);
  if (!peer_->may_xclient) return refuse_command(replies::not_trusted());
  if (transaction_) return refuse_command(replies::bad_sequence());
  // What was told with another address is not true of this one.
  smtp::ClientAttributes told = peer_->told.addr ? smtp::ClientAttributes() : peer_->told;
  auto read = smtp::read_client_attributes(command.argument, smtp::xclient_attributes(), told);
  if (!read) return refuse_command(replies::bad_argument());
  peer_->told = told;
  peer_->forwarded.reset();
  peer_->own.helo.clear();
  forget_user();
  apply(told, peer_->own);
  peer_->changed = true;
  state_ = fresh;
  offered_ = {};
  return Step::welcome_client;
}

// Several add up. They hold for the next transaction and are forgotten with it.
Session::Step Session::xforward(const smtp::Command& command) {
  if (!peer_) return not_offered(command);
  if (!peer_->may_xforward) return refuse_command(replies::not_trusted());
  if (transaction_) return refuse_command(replies::bad_sequence());
  smtp::ClientAttributes told = peer_->forwarded.value_or(smtp::ClientAttributes());
  auto read = smtp::read_client_attributes(command.argument, smtp::xforward_attributes(), told);
  if (!read) return refuse_command(replies::bad_argument());
  peer_->forwarded = std::move(told);
  peer_->changed = peer_->changed || !peer_->put_off;
  reply(replies::ok());
  return Step::next;
}

void Session::forget_forwarded() {
  if (!peer_ || !peer_->forwarded) return;
  peer_->forwarded.reset();
  peer_->changed = peer_->changed || peer_->forwarding;
}

// The client scope ends, as at the end of a session: its tasks are joined. The new client has heard
// a greeting before: nothing that it has sent is early.
coro::Task<void> Session::change_client() {
  hearing_->stop();
  co_await hearing_->close();
  Peer& peer = *peer_;
  std::optional<facts::Tls> encrypted;  // the connection is
  if (const facts::Tls* known = tls()) encrypted = *known;
  const bool told = !peer.told.login.value_or("").empty();
  const std::string_view mechanism = told ? "XCLIENT" : hearing_->session().auth_mechanism();
  std::unique_ptr<Attempts> attempts = std::move(hearing_->attempts());
  client_ = peer.own;
  hearing_ = std::make_unique<Hearing>(services_, context_, client_, *stream_, id_);
  hearing_->begins();
  hearing_->attempts() = std::move(attempts);
  if (!client_.login.empty()) hearing_->authenticated(mechanism);
  if (encrypted) put_tls(std::move(*encrypted));
  peer.refusal.reset();
  peer.changed = peer.forwarding = false;
  peer.put_off = true;
}

// Once XCLIENT has told the address the client is judged at once, and trusted for what it is
// itself; before, another XCLIENT may follow.
Session::Step Session::welcome_told() {
  Peer& peer = *peer_;
  if (peer.told.addr) {
    peer.put_off = false;
    peer.may_tell(client_.remote.ip);
    put_name();
  }
  return welcome();
}

// The name that a peer tells is the client's name fact: a claim, but of somebody we trust.
void Session::put_name() {
  facts::ClientName name;
  name.name = client_.name;
  const std::string reverse = peer_->told.reverse_name.value_or("");
  if (!reverse.empty() && !peer_->forwarding) name.names = {reverse};
  if (name.name.empty() && name.names.empty()) return;
  const Running running(services_.scheduler, by_peer);
  hearing_->session().facts().put(std::move(name));
}

// Until here the peer might have told another client; MAIL is answered by what they decide.
coro::Task<void> Session::judge_late() {
  Peer& peer = *peer_;
  peer.put_off = false;
  if (peer.forwarded) {
    client_ = forwarded_client(*peer.forwarded, peer.own);
    peer.forwarding = true;
  }
  put_name();
  peer.refused_at = plugin::Hook::admit;
  peer.refusal = hearing_->admit(client_.local);
  if (!peer.refusal) {
    const bool over = hearing_->connect();
    if (!over) co_await hearing_->finish();
    if (context_.stopped()) co_return;
    peer.refused_at = plugin::Hook::connect;
    peer.refusal = hearing_->refusal();
  }
  if (peer.refusal) peer.refusal->closes = true;
  const bool over = hearing_->greet(client_.helo, client_.esmtp);
  if (!over) co_await hearing_->finish();
  if (peer.refusal || !hearing_->refusal()) co_return;
  peer.refused_at = plugin::Hook::helo;
  peer.refusal = hearing_->refusal();
}

// A forwarded client is gone with his transaction; the connection is the peer's, and stays.
Session::Step Session::refuse_late() {
  const Refusal refusal = *std::exchange(peer_->refusal, {});
  const bool closes = refusal.closes && !peer_->forwarding;
  const smtp::Reply answer = closes ? refusal.reply : at_mail(refusal.reply);
  tell_rejected(peer_->refused_at, answer, refusal.by, {}, closes);
  const bool must_greet = !peer_->forwarding;
  conclude(answer, refusal.by);
  if (must_greet) state_ = fresh;
  if (closes) close(Ending::refused);
  return Step::next;
}

// A balancer asks every few seconds whether we live; what was no session leaves no record either.
bool Session::was_health_check() const {
  if (!peer_ || (!peer_->is_unmet && !peer_->is_own)) return false;
  const bool polite = ending_ == Ending::quit || ending_ == Ending::client_gone;
  return peer_->is_unmet || (polite && transactions_ == 0 && errors_ == 0);
}

}  // namespace postern::session
