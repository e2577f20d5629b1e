// One cell of the fault matrix: what the downstream does wrong and when, what the client does, how
// the route is set up; and what the client must hear.
#pragma once

#include <postern/deliver/identity.hpp>
#include <postern/testing/scripted_downstream.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::simulation {

using deliver::Identity;
using testing::Phase;

// What our side is to make of a wrong answer.
enum class Sort {
  fine,      // no fault at all
  refusal,   // 4yz, 5yz: passed on
  closing,   // 421
  nonsense,  // not a reply, or not one that is due
  lost,      // no reply
};

struct Kind {
  const char* name;
  Sort sort;
  testing::Fault::Kind how;
  const char* octets;
  const char* passed_on = "";  // the client hears this, where it may
};

struct Trouble {
  Phase phase = Phase::connect;
  std::size_t nth = 0;  // of this phase in one connection
  const Kind* kind = nullptr;
  // Instead: the connect itself fails so, or (timed_out) nobody answers.
  std::optional<Errc> connect;
  bool once = false;  // the first connection only
};

enum class Size {
  memory,  // some lines
  file,    // spooled, more than one piece, and than the window of the link
};

// What the client does after it has sent the command of `step`, or has heard its reply.
enum class Step { connect, ehlo, mail, rcpt, rcpt_2, rcpt_3, data, body, end_of_data };
enum class Action { stays, half_closes, closes, resets, vanishes };
struct Leaving {
  Action action = Action::stays;
  Step step = Step::connect;
  bool heard = false;
};

struct Cell {
  Trouble trouble;
  Leaving leaving;
  Identity identity = Identity::none;
  bool downstream_pipelines = true;
  bool client_pipelines = false;  // MAIL, RCPT, RCPT, RCPT, DATA in one write
  Size size = Size::memory;
  std::uint64_t seed = 1;  // of latencies, pieces, and times to think

  std::string name() const;
};

// What a client that stays hears: "250 2.1.5".
struct Expected {
  std::array<std::string, 3> rcpt;
  std::string data;               // "354", or the refusal
  std::string final;              // to the end of data; empty: it does not come to that
  bool uncertain = false;         // recorded so
  bool may_be_uncertain = false;  // depends on how far the octets were
};
Expected expected(const Cell& cell);

std::vector<Trouble> troubles(Identity identity);  // all that make sense there
std::vector<Leaving> leavings();                   // all but staying

std::vector<Cell> downstream_cells(Identity identity);  // the client stays
std::vector<Cell> client_cells();                       // the downstream is well
std::vector<Cell> mixed_cells();  // both: the rest of each cell is drawn by its seed

}  // namespace postern::simulation
