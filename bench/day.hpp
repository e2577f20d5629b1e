// A day of junk as a mail administrator told of it: 18,500 bounces to unlikely local-parts, 40,000
// to invented ones, guessed recipients, clients that lists name, and 2,000 good messages between
// them, for domains with different settings. Every reply is known beforehand.
//
// test/integration/day.py has the configuration that it goes with.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace postern::bench {

// What the client says, and the reply to it.
struct Turn {
  std::string octets;  // with CRLF, a message with its dot; empty: it hears the greeting
  int code = 0;        // of the reply that it must get
  std::string by;      // whose: an instance of a plugin, "downstream", "core:..."; empty: any
  std::string settings = {};  // the domain or recipient whose settings decided; empty: the site's
  std::string text = {};      // a part of the reply
  std::string observed = {};  // an instance that would have refused
  bool pipelined = false;     // said without waiting for the reply before
  std::string heard = {};     // the reply's last line
};

struct Visit {
  std::string id;  // also in its HELO and its message
  std::string kind;
  std::uint32_t client = 0;  // in host order
  std::vector<Turn> turns;
  std::uint16_t port = 0;  // the client's
  bool ended = false;      // the server closed after the last reply, and said no more
};

using Lane = std::vector<Visit>;  // one after the other

// Lanes may run side by side.
struct Phase {
  std::chrono::seconds pause{0};  // before it: time that clients wait until they come again
  std::vector<Lane> lanes;
};

struct Day {
  std::map<std::string, std::vector<std::string>> mailboxes;  // of each domain that lists them
  std::map<std::string, std::vector<std::uint32_t>> listed;   // in each zone: clients
  std::map<std::uint32_t, std::string> hosts;                 // clients whose name is known
  std::vector<Phase> phases;
};

// Always the same. With `part` 10, a tenth of it.
Day make_day(std::size_t part);

std::string dotted(std::uint32_t address);

}  // namespace postern::bench
