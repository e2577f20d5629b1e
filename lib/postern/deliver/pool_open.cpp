// Opening a connection of the pool: servers in turn, greeting, EHLO, TLS, who the client is.
#include <postern/deliver/pool.hpp>
#include <postern/deliver/program.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/timeouts.hpp>

#include <fmt/format.h>

namespace postern::deliver {

namespace {

tl::unexpected<Pool::Unopened> unopened(smtp::Reply reply) {
  return tl::unexpected<Pool::Unopened>(Pool::Unopened(std::move(reply)));
}

}  // namespace

coro::Task<Pool::Opened> Pool::open(Envelope& envelope) {
  const bool named = per_client();
  Client client;
  if (named) client = envelope.client;
  auto opened = co_await open_for(std::move(client), named);
  co_return opened;
}

coro::Task<Pool::Opened> Pool::open_for_us() {
  auto opened = co_await open_for(Client(), false);
  co_return opened;
}

coro::Task<Pool::Opened> Pool::open_for(Client client, bool in_its_name) {
  coro::Context* caller = co_await coro::current_context();
  const Servers::Choice choice = servers_.choose(caller->scheduler().now());
  for (const std::size_t index : choice.looks) looks_.start(look(index));
  bool crowded = choice.tries.empty();
  smtp::Reply refusal = smtp::replies::downstream_unreachable();
  if (crowded) refusal = smtp::replies::downstream_closing();
  for (const std::size_t index : choice.tries) {
    auto opened = co_await open_at(index, client, in_its_name);
    if (!opened && caller->stopped()) co_return opened;  // our client went: that says nothing of it
    if (judge(index, opened)) crowded = true;
    if (opened) co_return opened;
    refusal = std::move(opened.error().reply);
  }
  co_return tl::unexpected<Unopened>(Unopened(std::move(refusal), crowded));
}

// Keeps what became of an attempt. True: the server takes no more connections than it has.
bool Pool::judge(std::size_t index, const Opened& opened) {
  const auto now = scope_.context().scheduler().now();
  const std::string where = servers_.address(index).text();
  if (opened) {
    if (servers_.answered(index, (*opened)->offers))
      log_.notice("downstream {} answers again", where);
    return false;
  }
  if (!opened.error().crowded) {
    servers_.failed(index, now);
    return false;
  }
  const std::size_t others = servers_.open(index);
  if (!servers_.crowded(index, now)) return false;
  log_.warning("downstream {} takes no more than {} connections now; fewer are opened for a while",
               where, others);
  return true;
}

// A server that was down is tried while others serve, and no client waits for that: EHLO, QUIT.
coro::Task<void> Pool::look(std::size_t index) {
  servers_.looked_at(index) = true;
  coro::Context* context = co_await coro::current_context();
  auto opened = co_await open_at(index, Client(), false);
  servers_.looked_at(index) = false;
  if (!opened && context->stopped()) co_return;
  judge(index, opened);
  if (opened) retire(std::move(*opened));
}

coro::Task<Pool::Opened> Pool::open_at(std::size_t index, Client client, bool in_its_name) {
  const bool with_tls = settings_.tls.use != TlsUse::off;
  auto opened = co_await attempt(index, client, in_its_name, with_tls);
  if (opened || !opened.error().clear_will_do) co_return opened;
  opened = co_await attempt(index, std::move(client), in_its_name, false);
  if (opened) leave_clear(**opened, "handshake failed");
  co_return opened;
}

coro::Task<Pool::Opened> Pool::attempt(std::size_t index, Client client, bool in_its_name,
                                       bool with_tls) {
  const ServerAddress to = servers_.address(index);
  Counted counted(servers_.open(index));
  auto dialled = co_await dial(to, client);
  if (!dialled) {
    // However it failed, nobody was there to talk to.
    log_.warning("downstream {}: {}", to.text(), dialled.error().describe());
    const bool ours = dialled.error().code == Errc::descriptors;
    if (ours) co_return unopened(smtp::replies::local_error());
    co_return unopened(smtp::replies::downstream_unreachable());
  }
  ConnectionPtr connection = std::move(*dialled);
  connection->counted = std::move(counted);
  if (!in_its_name) {  // then we are the client
    client.remote = connection->stream().local();
    client.local = to.socket;
  }
  if (settings_.identity == Identity::proxy_v1) connection->stream().write(proxy_v1_header(client));
  if (settings_.identity == Identity::proxy_v2) connection->stream().write(proxy_v2_header(client));

  auto greeting = co_await connection->reply(settings_.timeouts.greeting);
  if (!greeting && connection->program) co_await tell_end(std::move(connection));
  if (!greeting) co_return unfit(to, "greeting", greeting.error());
  if (!greeting->is_positive()) co_return unfit(*connection, "greeting", *greeting);
  auto refusal = co_await say_hello(*connection, client.helo, in_its_name);
  if (!refusal && with_tls) {
    std::string name = servers_.tls_name(index);
    if (name.empty() && !to.is_local()) name = to.socket.ip.text();
    refusal = co_await start_tls(*connection, std::move(name));
    const bool encrypted = connection->stream().coded();
    if (!refusal && encrypted) refusal = co_await say_hello(*connection, client.helo, in_its_name);
  }
  if (refusal) co_return tl::unexpected<Unopened>(std::move(*refusal));
  auto introduced = co_await introduce(std::move(connection), std::move(client), in_its_name);
  co_return introduced;
}

coro::Task<Result<ConnectionPtr>> Pool::dial(ServerAddress to, Client client) {
  if (settings_.program.empty()) {
    auto stream = co_await network_.connect(to, settings_.timeouts.connect);
    if (!stream) co_return fail(stream.error());
    co_return std::make_unique<Connection>(std::move(*stream), to);
  }
  if (!programs_) co_return fail(Errc::unsupported, "no helper starts programs");
  net::ProgramCall call = exim_call(settings_.program, client);
  auto running = co_await programs_->start(std::move(call), settings_.timeouts.connect);
  if (!running) co_return fail(running.error());
  auto connection = std::make_unique<Connection>(std::move(running->talk), to);
  connection->program = std::move(running->end);
  co_return connection;
}

// A program that did not even greet: what it said elsewhere is for the administrator.
coro::Task<void> Pool::tell_end(ConnectionPtr connection) {
  constexpr net::Duration patience = std::chrono::seconds(2);
  auto end = co_await net::read_program_end(*connection->program, patience);
  if (end) log_.error("{}: {}", connection->address().path, net::describe(*end));
}

// EHLO in whose name it is due; HELO where that is all that is known.
coro::Task<Pool::Refusal> Pool::say_hello(Connection& connection, std::string helo,
                                          bool in_its_name) {
  // Told before anything was said: a PROXY header, the arguments of a program.
  const bool told_before = settings_.identity == Identity::proxy_v1 ||
                           settings_.identity == Identity::proxy_v2 || !settings_.program.empty();
  Result<smtp::Reply> answer = fail(Errc::closed);
  if (told_before && in_its_name)
    answer = co_await ehlo_as_client(connection, std::move(helo));
  else
    answer = co_await ehlo(connection, settings_.hostname);
  if (!answer) co_return unfit(connection.address(), "EHLO", answer.error()).error();
  if (!answer->is_positive()) co_return unfit(connection, "EHLO", *answer).error();
  co_return std::nullopt;
}

coro::Task<Pool::Opened> Pool::introduce(ConnectionPtr connection, Client client,
                                         bool in_its_name) {
  if (settings_.identity == Identity::xforward && connection->offers.xforward.empty()) {
    log_.error(
        "downstream {} does not offer XFORWARD: allow us there "
        "(Postfix: smtpd_authorized_xforward_hosts), or set identity = \"none\"",
        connection->address().text());
    co_return unopened(smtp::replies::local_error());
  }
  if (settings_.identity != Identity::xclient || !in_its_name) co_return connection;
  auto told = co_await send_xclient(std::move(connection), std::move(client));
  co_return told;
}

// XCLIENT puts the downstream back before EHLO (Postfix's XCLIENT_README).
coro::Task<Pool::Opened> Pool::send_xclient(ConnectionPtr connection, Client client) {
  const auto lines = xclient_lines(client, connection->offers.xclient);
  if (lines.empty()) {
    log_.error(
        "downstream {} does not offer XCLIENT: allow us there "
        "(Postfix: smtpd_authorized_xclient_hosts), or set identity = \"none\"",
        connection->address().text());
    co_return unopened(smtp::replies::local_error());
  }
  for (const std::string& line : lines) {
    auto answer = co_await connection->command(line, settings_.timeouts.greeting);
    if (!answer) co_return unfit(connection->address(), "XCLIENT", answer.error());
    if (!answer->is_positive()) co_return unfit(*connection, "XCLIENT", *answer);
  }
  auto answer = co_await ehlo_as_client(*connection, client.helo);
  if (!answer) co_return unfit(connection->address(), "EHLO", answer.error());
  if (!answer->is_positive()) co_return unfit(*connection, "EHLO", *answer);
  co_return connection;
}

// A downstream that judges the client by its address judges it by this name, too: ours would be a
// lie in its Received field. Where it does not take the name for one, it hears ours all the same.
coro::Task<Result<smtp::Reply>> Pool::ehlo_as_client(Connection& connection, std::string helo) {
  constexpr int syntax_error = 501;  // RFC 5321 section 4.2.2: in parameters or arguments
  if (!helo.empty()) {
    auto answer = co_await ehlo(connection, std::move(helo));
    if (!answer || answer->code() != syntax_error) co_return answer;
  }
  auto answer = co_await ehlo(connection, settings_.hostname);
  co_return answer;
}

// A server that does not know EHLO gets HELO (RFC 5321 section 3.2); what it offers is then
// nothing. LMTP has LHLO instead of both (RFC 2033 section 4.1).
coro::Task<Result<smtp::Reply>> Pool::ehlo(Connection& connection, std::string name) {
  const bool lmtp = settings_.protocol == Protocol::lmtp;
  std::string line = fmt::format("{} {}\r\n", lmtp ? "LHLO" : "EHLO", name);
  auto answer = co_await connection.command(std::move(line), settings_.timeouts.greeting);
  if (!answer) co_return answer;
  connection.offers = {};
  if (answer->is_positive()) {
    connection.offers = smtp::parse_capabilities(*answer);
    // RFC 8689 section 4.2.1: only of a server that is known to be the right one.
    if (!connection.protection || !connection.protection->verified)
      connection.offers.requiretls = false;
  } else if (answer->is_permanent() && !lmtp) {
    line = fmt::format("HELO {}\r\n", name);
    answer = co_await connection.command(std::move(line), settings_.timeouts.greeting);
  }
  co_return answer;
}

// What a downstream says to us before MAIL is about us, not about our client's message: never a
// permanent refusal for the client, but an alarm for the administrator.
Pool::Opened Pool::unfit(const Connection& connection, std::string_view phase,
                         const smtp::Reply& reply) {
  if (reply.code() == 421) {
    log_.warning("downstream {} answered 421 {} to {}", connection.address().text(), reply.text(),
                 phase);
    return tl::unexpected<Unopened>(Unopened(smtp::replies::downstream_closing(), true));
  }
  log_.error("downstream {} answered {} {} to {}: it must accept us", connection.address().text(),
             reply.code(), reply.text(), phase);
  return unopened(smtp::replies::local_error());
}

Pool::Opened Pool::unfit(const ServerAddress& address, std::string_view phase, const Error& error) {
  log_.warning("downstream {}: {}: {}", address.text(), phase, error.describe());
  return unopened(reply_for(error));
}

}  // namespace postern::deliver
