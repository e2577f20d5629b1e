// The hooks of one session: its scopes, the step under way, and what plugins ask of the engine.
#pragma once

#include <postern/net/stream.hpp>
#include <postern/plugin/notices.hpp>
#include <postern/plugin/views.hpp>
#include <postern/session/authentication.hpp>
#include <postern/session/chain.hpp>
#include <postern/session/services.hpp>
#include <postern/session/transaction.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::session {

class Hearing final : public coro::Pooled, private plugin::Dialogue {
 public:
  Hearing(Services& services, coro::Context& around, const deliver::Client& client,
          net::Stream& stream, std::string_view id);
  ~Hearing();

  plugin::Session& session() { return session_; }
  plugin::Hello* hello() { return hello_.get(); }

  // What has become of AUTH; null: it was not said.
  std::unique_ptr<Attempts>& attempts() { return attempts_; }

  // A new client: the hook `admit`, which never waits. The refusal, if any.
  std::optional<Refusal> admit(const SocketAddress& local);

  // Begin a step. True: it is over already. Otherwise co_await finish() first.
  bool connect();
  bool greet(std::string name, bool extended);  // a new hello scope
  // Who the client is now: its plugins find the fact.
  void authenticated(std::string_view mechanism);
  void forget_greeting();  // the hello scope ends
  bool mail(Transaction& transaction);
  bool rcpt(Transaction& transaction);  // about the last recipient
  bool data(Transaction& transaction);
  bool headers(Transaction& transaction);
  bool message(Transaction& transaction);
  bool command(plugin::Hook hook, plugin::Command& command);
  // Waits for the step under way; returns early when the session is stopped.
  coro::Task<void> finish();
  bool under_way() const { return chain_.has_value(); }

  // What the step of connect, helo or a command came to.
  const std::optional<Refusal>& refusal() const { return client_.refusal; }

  // A reply from whoever answers `hook` first.
  std::optional<smtp::Reply> answer(plugin::Hook hook, plugin::Command& command);
  std::optional<std::string> received_line(plugin::Command& command);
  // Whose route a recipient goes; null: the site's.
  deliver::Route* route(plugin::Recipient& recipient);

  // The points and tags that hold for everybody in this session.
  const Marks& client_marks() const { return client_marks_; }
  const Marks& hello_marks() const { return hello_marks_; }

  // Ends the transaction's scope: whatever works for it is asked to stop.
  static void end(std::unique_ptr<Transaction> transaction);
  // Tells the hook's observers, who outlive the session.
  template <typename Value>
  void notify(plugin::Hook hook, const Value& value) {
    if (!services_.lineup.empty(hook)) tell(services_, hook, &value);
  }
  static void tell(Services& services, plugin::Hook hook, const void* value);

  // How long the next reply has to wait; it is asked for once.
  std::chrono::milliseconds take_delay();
  // The time before the greeting is over: nobody waits for early input any more.
  void begins() { begun_ = true; }
  // So much of the input is there before anybody could listen: it says nothing of the client.
  void excuse(std::size_t octets) { excused_ = octets; }
  bool spoke_early() const override;
  // Octets of the command at hand that are still in the input.
  void at_command(std::size_t octets) { command_octets_ = octets; }

  // Asks all that still works for this client to stop.
  void stop();
  // Waits until it has unwound.
  coro::Task<void> close();

  // "trail" and "facts" of the client; of a transaction also those around it.
  void append_to(json::Writer& record) const;
  void append_to(json::Writer& record, const Transaction& transaction) const;

 private:
  void slow_down(std::chrono::milliseconds delay) override;
  coro::Task<bool> early_input(coro::Duration limit) override;
  bool talks_ahead() const override { return stream_.input().size() > command_octets_; }

  void append_trail(json::Writer& record, const Trail* inner) const;
  bool run(const plugin::Step& step, std::span<Party> parties);
  void over();
  void put_user();
  plugin::Step step(plugin::Hook hook, Transaction* transaction = nullptr);

  Services& services_;
  net::Stream& stream_;
  plugin::Session session_;
  std::unique_ptr<plugin::Hello> hello_;
  std::unique_ptr<Attempts> attempts_;
  Trail trail_;
  Marks client_marks_;
  Marks hello_marks_;
  Party client_;  // while no recipient is known
  std::optional<Chain> chain_;
  Transaction* transaction_ = nullptr;  // of the step under way
  std::span<Party> parties_;            // likewise
  plugin::Hook hook_ = plugin::Hook::connect;
  std::chrono::milliseconds delay_{};
  std::size_t command_octets_ = 0;
  std::size_t excused_ = 0;
  bool begun_ = false;
  bool spoke_early_ = false;
};

}  // namespace postern::session
