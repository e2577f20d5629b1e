// A message that each recipient has an answer of his own for: LMTP (RFC 2033 section 4.2), of which
// a client hears one.
#pragma once

#include <postern/smtp/reply.hpp>

#include <vector>

namespace postern::deliver {

enum class Agreement : unsigned char {
  taken,    // for all
  refused,  // for all, in one class
  mixed,    // neither
};
Agreement agreement(const std::vector<smtp::Reply>& each);

// What the client is told: 250 when all took it; a refusal of theirs when all refused, a transient
// one where there is one; else 451 4.5.3, and it comes again (docs/adr/0004).
smtp::Reply one_reply(const std::vector<smtp::Reply>& each);

}  // namespace postern::deliver
