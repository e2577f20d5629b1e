// What the master and a worker tell each other over their socket pair.
//
// A frame is four octets of length (least first), one octet of type, and so many octets. Numbers
// are eight octets, least first. Types are never reused: after an upgrade in place a new master
// talks to workers of the old executable.
#pragma once

#include <postern/base/result.hpp>
#include <postern/net/tls_certificates.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postern::daemon {

// ---- from the master

// First of all: who the worker is; which of its descriptors are the file of the counters, of which
// it has a row, and listening sockets, and to which [[listen]] block each of these belongs.
struct Hello {
  std::uint64_t slot = 0;
  std::uint64_t generation = 1;
  std::uint64_t workers = 1;
  std::uint64_t row = 0;
  int counters = -1;
  std::vector<int> sockets;
  std::vector<std::uint64_t> listeners;  // as many as sockets: indexes of blocks
  int helper = -1;                       // where programs are asked for; -1: there are none
};
// The configuration as policy::Bundle writes it.
struct BundleBytes {
  std::string bytes;
};
// Accept on this one of Hello::sockets; no longer. The number is the same in both processes.
struct Serve {
  int socket = -1;
};
struct Release {
  int socket = -1;
};
struct Drain {};   // finish the sessions and exit
struct Finish {};  // 421 to everybody, then exit
struct Reopen {};  // the log file
// A command from the control socket. The number is the answer's.
struct Ask {
  std::uint64_t number = 0;
  std::string command;
};
// What the listeners with TLS have from now on.
struct TlsState {
  std::string ticket_keys;          // as net::TicketKeys writes them; empty: as before
  std::vector<net::TlsPair> pairs;  // of certificates and keys; empty: as before
};

// ---- from a worker

struct Ready {};             // configuration and lists are loaded
struct Beat {                // once a second
  std::uint64_t lag_us = 0;  // how late the loop was to send it
  std::uint64_t sessions = 0;
};
struct Draining {};  // serves nothing from now on, asked or not
struct Failed {      // cannot start; exits with status 1
  std::string text;
};

struct Answer {  // a JSON object on one line
  std::uint64_t number = 0;
  std::string json;
};

using Message = std::variant<Hello, BundleBytes, Serve, Release, Drain, Finish, Reopen, Ask, Ready,
                             Beat, Draining, Failed, Answer, TlsState>;

constexpr std::size_t max_command_octets = 4096;
constexpr std::size_t max_answer_octets = 256 * 1024;
constexpr std::size_t max_hello_sockets = 100'000;
constexpr std::size_t max_failure_octets = 16 * 1024;

std::string encode(const Message& message);

// Takes the octets as they come. Neither side trusts the other: a type that this side does not
// receive, or a length that the type does not have, is an error, after which nothing more is read.
class Decoder {
 public:
  enum class Side : std::uint8_t { master, worker };
  explicit Decoder(Side receiver) : receiver_(receiver) {}

  void feed(std::string_view octets) { buffer_ += octets; }
  // Nothing: more octets are needed. Errors: malformed.
  Result<std::optional<Message>> next();

 private:
  Side receiver_;
  std::string buffer_;
  std::size_t used_ = 0;
};

}  // namespace postern::daemon
