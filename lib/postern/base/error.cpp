#include <postern/base/result.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace postern {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::cancelled:
      return "cancelled";
    case Errc::timed_out:
      return "timed_out";
    case Errc::closed:
      return "closed";
    case Errc::reset:
      return "reset";
    case Errc::refused:
      return "refused";
    case Errc::unreachable:
      return "unreachable";
    case Errc::too_long:
      return "too_long";
    case Errc::malformed:
      return "malformed";
    case Errc::unsupported:
      return "unsupported";
    case Errc::no_space:
      return "no_space";
    case Errc::not_found:
      return "not_found";
    case Errc::exists:
      return "exists";
    case Errc::permission:
      return "permission";
    case Errc::descriptors:
      return "descriptors";
    case Errc::busy:
      return "busy";
    case Errc::bug:
      return "bug";
    case Errc::io:
      return "io";
    case Errc::servfail:
      return "servfail";
  }
  return "unknown";
}

Errc errc_from_errno(int number) {
  switch (std::abs(number)) {
    case ECANCELED:
      return Errc::cancelled;
    case ETIMEDOUT:
      return Errc::timed_out;
    case ECONNREFUSED:
      return Errc::refused;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return Errc::reset;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
      return Errc::unreachable;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Errc::no_space;
    case ENOENT:
    case ENOTDIR:
      return Errc::not_found;
    case EEXIST:
    case EADDRINUSE:
      return Errc::exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::permission;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
      return Errc::descriptors;
    case EAGAIN:
      return Errc::busy;
    default:
      return Errc::io;
  }
}

std::string Error::describe() const {
  if (text.empty()) return std::string(name(code));
  return fmt::format("{}: {}", name(code), text);
}

tl::unexpected<Error> fail_errno(int number, std::string_view what) {
  std::array<char, 128> buffer{};
  const char* message = strerror_r(std::abs(number), buffer.data(), buffer.size());
  return fail(errc_from_errno(number), fmt::format("{}: {}", what, message));
}

}  // namespace postern
