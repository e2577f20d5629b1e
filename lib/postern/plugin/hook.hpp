// The points of a session at which plugins are called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::plugin {

// In the order of a session; a refusal may be put off from an earlier to a later one.
enum class Hook : std::uint8_t {
  admit,
  connect,
  helo,
  auth_password,
  auth_secret,
  mail,
  rcpt,
  route,
  data,
  headers,
  message,
  // Commands.
  received_line,
  help,
  vrfy,
  noop,
  quit,
  unrecognized,
  // Values that outlive the client.
  accepted,
  rejected,
  reset,
  disconnect,
  record,
  tick,
};
inline constexpr std::size_t hook_count = static_cast<std::size_t>(Hook::tick) + 1;
std::string_view name(Hook hook);  // "connect"

// What the return type of a hook's function makes of it.
enum class Shape : std::uint8_t { observer, decision, finding, answer };

// Whose tasks and facts end when.
enum class ScopeKind : std::uint8_t { worker, client, hello, attempt, transaction, recipient };

class Session;
class Hello;
class AuthAttempt;
class Transaction;
class Recipient;
class Message;
class Command;
struct Arrival;
struct Accepted;
struct Rejected;
struct Reset;
struct Disconnected;
struct Recorded;
struct Tick;

// What a hook's functions may take. Beyond the table nothing compiles.
template <typename... A>
struct Args {};
template <Hook hook, typename A>
inline constexpr bool takes = false;
template <>
inline constexpr bool takes<Hook::admit, Args<Arrival&>> = true;
template <>
inline constexpr bool takes<Hook::connect, Args<Session&>> = true;
template <>
inline constexpr bool takes<Hook::helo, Args<Hello&>> = true;
template <>
inline constexpr bool takes<Hook::auth_password, Args<AuthAttempt&>> = true;
template <>
inline constexpr bool takes<Hook::auth_secret, Args<AuthAttempt&>> = true;
template <>
inline constexpr bool takes<Hook::mail, Args<Transaction&>> = true;
template <>
inline constexpr bool takes<Hook::rcpt, Args<Recipient&>> = true;
template <>
inline constexpr bool takes<Hook::route, Args<Recipient&>> = true;
template <>
inline constexpr bool takes<Hook::data, Args<Transaction&>> = true;
template <>
inline constexpr bool takes<Hook::data, Args<Transaction&, Recipient&>> = true;
template <>
inline constexpr bool takes<Hook::headers, Args<Message&>> = true;
template <>
inline constexpr bool takes<Hook::headers, Args<Message&, Recipient&>> = true;
template <>
inline constexpr bool takes<Hook::message, Args<Message&>> = true;
template <>
inline constexpr bool takes<Hook::message, Args<Message&, Recipient&>> = true;
template <>
inline constexpr bool takes<Hook::received_line, Args<Command&>> = true;
template <>
inline constexpr bool takes<Hook::help, Args<Command&>> = true;
template <>
inline constexpr bool takes<Hook::vrfy, Args<Command&>> = true;
template <>
inline constexpr bool takes<Hook::noop, Args<Command&>> = true;
template <>
inline constexpr bool takes<Hook::quit, Args<Command&>> = true;
template <>
inline constexpr bool takes<Hook::unrecognized, Args<Command&>> = true;
// By value: they outlive the client.
template <>
inline constexpr bool takes<Hook::accepted, Args<Accepted>> = true;
template <>
inline constexpr bool takes<Hook::rejected, Args<Rejected>> = true;
template <>
inline constexpr bool takes<Hook::reset, Args<Reset>> = true;
template <>
inline constexpr bool takes<Hook::disconnect, Args<Disconnected>> = true;
template <>
inline constexpr bool takes<Hook::record, Args<Recorded>> = true;
template <>
inline constexpr bool takes<Hook::tick, Args<Tick>> = true;

constexpr bool allows(Hook hook, Shape shape, bool waits) {
  switch (hook) {
    case Hook::admit:
      return shape == Shape::decision && !waits;
    case Hook::route:
      return shape == Shape::answer && !waits;
    case Hook::auth_password:
    case Hook::auth_secret:
      return shape == Shape::answer;
    case Hook::connect:
    case Hook::helo:
    case Hook::mail:
    case Hook::rcpt:
    case Hook::data:
    case Hook::headers:
    case Hook::message:
      return shape != Shape::answer;
    case Hook::received_line:
      return shape == Shape::answer && !waits;
    case Hook::help:
    case Hook::vrfy:
    case Hook::noop:
    case Hook::quit:
    case Hook::unrecognized:
      return shape != Shape::finding && !waits;
    case Hook::record:
      return shape == Shape::observer && !waits;
    case Hook::accepted:
    case Hook::rejected:
    case Hook::reset:
    case Hook::disconnect:
    case Hook::tick:
      return shape == Shape::observer;
  }
  return false;
}

}  // namespace postern::plugin
