// What a hook's function sees of a session: its client, its greeting, its transaction, one
// recipient, the message. Each is a scope: facts and settings hang on it.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/base/ip.hpp>
#include <postern/deliver/envelope.hpp>
#include <postern/deliver/route.hpp>
#include <postern/mail/header_section.hpp>
#include <postern/plugin/edits.hpp>
#include <postern/plugin/entry.hpp>
#include <postern/plugin/lineup.hpp>
#include <postern/plugin/scope.hpp>
#include <postern/smtp/capabilities.hpp>
#include <postern/smtp/command.hpp>
#include <postern/smtp/path.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern {
class Log;
namespace dns {
class Resolver;
}
}  // namespace postern

namespace postern::plugin {

// What the engine does for the plugins of one session.
class Dialogue {
 public:
  virtual void slow_down(std::chrono::milliseconds delay) = 0;
  virtual bool spoke_early() const = 0;
  virtual bool talks_ahead() const = 0;
  virtual coro::Task<bool> early_input(coro::Duration limit) = 0;

 protected:
  ~Dialogue() = default;
};

// Before everything: a client has connected. Refusing here costs least.
struct Arrival {
  SocketAddress client;
  SocketAddress local;
  const policy::Policy* site;
  const policy::Policy& policy() const { return *site; }
};

class Session final : public HookScope {
 public:
  enum class Relay : std::uint8_t { no, permitted, forbidden };

  Session(Lineup& lineup, coro::Context& around, std::shared_ptr<const policy::Snapshot> snapshot,
          const deliver::Client& client, Dialogue& dialogue, std::string_view id,
          std::string_view hostname);

  std::string_view id() const { return id_; }
  std::string_view hostname() const { return hostname_; }  // ours
  const IpAddress& client_address() const { return client_.remote.ip; }
  const SocketAddress& client() const { return client_.remote; }
  const SocketAddress& local() const { return client_.local; }
  std::string_view helo() const { return client_.helo; }  // empty before it was said
  // Who has authenticated, by AUTH or as a trusted peer has told by XCLIENT; empty: nobody.
  std::string_view user() const { return client_.login.text(); }
  bool authenticated() const { return !client_.login.empty(); }
  std::string_view auth_mechanism() const { return mechanism_; }  // "PLAIN"; "XCLIENT"

  // Whether mail for others than us is taken from this client. Only observers of `connect` may
  // say so; forbidding wins. Anywhere else it throws std::logic_error. Who has authenticated may
  // relay, unless it is forbidden.
  void permit_relay(std::string why);
  void forbid_relay(std::string why);
  bool may_relay() const {
    return relay_ == Relay::permitted || (authenticated() && relay_ != Relay::forbidden);
  }
  const std::string& relay_reason() const { return relay_reason_; }

  // Delays the next reply, within one budget of the worker.
  void slow_down(std::chrono::milliseconds delay) { dialogue_.slow_down(delay); }
  // Whether the client has sent something before its time.
  bool spoke_early() const { return dialogue_.spoke_early(); }
  // Waits for such input, at most `limit`; at once false when the greeting has been sent.
  coro::Task<bool> early_input(coro::Duration limit) { return dialogue_.early_input(limit); }
  // Whether it has sent something behind the command at hand, before the reply to it: no client
  // may behind DATA, whatever it pipelines else.
  bool talks_ahead() const { return dialogue_.talks_ahead(); }

  dns::Resolver& dns() const { return lineup().resolver(); }
  Log& log() const { return lineup().log(); }

  // For the engine.
  void set_mechanism(std::string_view mechanism) { mechanism_ = mechanism; }
  void open_relay_question(bool open) { relay_question_ = open; }
  const policy::Snapshot& snapshot() const { return *snapshot_; }
  std::vector<policy::InstanceIndex>& vouched() { return vouched_; }

 private:
  void set_relay(Relay relay, std::string why);

  std::shared_ptr<const policy::Snapshot> snapshot_;
  const deliver::Client& client_;
  Dialogue& dialogue_;
  std::string_view id_;
  std::string_view hostname_;
  std::string_view mechanism_;
  std::vector<policy::InstanceIndex> vouched_;
  std::string relay_reason_;
  Relay relay_ = Relay::no;
  bool relay_question_ = false;
};

// From one HELO or EHLO to the next.
class Hello final : public HookScope {
 public:
  Hello(Session& session, std::string name, bool extended);

  Session& session() const { return session_; }
  // What the client calls itself: a domain, or an address literal with its brackets.
  const std::string& name() const { return name_; }
  bool extended() const { return extended_; }  // EHLO
  // Takes a keyword out of the reply to this EHLO: "8BITMIME". What is not offered is not taken.
  void withhold(std::string_view keyword) { withheld_.emplace_back(keyword); }

  const std::vector<std::string>& withheld() const { return withheld_; }

 private:
  Session& session_;
  std::string name_;
  bool extended_;
  std::vector<std::string> withheld_;
};

class Message;
class Recipient;

class Transaction : public HookScope {
 public:
  Transaction(Hello& hello, const deliver::Client& client);
  ~Transaction() override;

  Hello& hello() const { return hello_; }
  Session& session() const { return hello_.session(); }
  const std::string& id() const { return envelope_.id; }
  const smtp::Path& reverse_path() const { return received_path_; }  // as MAIL gave it
  const smtp::MailParameters& parameters() const { return envelope_.parameters; }
  bool is_null_sender() const { return received_path_.is_null(); }
  // Those that were accepted, and last the one that is being asked about.
  const std::vector<std::unique_ptr<Recipient>>& recipients() const { return recipients_; }
  // While or after it arrives; null before DATA.
  Message* message() const { return message_; }

  // What is handed over has this reverse-path; decisions go on seeing the client's.
  void rewrite_reverse_path(smtp::Path path) { envelope_.reverse_path = std::move(path); }

  // For the engine.
  deliver::Envelope& envelope() { return envelope_; }
  const deliver::Envelope& envelope() const { return envelope_; }
  void set_reverse_path(smtp::Path path);
  Recipient& add(std::unique_ptr<Recipient> recipient);
  void remove_last();
  void set_message(Message* message) { message_ = message; }
  const policy::Snapshot& snapshot() const { return *snapshot_; }
  std::vector<policy::InstanceIndex>& vouched() { return vouched_; }

 private:
  Hello& hello_;
  std::shared_ptr<const policy::Snapshot> snapshot_;
  deliver::Envelope envelope_;
  smtp::Path received_path_;
  std::vector<std::unique_ptr<Recipient>> recipients_;
  std::vector<policy::InstanceIndex> vouched_;
  Message* message_ = nullptr;
};

class Recipient : public HookScope {
 public:
  Recipient(Transaction& transaction, deliver::Recipient received);

  Transaction& transaction() const { return transaction_; }
  Session& session() const { return transaction_.session(); }
  const smtp::Path& path() const { return received_.path; }  // as RCPT gave it
  const smtp::RcptParameters& parameters() const { return received_.parameters; }
  // "local-part@domain" for look-ups: both in lower case, quotes that change nothing gone.
  std::string_view key() const { return key_; }
  std::string_view domain() const;      // of key(); empty for a bare postmaster
  std::string_view local_part() const;  // of key()
  bool is_postmaster() const { return local_part() == "postmaster"; }

  // What is handed over goes to these addresses instead, of which there is at least one.
  void rewrite(std::vector<smtp::Path> paths) { rewritten_ = std::move(paths); }

  // For the engine.
  std::vector<deliver::Recipient> delivered() const;
  // His path's text, when he is about to go: nobody may look at it, or at key(), any more.
  std::string take_text() { return std::move(received_.path.text); }
  std::vector<policy::InstanceIndex>& vouched() { return vouched_; }

 private:
  Transaction& transaction_;
  deliver::Recipient received_;
  std::vector<smtp::Path> rewritten_;
  std::string made_key_;  // unless the path itself is the key
  std::string_view key_;
  std::vector<policy::InstanceIndex> vouched_;
};

// The message of a transaction as it was received: edits are for what is handed over.
class Message final {
 public:
  Message(Transaction& transaction, deliver::Spool& spool)
      : transaction_(transaction), spool_(spool) {}

  Transaction& transaction() const { return transaction_; }
  Session& session() const { return transaction_.session(); }
  const policy::Policy& policy() const { return transaction_.policy(); }
  Facts facts() const { return transaction_.facts(); }
  const mail::HeaderSection& header() const { return header_; }
  // Octets so far, header section included; the whole once complete().
  std::uint64_t size() const { return spool_.size(); }
  bool complete() const { return complete_; }
  std::uint64_t body_offset() const { return header_.body_offset(); }
  // Up to `most` octets from `offset` of what was received; waits for those that have not arrived.
  // Empty at the end. Errors: cancelled, timed_out, closed (the client went), io.
  coro::Task<Result<std::string>> read(std::uint64_t offset, std::size_t most);
  Edits& edits() { return edits_; }
  const Edits& edits() const { return edits_; }

  // For the engine.
  void set_header(mail::HeaderSection header) { header_ = std::move(header); }
  void more_arrived() { arrived_.set(); }
  void set_complete(bool whole);

 private:
  Transaction& transaction_;
  deliver::Spool& spool_;
  mail::HeaderSection header_;
  Edits edits_;
  coro::Event arrived_;
  bool complete_ = false;
  bool cut_ = false;
};

// A command that plugins may answer, count or refuse.
class Command {
 public:
  Command(Session& session, const smtp::Command& command) : session_(session), command_(command) {}
  Session& session() const { return session_; }
  smtp::Verb verb() const { return command_.verb; }
  std::string_view word() const { return command_.word; }  // as the client wrote it
  std::string_view argument() const { return command_.argument; }
  const policy::Policy& policy() const { return session_.policy(); }

 private:
  Session& session_;
  const smtp::Command& command_;
};

// What a function of `hook` is called with in `scope`.
Step step_from(HookScope& scope, Hook hook);

}  // namespace postern::plugin
