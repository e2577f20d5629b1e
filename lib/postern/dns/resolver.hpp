// Asks the DNS. `dns` implements it on c-ares, `testing` with scripted names in virtual time.
//
// Names may have a final dot and capitals. Those in answers are valid host names in lower case,
// without final dot: no quote, no control, no blank. All waits can be stopped and have a limit.
//
// Errors, kept apart from each other and from "nothing there":
//   malformed            the name is none (a label over 63 octets, all of it over 253): nothing was
//                        asked; or the answer breaks its grammar, or holds a name that is none
//   servfail             the name's servers failed, or will not say: SERVFAIL, REFUSED, NOTIMP
//   timed_out            no answer came within the resolver's limit, or the caller's
//   refused, unreachable no server listens, or there is no way to it
//   cancelled            the caller was stopped
#pragma once

#include <postern/base/ip.hpp>
#include <postern/coro/task.hpp>
#include <postern/dns/answer.hpp>

namespace postern::dns {

class Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  virtual ~Resolver() = default;

  virtual coro::Task<Result<Answer<IpAddress>>> a(std::string name) = 0;
  virtual coro::Task<Result<Answer<IpAddress>>> aaaa(std::string name) = 0;
  virtual coro::Task<Result<Answer<Mx>>> mx(std::string name) = 0;  // in the order of preference
  // The strings of one record are joined without separator; octets as they are, up to 64 KiB.
  virtual coro::Task<Result<Answer<std::string>>> txt(std::string name) = 0;
  // The names of an address, as its owner claims: see forward_confirmed.hpp.
  virtual coro::Task<Result<Answer<std::string>>> ptr(IpAddress address) = 0;
};

}  // namespace postern::dns
