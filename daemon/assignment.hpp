// Who serves which of the listening sockets.
#pragma once

#include <cstddef>
#include <vector>

namespace postern::daemon {

// The sockets of all addresses with the same index are one column; there are as many columns as
// there were workers at the start of the master.
enum class Presence : unsigned char {
  serving,
  blinking,  // not there, but for less than 100 ms: what connects waits in the sockets' queues
  away,
};

using Columns = std::vector<std::vector<std::size_t>>;  // for each column the slots that serve it

// The slots that shall serve each column, given who is there and who served `before` (empty at
// first). Column c belongs to slot c; with fewer slots than columns to slot c modulo slots, with
// more slots than columns every slot serves the column of its number modulo columns. A column whose
// own slots are away goes to the living slot that has the fewest, and stays there until one of its
// own is back. An empty list: nobody can, or it is worth waiting.
Columns assign(std::size_t columns, const std::vector<Presence>& slots, const Columns& before);

}  // namespace postern::daemon
