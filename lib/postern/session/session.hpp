// The server side of SMTP (RFC 5321): one coroutine drives one connection.
#pragma once

#include <postern/coro/pooled.hpp>
#include <postern/coro/scope.hpp>
#include <postern/facts/tls.hpp>
#include <postern/net/stream.hpp>
#include <postern/session/hearing.hpp>
#include <postern/session/listener.hpp>
#include <postern/session/peer.hpp>
#include <postern/session/services.hpp>
#include <postern/session/transaction.hpp>
#include <postern/smtp/bdat.hpp>
#include <postern/smtp/command.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postern::session {

// How a session came to its end, for the record.
enum class Ending : std::uint8_t {
  none,
  quit,
  refused,  // by policy
  client_gone,
  idle,  // a time limit
  shutdown,
  errors,  // too many, or another protocol
  overload,
  failure,  // ours
  tls_failed,
};
std::string_view name(Ending ending);

class Session final : public coro::Pooled,
                      private net::EndWatcher,
                      public coro::ListHook<struct SessionTag> {
 public:
  // `id` is unique among all sessions of the site; `listener` outlives them.
  Session(net::StreamPtr stream, Services& services, const Listener& listener, std::string id);

  // Runs in `scope` until it has ended; the session frees itself then. `full`: it gets 421 4.3.2
  // and is closed.
  static void start(coro::Scope& scope, std::unique_ptr<Session> session, bool full = false);

  // The server drains: 421 4.3.2 as soon as no transaction is open.
  void drain();
  // The grace is over: 421 at once, unless a message is being committed, whose reply comes first.
  void shut_down();

  const std::string& id() const { return id_; }

 private:
  // What a session may be told now.
  enum State : std::uint8_t {
    fresh = 1,
    greeted = 2,
    mail_given = 4,
    rcpt_given = 8,
    chunks_given = 16,  // and not the last
  };
  static constexpr std::uint8_t any_state =
      fresh | greeted | mail_given | rcpt_given | chunks_given;
  enum class Step : std::uint8_t {
    next,
    wait_for_input,
    wait_for_plugins,  // then `after_` goes on
    welcome_client,    // whom XCLIENT has told
    judge_late,        // and take the same command then
    start_tls,
    authenticate,
    ask_about_recipient,
    receive_message,
    receive_chunk,
  };
  using After = Step (*)(Session&);
  struct Rule;
  static const Rule rules[];

  static coro::Task<void> run(std::unique_ptr<Session> session, bool full);
  coro::Task<void> converse();
  Step welcome();
  Step welcome_admitted();
  Step greet();
  coro::Task<void> flush_replies();
  coro::Task<void> pause(std::chrono::milliseconds delay);
  coro::Task<void> say_goodbye();
  coro::Task<void> linger();
  void input_ended(const Error& error);
  void stream_ended(Errc why) override;

  // Commands.
  Step step();
  Step take_command(std::string_view line);
  const Rule* rule_for(smtp::Verb verb) const;
  Step helo(const smtp::Command& command);
  Step answer_helo();
  Step mail(const smtp::Command& command);
  Step rcpt(const smtp::Command& command);
  Step data(const smtp::Command& command);
  Step bdat(const smtp::Command& command);
  Step rset(const smtp::Command& command);
  Step noop(const smtp::Command& command);
  Step quit(const smtp::Command& command);
  Step help(const smtp::Command& command);
  Step vrfy(const smtp::Command& command);
  Step starttls(const smtp::Command& command);
  Step auth(const smtp::Command& command);
  Step not_offered(const smtp::Command& command);
  Step refuse_command(const smtp::Reply& reply);
  Step refuse_unrecognized(const smtp::Command& command);
  bool ask_plugins(plugin::Hook hook, const smtp::Command& command);
  Step answer(plugin::Hook hook, const smtp::Command& command, const smtp::Reply& otherwise);
  smtp::Reply out_of_sequence(smtp::Verb verb) const;
  void expect_unsolicited(std::size_t consumed);
  bool skip_unwanted();

  // Peers that tell who the client is.
  coro::Task<void> meet_peer();
  coro::Task<const char*> read_proxy_header();
  void learn_local();
  bool put_off() const { return peer_ && (peer_->put_off || peer_->changed); }
  bool extended() const { return peer_ ? peer_->extended : client_.esmtp; }
  bool greeted_by_peer(bool extended);
  Step xclient(const smtp::Command& command);
  Step xforward(const smtp::Command& command);
  coro::Task<void> change_client();
  Step welcome_told();
  void put_name();
  coro::Task<void> judge_late();
  Step refuse_late();
  void forget_forwarded();
  bool was_health_check() const;

  // TLS.
  bool offers_tls() const;
  bool must_encrypt() const;  // before anything is said
  coro::Task<void> start_tls();
  void tls_failed(const Error& error);
  void put_tls(facts::Tls&& known);
  const facts::Tls* tls() const;  // null: in the clear
  void forget_the_clear();

  // AUTH.
  smtp::Flags<smtp::AuthMechanism> auth_offers() const;
  bool may_authenticate() const;  // the channel is fit for it
  std::optional<smtp::Reply> refuse_auth(std::optional<smtp::AuthMechanism> mechanism) const;
  coro::Task<void> authenticate();
  coro::Task<AuthResult> exchange(Attempts::Exchange& exchange, Witnesses& witnesses);
  coro::Task<std::optional<std::string>> read_response();
  coro::Task<void> refuse_attempt();
  void authenticated_as(std::string user, std::string_view mechanism);
  void forget_user();
  bool is_trusted_peer() const;
  void add_auth(json::Writer& record) const;

  // Envelope.
  smtp::Capabilities offers() const;
  std::optional<smtp::Reply> refuse_sender(const smtp::Path& reverse_path,
                                           const smtp::MailParameters& parameters) const;
  Step answer_mail();
  std::optional<smtp::Reply> refuse_path(const smtp::Path& forward_path) const;
  Step judge_recipient();
  Step refuse_recipient(const smtp::Reply& reply, std::string_view by, bool closes = false);
  Way* way_of(plugin::Recipient& recipient);  // null: not with those before him
  coro::Task<void> ask_about_recipient();
  void settle_policy();

  // Message.
  Step answer_data();
  void begin_message(smtp::Framing framing);
  coro::Task<void> receive_message();
  coro::Task<void> receive_chunk();
  coro::Task<Result<void>> receive_octets();
  coro::Task<void> look_at_header();
  void cut_message(const Error& error);
  coro::Task<void> finish_message();
  std::optional<smtp::Reply> refuse_octets() const;
  coro::Task<std::optional<smtp::Reply>> parse_header();
  coro::Task<std::optional<Refusal>> judge_message();
  coro::Task<void> hand_over(bool eight_bit);
  coro::Task<bool> find_wanted();
  coro::Task<void> deliver_by(Way& way, bool eight_bit);
  coro::Task<bool> rebuild_envelope(Way& way);
  std::string trace_field(const deliver::Envelope& envelope) const;
  void conclude(const smtp::Reply& reply, std::string_view by, bool uncertain = false);
  void end_transaction(std::string_view outcome);

  // PRDR.
  coro::Task<void> hand_over_for_each(bool eight_bit);
  void conclude_each();
  void say_each(const smtp::Reply& reply, std::string_view by);

  // Messages that come again.
  bool follows_split(const plugin::Recipient& recipient);
  void remember_split();
  coro::Task<Result<std::uint64_t>> sum_of_message();
  coro::Task<Result<void>> leave_out_those_who_have_it();
  coro::Task<void> remember_answers();
  coro::Task<smtp::Reply> answer_for_all();
  bool goes_unheard() const;

  // Replies and the end.
  void reply(const smtp::Reply& reply);
  void send_replies();
  void close(Ending ending);
  void close(Ending ending, const smtp::Reply& last);
  void close_if_stopped();

  // Records and notices.
  void record_client(json::Writer& record);
  void record_transaction(std::string_view outcome, const smtp::Reply* reply, std::string_view by);
  void tell_rejected(plugin::Hook hook, const smtp::Reply& reply, std::string_view by,
                     std::string_view recipient = {}, bool closes = false);
  std::string client_name() const;
  void tell_accepted(const Way& way);
  void record_session();
  std::string_view protocol() const;
  void add_peer(json::Writer& record) const;
  void add_tls(json::Writer& record) const;

  std::string id_;
  coro::Context context_;
  net::StreamPtr stream_;
  Services& services_;
  deliver::Client client_;
  std::unique_ptr<Peer> peer_;  // null: whoever connected is the client, and nobody else
  std::string out_;             // replies of the group at hand
  std::unique_ptr<Hearing> hearing_;
  std::unique_ptr<Transaction> transaction_;
  After after_ = nullptr;        // goes on when the plugins have been heard
  smtp::Capabilities offered_;   // in our last reply to EHLO; nothing after HELO
  smtp::ChunkCounter unwanted_;  // octets of a BDAT that we do not take
  coro::TimePoint began_;
  coro::TimePoint command_due_;
  std::uint32_t transactions_ = 0;
  std::uint32_t messages_ = 0;  // accepted
  std::uint32_t refused_ = 0;   // recipients
  std::uint32_t errors_ = 0;
  State state_ = fresh;
  Ending ending_ = Ending::none;
  Listener::Tls listener_tls_;
  Listener::Auth listener_auth_;
  bool closing_ : 1 = false;
  bool draining_ : 1 = false;
  bool waiting_ : 1 = false;      // for a command
  bool after_data_ : 1 = false;   // the client has sent a whole message: if it only half-closes, it
                                  // listens
  bool unsolicited_ : 1 = false;  // what is in the input was sent as a message that we did not ask
                                  // for
  bool early_talker_ : 1 = false;  // spoke before the greeting
};

}  // namespace postern::session
