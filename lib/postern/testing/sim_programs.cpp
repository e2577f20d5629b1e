#include <postern/testing/sim_programs.hpp>

namespace postern::testing {

SimPrograms::~SimPrograms() {
  try {
    stop();
  } catch (...) {  // whoever wants to see a program's exception calls stop()
  }
}

void SimPrograms::install(const std::string& name, Taken& taken, net::ProgramEnd end) {
  players_[name] = [&taken, end](net::ProgramCall call, net::RunningProgram theirs) {
    return take(std::move(call), std::move(theirs), taken, end);
  };
}

coro::Task<Result<net::RunningProgram>> SimPrograms::start(net::ProgramCall call, Duration) {
  if (why_) co_return postern::fail(*why_, "the helper");
  net::RunningProgram ours, theirs;
  const auto pair = [&](net::StreamPtr& a, net::StreamPtr& b) {
    auto made = make_stream_pair(sim_);
    a = std::move(made.first);
    b = std::move(made.second);
  };
  pair(ours.talk, theirs.talk);
  pair(ours.end, theirs.end);
  if (call.second_input) pair(ours.second, theirs.second);
  const auto found = players_.find(call.program);
  if (found == players_.end())
    scope_.start(refuse(std::move(theirs)));
  else
    scope_.start(found->second(std::move(call), std::move(theirs)));
  co_return ours;
}

coro::Task<void> SimPrograms::refuse(net::RunningProgram theirs) {
  theirs.end->write(net::write_program_end({net::ProgramEnd::Kind::refused, 0, "no such program"}));
  theirs.end->end_output();
  co_return;
}

// Our going is what kills a real program: there is no end of input to be seen then.
coro::Task<bool> SimPrograms::read_all(net::Stream& stream, std::string& out) {
  while (true) {
    out += stream.input();
    stream.consume(stream.input().size());
    auto more = co_await stream.more(coro::forever);
    if (!more) co_return more.error().code == Errc::closed;
  }
}

coro::Task<void> SimPrograms::take(net::ProgramCall call, net::RunningProgram theirs, Taken& taken,
                                   net::ProgramEnd end) {
  taken.call = std::move(call);
  taken.whole = co_await read_all(*theirs.talk, taken.input);
  if (theirs.second) co_await read_all(*theirs.second, taken.second);
  theirs.end->write(net::write_program_end(end));
  theirs.end->end_output();
}

coro::Task<void> SimPrograms::join() { co_await scope_.join(); }

void SimPrograms::stop() {
  scope_.stop(Errc::cancelled);
  sim_.run(join());
}

}  // namespace postern::testing
