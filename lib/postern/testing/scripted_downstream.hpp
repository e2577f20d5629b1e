// An SMTP server by script, for tests of what we do as its client: speaks the protocol, fails where
// it is told to, and keeps a ledger of what it promised.
//
//   ScriptedDownstream downstream;
//   downstream.fail({Phase::rcpt, Fault::Kind::reply, "451 4.3.0 later\r\n"});
//   network.listen(address, [&](net::StreamPtr s) { return downstream.serve(std::move(s)); });
#pragma once

#include <postern/net/tls.hpp>
#include <postern/testing/wire.hpp>

#include <deque>
#include <map>

namespace postern::testing {

enum class Phase {
  connect,
  greeting,
  ehlo,
  starttls,   // its reply; what a fault puts behind that comes in the same write
  handshake,  // what a fault does, or says, instead of it
  xforward,
  xclient,
  mail,
  rcpt,
  data,
  body,
  end_of_data,
  rset,
  quit
};
std::string_view name(Phase phase);

// What happens instead of the normal reply of a phase.
struct Fault {
  enum class Kind {
    reply,        // `octets`, as they are; the dialogue goes on as their code says
    reply_close,  // the same, then an orderly end: "421 …"
    close,        // an orderly end without a word
    reset,
    hang,           // never a word again; `body`: reads no more either
    endless_line,   // "250 xxxx…" without an end
    endless_reply,  // "250-x" for ever
  };
  Phase phase;
  Kind kind;
  std::string octets = {};
  // The n-th time that this phase comes in one connection, from 0.
  std::size_t nth = 0;
  // Connections before this one are not affected, and none after it if `once`.
  std::size_t connection = 0;
  bool once = false;
  std::size_t after = 0;  // `body`: octets that are read first
};

// A message whose content was begun to be received.
struct Delivery {
  std::string reverse_path;  // as in MAIL FROM:, with its parameters
  std::vector<std::string>
      forward_paths;      // those that were answered with 2xx, with their parameters
  std::string content;    // dots taken off
  bool complete = false;  // its end was seen
  std::string reply;      // what was written to the end of data; empty: nothing
  bool promised() const { return !reply.empty() && reply.front() == '2'; }
};

class ScriptedDownstream {
 public:
  struct Settings {
    std::string hostname = "downstream.example";
    // The lines of the EHLO reply after the first. None: EHLO is refused, HELO is not.
    std::vector<std::string> capabilities = {"PIPELINING", "SIZE 10240000",       "8BITMIME",
                                             "SMTPUTF8",   "ENHANCEDSTATUSCODES", "DSN"};
    std::map<std::string, std::string> recipients;  // "<a@example.net>", "*": its reply to RCPT
    net::TlsServer* tls = nullptr;  // what it speaks after STARTTLS, where it offers that
    std::vector<std::string> capabilities_under_tls;  // none: the same, but for STARTTLS
    bool lmtp = false;                                // LHLO, and a reply for each recipient
    bool proxy = false;                               // a PROXY header (v1 or v2) comes first
    bool keeps_silent_end = false;  // at the client's end, does not close its own half
    Duration think{};               // before each reply
    Duration patience = std::chrono::minutes(30);  // for each command
  };
  // One connection: what came in, in order.
  struct Session {
    SocketAddress from;
    std::string proxy_header;
    std::optional<net::TlsFacts> tls;   // after its handshake
    std::size_t commands_in_clear = 0;  // up to STARTTLS, that among them
    std::vector<std::string> commands;
    std::optional<Error> end;  // how it ended; nothing: QUIT, a fault, or it still lives
  };

  ScriptedDownstream() = default;
  explicit ScriptedDownstream(Settings settings) : settings_(std::move(settings)) {}
  ScriptedDownstream(const ScriptedDownstream&) = delete;
  ScriptedDownstream& operator=(const ScriptedDownstream&) = delete;

  Settings& settings() { return settings_; }
  void fail(Fault fault) { faults_.push_back(std::move(fault)); }
  void mend() { faults_.clear(); }

  coro::Task<void> serve(net::StreamPtr stream);

  const std::deque<Delivery>& ledger() const { return ledger_; }
  std::size_t promised() const;  // entries of the ledger that were answered with 2xx
  const std::deque<Session>& sessions() const { return sessions_; }

 private:
  struct Connection;
  enum class Next { go_on, end };

  coro::Task<void> converse(Connection& connection);
  coro::Task<Next> command(Connection& connection, std::string line);
  coro::Task<Next> take_message(Connection& connection);
  coro::Task<Next> take_chunk(Connection& connection, std::string argument);
  coro::Task<Next> finish_message(Connection& connection, Delivery& delivery);
  coro::Task<Next> begin_tls(Connection& connection);
  coro::Task<Next> answer_for_each(Connection& connection, Delivery whole);
  coro::Task<bool> read_proxy_header(Connection& connection);
  coro::Task<bool> begin_body(Connection& connection, Delivery& delivery);
  // Writes the reply of a phase, or does what its fault says. `accepted` in `connection` tells
  // which code went out.
  coro::Task<Next> answer(Connection& connection, Phase phase, std::string reply);
  coro::Task<Next> act(Connection& connection, Fault fault);
  const Fault* fault_for(Connection& connection, Phase phase);
  std::string ehlo_reply(const Connection& connection) const;

  Settings settings_;
  std::vector<Fault> faults_;
  std::deque<Delivery> ledger_;
  std::deque<Session> sessions_;
};

}  // namespace postern::testing
