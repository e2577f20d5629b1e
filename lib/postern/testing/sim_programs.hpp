// Programs by script, for tests of what starts them: no process is made.
//
//   h.programs.install("qmail", [](net::ProgramCall call, net::RunningProgram theirs) {…});
#pragma once

#include <postern/coro/scope.hpp>
#include <postern/net/programs.hpp>
#include <postern/testing/memory_stream.hpp>

#include <functional>
#include <map>
#include <string>

namespace postern::testing {

class SimPrograms final : public net::Programs {
 public:
  // What a program is to the task that plays it: its input, and where its end is written.
  using Player = std::function<coro::Task<void>(net::ProgramCall, net::RunningProgram)>;

  explicit SimPrograms(SimScheduler& sim) : sim_(sim), scope_(sim, "scripted program") {}
  ~SimPrograms() override;

  // A name that was never installed is one that the helper refuses.
  void install(const std::string& name, Player player) { players_[name] = std::move(player); }
  // ... reads all of its input into `input` (and `second`) and ends so, once it has seen the end.
  struct Taken {
    net::ProgramCall call;
    std::string input, second;
    bool whole = false;  // it has seen the end of its input
  };
  void install(const std::string& name, Taken& taken, net::ProgramEnd end);
  // From now on no call is taken.
  void fail(Errc why) { why_ = why; }

  coro::Task<Result<net::RunningProgram>> start(net::ProgramCall call, Duration limit) override;

  std::size_t running() const { return scope_.running(); }
  void stop();

 private:
  static coro::Task<void> take(net::ProgramCall call, net::RunningProgram theirs, Taken& taken,
                               net::ProgramEnd end);
  static coro::Task<void> refuse(net::RunningProgram theirs);
  coro::Task<void> join();
  static coro::Task<bool> read_all(net::Stream& stream, std::string& out);

  SimScheduler& sim_;
  std::map<std::string, Player> players_;
  std::optional<Errc> why_;
  coro::Scope scope_;
};

}  // namespace postern::testing
