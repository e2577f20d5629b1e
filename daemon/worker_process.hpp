// What a worker's process does from its first instruction to its exit.
#pragma once

namespace postern::daemon {

// `channel` is the inherited socket to the master. The exit status.
int run_worker(int channel);

}  // namespace postern::daemon
