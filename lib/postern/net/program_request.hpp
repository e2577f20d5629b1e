// What a worker asks the helper: one datagram, with the descriptors of the program beside it.
#pragma once

#include <postern/net/programs.hpp>

#include <string>
#include <string_view>

namespace postern::net {

// The descriptors that come with a request, in this order. The fourth is the worker's own end of
// the program's input: while the helper has it, too, the input does not end when the worker dies.
//
//   end, input [, second input] [, the worker's end of input, but in a dialogue]
constexpr std::size_t most_request_descriptors = 4;
constexpr std::size_t descriptors_of(const ProgramCall& call) {
  return std::size_t{2} + (call.second_input ? 1 : 0) + (call.dialogue ? 0 : 1);
}

// With what a datagram of a socket pair may hold everywhere.
constexpr std::size_t most_request_octets = 96 * 1024;

// One octet of flags, then each text behind its length of four octets, least first: the program,
// its words. Errors: too_long.
Result<std::string> write_request(const ProgramCall& call);
// Trusts none of it. Errors: malformed.
Result<ProgramCall> parse_request(std::string_view octets);

}  // namespace postern::net
