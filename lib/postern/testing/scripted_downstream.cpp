#include <postern/base/text.hpp>
#include <postern/coro/event.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/testing/scripted_downstream.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postern::testing {

namespace {

// As the PROXY protocol's specification (haproxy, doc/proxy-protocol.txt, section 2.2) gives it.
constexpr std::string_view proxy_v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t endless_octets = 64 * 1024 * 1024;  // "for ever", for a test

std::string without_verb(std::string_view line, std::string_view verb) {
  return std::string(trim(line.substr(verb.size())));
}

}  // namespace

std::string_view name(Phase phase) {
  static constexpr std::array<std::string_view, 14> names{
      "connect", "greeting", "ehlo", "starttls", "handshake",   "xforward", "xclient",
      "mail",    "rcpt",     "data", "body",     "end_of_data", "rset",     "quit"};
  return names.at(static_cast<std::size_t>(phase));
}

struct ScriptedDownstream::Connection {
  Connection(net::StreamPtr stream, std::size_t number, Session& record)
      : wire(std::move(stream)), index(number), session(record) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Wire wire;
  std::size_t index;
  Session& session;
  std::map<Phase, std::size_t> seen;  // how often each phase came
  int code = 0;                       // of the last reply
  std::string written;                // the last reply
  bool in_transaction = false;
  std::string reverse_path;
  std::vector<std::string> forward_paths;
  Delivery* chunks = nullptr;  // what has come by BDAT, up to its last
};

std::size_t ScriptedDownstream::promised() const {
  return static_cast<std::size_t>(std::count_if(ledger_.begin(), ledger_.end(),
                                                [](const Delivery& d) { return d.promised(); }));
}

coro::Task<void> ScriptedDownstream::serve(net::StreamPtr stream) {
  Session& session = sessions_.emplace_back();
  session.from = stream->remote();
  Connection connection(std::move(stream), sessions_.size() - 1, session);
  co_await converse(connection);
}

coro::Task<void> ScriptedDownstream::converse(Connection& connection) {
  if (settings_.proxy) {
    bool got = co_await read_proxy_header(connection);
    if (!got) co_return;
  }
  if (const Fault* fault = fault_for(connection, Phase::connect)) {
    Fault copy = *fault;
    Next next = co_await act(connection, std::move(copy));
    if (next == Next::end) co_return;
  }
  std::string greeting = fmt::format("220 {} ESMTP\r\n", settings_.hostname);
  Next next = co_await answer(connection, Phase::greeting, std::move(greeting));
  while (next == Next::go_on) {
    auto line = co_await connection.wire.line(settings_.patience);
    if (!line) {
      connection.session.end = line.error();
      co_return;
    }
    connection.session.commands.push_back(*line);
    next = co_await command(connection, std::move(*line));
  }
}

coro::Task<bool> ScriptedDownstream::read_proxy_header(Connection& connection) {
  auto first = co_await connection.wire.exactly(6, settings_.patience);
  if (!first) co_return false;
  std::string header = *first;
  if (proxy_v2_signature.substr(0, 6) != header) {
    auto line = co_await connection.wire.line(settings_.patience);
    if (line) header += *line;
    connection.session.proxy_header = header;
    co_return line.has_value();
  }
  auto fixed = co_await connection.wire.exactly(10, settings_.patience);
  if (!fixed) co_return false;
  header += *fixed;
  const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(header[14])) << 8 |
                             static_cast<unsigned char>(header[15]);
  auto rest = co_await connection.wire.exactly(length, settings_.patience);
  if (rest) header += *rest;
  connection.session.proxy_header = header;
  co_return rest.has_value();
}

std::string ScriptedDownstream::ehlo_reply(const Connection& connection) const {
  std::string reply = "250-" + settings_.hostname + "\r\n";
  const bool encrypted = connection.session.tls.has_value();
  const bool other = encrypted && !settings_.capabilities_under_tls.empty();
  for (const std::string& line : other ? settings_.capabilities_under_tls : settings_.capabilities)
    if (!encrypted || line != "STARTTLS") reply += "250-" + line + "\r\n";
  reply[reply.rfind("250-") + 3] = ' ';
  return reply;
}

coro::Task<ScriptedDownstream::Next> ScriptedDownstream::command(Connection& connection,
                                                                 std::string line) {
  Phase phase = Phase::rset;
  std::string reply = "250 2.0.0 OK\r\n";
  if (settings_.lmtp != istarts_with(line, "LHLO ") &&
      (istarts_with(line, "EHLO ") || istarts_with(line, "LHLO ") || istarts_with(line, "HELO "))) {
    reply = "500 5.5.1 the other protocol is spoken here\r\n";
  } else if (istarts_with(line, "EHLO ") || istarts_with(line, "LHLO ")) {
    phase = Phase::ehlo;
    reply = settings_.capabilities.empty() ? "502 5.5.1 no extensions\r\n" : ehlo_reply(connection);
  } else if (istarts_with(line, "HELO ")) {
    phase = Phase::ehlo;
    reply = "250 " + settings_.hostname + "\r\n";
  } else if (iequals(line, "STARTTLS")) {
    phase = Phase::starttls;
    reply = settings_.tls ? "220 2.0.0 go ahead\r\n" : "502 5.5.1 no TLS\r\n";
  } else if (istarts_with(line, "BDAT ")) {
    Next next = co_await take_chunk(connection, without_verb(line, "BDAT "));
    co_return next;
  } else if (istarts_with(line, "XFORWARD ")) {
    phase = Phase::xforward;
  } else if (istarts_with(line, "XCLIENT ")) {
    phase = Phase::xclient;
    reply = fmt::format("220 {} ESMTP\r\n", settings_.hostname);
  } else if (istarts_with(line, "MAIL FROM:")) {
    phase = Phase::mail;
    if (connection.in_transaction) reply = "503 5.5.1 nested MAIL\r\n";
  } else if (istarts_with(line, "RCPT TO:")) {
    phase = Phase::rcpt;
    const std::string path = without_verb(line, "RCPT TO:");
    auto known = settings_.recipients.find(path.substr(0, path.find(' ')));
    if (known == settings_.recipients.end()) known = settings_.recipients.find("*");
    if (known != settings_.recipients.end()) reply = known->second;
    if (!connection.in_transaction) reply = "503 5.5.1 MAIL first\r\n";
  } else if (iequals(line, "DATA")) {
    phase = Phase::data;
    reply = "354 go on\r\n";
    if (connection.forward_paths.empty()) reply = "554 5.5.1 no valid recipients\r\n";
  } else if (iequals(line, "QUIT")) {
    phase = Phase::quit;
    reply = "221 2.0.0 bye\r\n";
  } else if (!iequals(line, "RSET") && !iequals(line, "NOOP")) {
    reply = "500 5.5.2 unknown\r\n";
  }

  const bool nested = connection.in_transaction && phase == Phase::mail;
  Next next = co_await answer(connection, phase, std::move(reply));
  if (next == Next::end || phase == Phase::quit) co_return Next::end;
  const bool accepted = connection.code / 100 == 2;
  if (phase == Phase::mail && accepted && !nested) {
    connection.in_transaction = true;
    connection.reverse_path = without_verb(line, "MAIL FROM:");
    connection.forward_paths.clear();
  } else if (phase == Phase::rcpt && accepted && connection.in_transaction) {
    connection.forward_paths.push_back(without_verb(line, "RCPT TO:"));
  } else if (phase == Phase::data && connection.code == 354) {
    next = co_await take_message(connection);
  } else if (phase == Phase::starttls && connection.code == 220) {
    next = co_await begin_tls(connection);
  } else if (iequals(line, "RSET") || phase == Phase::ehlo || phase == Phase::xclient) {
    connection.in_transaction = false;
    connection.forward_paths.clear();
  }
  co_return next;
}

// Reads what the fault of `body` lets it read first; false: no more than that.
coro::Task<bool> ScriptedDownstream::begin_body(Connection& connection, Delivery& delivery) {
  const Fault* fault = fault_for(connection, Phase::body);
  if (!fault) co_return true;
  Fault copy = *fault;
  auto part = co_await connection.wire.exactly(copy.after, settings_.patience);
  if (part) {
    delivery.content = unstuff(*part);
    connection.wire.put_back(*part);  // the end of data may begin in it
  }
  if (copy.kind == Fault::Kind::hang) {
    coro::Event never;
    auto stopped = co_await never.wait();
    connection.session.end = stopped.error();
    co_return false;
  }
  Next next = co_await act(connection, std::move(copy));
  delivery.reply = connection.written;
  co_return next == Next::go_on;
}

coro::Task<ScriptedDownstream::Next> ScriptedDownstream::take_message(Connection& connection) {
  Delivery& delivery = ledger_.emplace_back();
  delivery.reverse_path = connection.reverse_path;
  delivery.forward_paths = connection.forward_paths;
  connection.in_transaction = false;
  connection.forward_paths.clear();
  connection.written.clear();

  bool whole = co_await begin_body(connection, delivery);
  if (!whole) co_return Next::end;
  const bool early_answer = !delivery.reply.empty();
  auto octets = co_await connection.wire.message(settings_.patience);
  if (!octets) {
    connection.session.end = octets.error();
    co_return Next::end;
  }
  delivery.content = unstuff(*octets);
  delivery.complete = true;
  if (early_answer) co_return Next::go_on;
  Next next = co_await finish_message(connection, delivery);
  co_return next;
}

// RFC 3030: the octets as they are, a reply to each chunk; that to the last one is `end_of_data`.
coro::Task<ScriptedDownstream::Next> ScriptedDownstream::take_chunk(Connection& connection,
                                                                    std::string argument) {
  const std::string_view count = std::string_view(argument).substr(0, argument.find(' '));
  const bool last = argument.ends_with(" LAST");
  if (!connection.chunks) {
    connection.chunks = &ledger_.emplace_back();
    connection.chunks->reverse_path = connection.reverse_path;
    connection.chunks->forward_paths = connection.forward_paths;
  }
  Delivery& delivery = *connection.chunks;
  auto octets = co_await connection.wire.exactly(to_number<std::size_t>(count).value_or(0),
                                                 settings_.patience);
  if (!octets) {
    connection.session.end = octets.error();
    co_return Next::end;
  }
  delivery.content += *octets;
  if (!last) {
    Next next = co_await answer(connection, Phase::data, "250 2.0.0 chunk taken\r\n");
    co_return next;
  }
  delivery.complete = true;
  connection.chunks = nullptr;
  connection.in_transaction = false;
  connection.forward_paths.clear();
  Next next = co_await finish_message(connection, delivery);
  co_return next;
}

// Whatever has come in the clear behind STARTTLS is kept: nothing should have.
coro::Task<ScriptedDownstream::Next> ScriptedDownstream::begin_tls(Connection& connection) {
  connection.session.commands_in_clear = connection.session.commands.size();
  connection.in_transaction = false;
  if (const Fault* fault = fault_for(connection, Phase::handshake)) {
    Fault copy = *fault;
    auto hello = co_await connection.wire.some(settings_.patience);  // the client speaks first
    if (!hello) co_return Next::end;
    Next next = co_await act(connection, std::move(copy));
    co_return next;
  }
  auto facts = co_await settings_.tls->accept(connection.wire.stream(), net::TlsStart::at_once,
                                              settings_.patience);
  if (!facts) {
    connection.session.end = facts.error();
    co_return Next::end;
  }
  connection.session.tls = std::move(*facts);
  co_return Next::go_on;
}

coro::Task<ScriptedDownstream::Next> ScriptedDownstream::finish_message(Connection& connection,
                                                                        Delivery& delivery) {
  if (settings_.lmtp) {
    Delivery copy = std::move(delivery);
    ledger_.pop_back();
    Next after = co_await answer_for_each(connection, std::move(copy));
    co_return after;
  }
  std::string promise = fmt::format("250 2.0.0 queued as {}\r\n", ledger_.size());
  Next next = co_await answer(connection, Phase::end_of_data, std::move(promise));
  delivery.reply = connection.written;
  co_return next;
}

// RFC 2033 section 4.2; one entry of the ledger for each.
coro::Task<ScriptedDownstream::Next> ScriptedDownstream::answer_for_each(Connection& connection,
                                                                         Delivery whole) {
  for (const std::string& path : whole.forward_paths) {
    Delivery& one = ledger_.emplace_back(whole);
    one.forward_paths = {path};
    std::string promise = fmt::format("250 2.0.0 {} saved\r\n", path);
    Next next = co_await answer(connection, Phase::end_of_data, std::move(promise));
    one.reply = connection.written;
    if (next == Next::end) co_return next;
  }
  co_return Next::go_on;
}

const Fault* ScriptedDownstream::fault_for(Connection& connection, Phase phase) {
  const std::size_t nth = connection.seen[phase]++;
  for (const Fault& fault : faults_) {
    const bool here =
        fault.once ? connection.index == fault.connection : connection.index >= fault.connection;
    if (fault.phase == phase && fault.nth == nth && here) return &fault;
  }
  return nullptr;
}

coro::Task<ScriptedDownstream::Next> ScriptedDownstream::answer(Connection& connection, Phase phase,
                                                                std::string reply) {
  connection.code = 0;
  connection.written.clear();
  if (settings_.think > Duration{}) {
    auto thought = co_await coro::sleep(settings_.think);
    if (!thought) co_return Next::end;
  }
  Fault what{phase, Fault::Kind::reply, std::move(reply)};
  if (const Fault* fault = fault_for(connection, phase)) what = *fault;
  Next next = co_await act(connection, std::move(what));
  co_return next;
}

coro::Task<ScriptedDownstream::Next> ScriptedDownstream::act(Connection& connection, Fault fault) {
  Wire& wire = connection.wire;
  if (fault.kind == Fault::Kind::reply || fault.kind == Fault::Kind::reply_close) {
    wire.send(fault.octets);
    connection.written = fault.octets;
    connection.code = to_number<int>(std::string_view(fault.octets).substr(0, 3)).value_or(0);
    if (fault.kind == Fault::Kind::reply) co_return Next::go_on;
    wire.stream().end_output();
  } else if (fault.kind == Fault::Kind::reset) {
    wire.stream().reset();
  } else if (fault.kind == Fault::Kind::hang) {
    auto rest = co_await wire.rest(settings_.patience);  // reads on, says nothing
    if (!rest) connection.session.end = rest.error();
  } else if (fault.kind != Fault::Kind::close) {
    const bool one_line = fault.kind == Fault::Kind::endless_line;
    if (one_line) wire.send("250 ");
    std::string chunk;
    for (int i = 0; i < 512; ++i) chunk += one_line ? "xxxxxxx" : "250-x\r\n";
    for (std::size_t sent = 0; sent < endless_octets; sent += chunk.size()) {
      wire.send(chunk);
      auto flushed = co_await wire.flush(settings_.patience);
      if (!flushed) break;
    }
  }
  co_return Next::end;
}

}  // namespace postern::testing
