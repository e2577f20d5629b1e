// Programs that the helper process starts: a worker's side.
#pragma once

#include <postern/net/loop.hpp>
#include <postern/net/programs.hpp>

namespace postern::net {

class HelperPrograms final : public Programs {
 public:
  // `socket` is this worker's end of the helper's, of datagrams in sequence, and somebody else's.
  // All workers share it: nothing comes back on it, but on the streams that each call brings along.
  HelperPrograms(Loop& loop, int socket) : loop_(loop), socket_(socket) {}

  coro::Task<Result<RunningProgram>> start(ProgramCall call, Duration limit) override;

 private:
  Loop& loop_;
  int socket_;
};

}  // namespace postern::net
