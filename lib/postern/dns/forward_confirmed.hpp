// Forward-confirmed reverse DNS: the names of an address, and which of them name it in turn
// (RFC 8601 section 3, "iprev").
#pragma once

#include <postern/dns/resolver.hpp>

namespace postern::dns {

inline constexpr std::size_t most_ptr_names = 10;  // RFC 7208 section 4.6.4

struct ReverseDns {
  std::vector<std::string> names;      // as the address's owner claims, in the answer's order
  std::vector<std::string> confirmed;  // those of them that have the address
  // A name could not be looked up (not: it does not exist): that it is not among the confirmed ones
  // says nothing.
  bool unsure = false;
  bool cut = false;  // there are more than ten names; the others were not looked at

  bool is_confirmed() const { return !confirmed.empty(); }
};

// Asks for the PTR records, then for all names' A or AAAA records at the same time. An address
// without names is an answer. Errors: those of the PTR lookup; cancelled, timed_out.
coro::Task<Result<ReverseDns>> reverse_dns(Resolver& resolver, IpAddress address);

}  // namespace postern::dns
