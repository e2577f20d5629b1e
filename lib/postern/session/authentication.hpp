// AUTH (RFC 4954): what a session keeps of its attempts, and who is asked about one of them.
#pragma once

#include <postern/auth/mechanism.hpp>
#include <postern/coro/task.hpp>
#include <postern/plugin/auth.hpp>
#include <postern/session/services.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postern::session {

// `over`: the client has heard what became of it, or is gone.
enum class AuthResult : std::uint8_t { accepted, refused, failed, over };

// Of one session that has said AUTH.
struct Attempts {
  // One that is under way.
  struct Exchange {
    std::unique_ptr<auth::Mechanism> mechanism;
    std::string_view name;               // "PLAIN"
    std::optional<std::string> initial;  // response, decoded
  };
  std::optional<Exchange> begun;
  coro::TimePoint heard;  // the client's last line of it
  std::string_view by;    // the instance that knew the user, once there is one
  std::uint32_t refused = 0;
  std::uint32_t failed = 0;  // nobody could tell
};

// Asks the plugins about the user of an exchange.
class Witnesses {
 public:
  Witnesses(Services& services, plugin::Session& session, bool encrypted)
      : services_(services), session_(session), encrypted_(encrypted) {}
  ~Witnesses();
  Witnesses(const Witnesses&) = delete;
  Witnesses& operator=(const Witnesses&) = delete;

  // The mechanisms that anybody here can serve.
  static smtp::Flags<smtp::AuthMechanism> served(const plugin::Lineup& lineup,
                                                 const policy::Policy& site);

  // After Next::password: whether it is his.
  coro::Task<AuthResult> check(Attempts::Exchange& exchange);
  // After Next::secret: hands the mechanism what is stored, or what looks like it. Nothing: nobody
  // can tell.
  coro::Task<std::optional<auth::Mechanism::Next>> inform(Attempts::Exchange& exchange);

  std::string_view by() const { return by_; }  // whose answer it was

 private:
  template <typename A>
  struct Heard {
    std::optional<A> answer;
    std::optional<AuthResult> instead;  // what failing means
  };
  void begin(const Attempts::Exchange& exchange);
  template <typename A>
  coro::Task<Heard<A>> ask(plugin::Hook hook);
  template <typename A>
  void call(const plugin::Entry& entry, std::optional<A>& answer, std::optional<Error>& error);
  plugin::Run* start(const plugin::Entry& entry, std::optional<Error>& error);
  std::optional<AuthResult> excuse(const plugin::Entry& entry, const Error& error);
  coro::Task<AuthResult> compare(plugin::AuthSecret secret);

  Services& services_;
  plugin::Session& session_;
  bool encrypted_;
  std::unique_ptr<plugin::AuthAttempt> attempt_;
  std::string_view by_;
};

}  // namespace postern::session
