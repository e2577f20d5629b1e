// Expected failures as values: Result<T> is a T or an Error. Bugs are exceptions.
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern {

enum class Errc : std::uint8_t {
  cancelled,    // a stop was asked for: the client went, or the owner no longer wants the answer
  timed_out,    // the deadline passed
  closed,       // the other side ended the stream
  reset,        // the other side, or the network, broke the stream
  refused,      // nobody listens there
  unreachable,  // no route, or no answer to a connect
  too_long,     // longer than a limit of smtp/limits.hpp
  malformed,    // breaks its grammar
  unsupported,  // well-formed, but not something we do
  no_space,     // disk or quota full
  not_found,
  exists,
  permission,
  descriptors,  // no file descriptor left
  busy,         // a cap is reached
  bug,          // something of ours, or of a plugin, threw
  io,           // the disk or the system failed otherwise
  servfail,     // a name's servers failed, or will not say: SERVFAIL, REFUSED, NOTIMP
};

std::string_view name(Errc code);  // "timed_out"

// The Errc for a negative errno as libuv gives it, or for a positive one.
Errc errc_from_errno(int number);

// A code to act on, and a text for the log: never for the client.
struct Error {
  Errc code;
  std::string text;

  explicit Error(Errc c, std::string t = {}) : code(c), text(std::move(t)) {}
  std::string describe() const;  // "timed_out: waiting for the greeting"
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Errc code, std::string text = {}) {
  return tl::unexpected<Error>(Error(code, std::move(text)));
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// For an errno: "writing /var/mail/x: No space left on device".
tl::unexpected<Error> fail_errno(int number, std::string_view what);

}  // namespace postern
