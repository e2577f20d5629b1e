// What a client of the load generator says, and what it expects to hear.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::bench {

// Sent in one write once the replies to the step before are all here.
struct Step {
  std::string octets;
  std::string expected;  // the first digit of each reply, in order: "2", "55555555552"
};
using Script = std::vector<Step>;

// The scripts of a scenario, which sessions take in turn; each names other mailboxes. Nothing:
// there is no such scenario.
//
//   attack            EHLO, MAIL, ten unknown recipients, QUIT; one command at a time
//   attack-pipelined  the same, all after EHLO in one write
//   message           one message of 4 KiB
//   dnsbl             EHLO, MAIL, one unknown recipient, QUIT: little beside the look-up of the
//   client connect           QUIT after the greeting idle              EHLO, and nothing more
std::optional<std::vector<Script>> scripts_of(std::string_view scenario);

}  // namespace postern::bench
