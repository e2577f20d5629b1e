// Answers as they come from the network (RFC 1035 section 4): octets in, values out. Whoever sends
// them may be hostile; everything is bounded. Pure.
#pragma once

#include <postern/base/result.hpp>
#include <postern/dns/question.hpp>

#include <span>

namespace postern::dns {

using Octets = std::span<const std::uint8_t>;

inline constexpr std::size_t most_records = 1000;  // of one answer that are looked at
inline constexpr std::size_t most_aliases = 10;    // CNAMEs from the name asked for to the records
inline constexpr std::size_t most_pointers = 32;   // of one compressed name

struct Reply {
  AnyAnswer answer;
  bool truncated = false;  // the rest is to be had by TCP only; `answer` is empty
};

// Reads what a server answered to `question`; that the identifier is the question's was checked
// before. The ttl is the least of the records and aliases on the way; that of a negative answer is
// by RFC 2308 section 5, and 0 without an SOA record.
// Errors: servfail (SERVFAIL, REFUSED, NOTIMP and other response codes); unsupported (FORMERR: the
// server did not understand us); malformed: not an answer to this question, breaks the grammar,
// has records only of names that were not asked for, an alias chain that is too long or a circle,
// or an MX or PTR record that names no valid host.
Result<Reply> read_reply(Octets message, const Question& question);

}  // namespace postern::dns
