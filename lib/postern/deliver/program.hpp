// Programs that take messages over: how each is spoken to, and what its arguments may be.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/coro/scheduler.hpp>
#include <postern/deliver/envelope.hpp>
#include <postern/net/programs.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace postern::deliver {

enum class Manner : std::uint8_t {
  sendmail,     // COMMAND -i -f SENDER -- RECIPIENT...; the message as it is on standard input
  bsmtp,        // COMMAND; a batch of SMTP commands on standard input (exim -bS)
  qmail_queue,  // COMMAND; the message on descriptor 0, the envelope on 1 (qmail-queue(8))
  exim_pipe,    // COMMAND -bs -oMa ...; SMTP on standard input and output
};

struct ProgramSettings {
  std::string name;
  Manner manner = Manner::sendmail;
  std::vector<std::string> command;  // an absolute path, and the arguments that come first
  std::size_t at_a_time = 20;
  coro::Duration timeout = std::chrono::seconds(60);  // for one run
  bool operator==(const ProgramSettings&) const = default;
};

// What an exim_pipe is told of a client: address, port, name, login, protocol; an empty one is left
// out. A name that no host may have is not told either.
net::ProgramCall exim_call(const std::string& program, const Client& client);
// What a sendmail is told: the sender, then the recipients. The others are told nothing but their
// input. Errors: malformed, where an address is none that may be an argument; too_long.
Result<net::ProgramCall> message_call(const ProgramSettings& program, const Envelope& envelope);

// The arguments that `words` come to, behind the program's own: each where the manner has its place
// for it, and none that could be an option or hold a control. For the helper, which trusts no
// worker. Errors: malformed.
Result<std::vector<std::string>> program_arguments(Manner manner,
                                                   const std::vector<std::string>& words);

}  // namespace postern::deliver
