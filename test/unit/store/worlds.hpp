// The stores that there are, for tests that each must pass; and the one on disk on a real loop.
#pragma once

#include <postern/coro/sleep.hpp>
#include <postern/store/lmdb_store.hpp>
#include <postern/store/state.hpp>
#include <postern/testing/memory_store.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "../coro/outcome.hpp"
#include "../policy/temporary_folder.hpp"
#include "catch.hpp"

namespace postern::store {

using namespace std::chrono_literals;

class KeptLines final : public Log {
 public:
  void write(Level, std::string_view message) override { lines.emplace_back(message); }
  void record(std::string_view) override {}
  bool told(std::string_view part) const {
    for (const std::string& line : lines)
      if (line.find(part) != std::string::npos) return true;
    return false;
  }
  std::vector<std::string> lines;
};

class SetClock final : public WallClock {
 public:
  WallTime now() const override { return WallTime(milliseconds(now_.load())); }
  void advance(milliseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'767'225'600'000};
};

// A loop and a store on it: a worker.
class LoopWorld {
 public:
  explicit LoopWorld(LmdbPlace place) : place_(std::move(place)) { restart(); }
  ~LoopWorld() { stop(); }

  void stop() { store.reset(); }
  void restart() {
    stop();
    store = std::make_unique<LmdbStore>(loop, log, place_, clock);
  }
  template <typename T>
  T run(coro::Task<T> task) {
    struct Finished final : coro::Completion {
      explicit Finished(net::Loop& l) : loop(l) {}
      void finished() noexcept override { loop.stop(); }
      net::Loop& loop;
    };
    coro::Context context(loop, "test");
    Finished finished(loop);
    Guard guard(loop);
    if (!task.start(context, finished)) loop.run();
    if (guard.fired) throw std::runtime_error("took too long; waiting are:\n" + loop.waiting());
    return task.await_resume();
  }
  // Until what was handed over is there for all.
  void flush() {
    Update nothing;
    nothing.kind = Update::Kind::erase;
    (void)run(store->settle("nothing", nothing));
  }

  // The same where that may fail.
  void flush_if_possible() {
    Update nothing;
    nothing.kind = Update::Kind::erase;
    if (!run(store->settle("nothing", nothing))) run(turn());
  }

  net::Loop loop;
  KeptLines log;
  SetClock clock;
  std::unique_ptr<LmdbStore> store;

 private:
  static coro::Task<void> turn() { (void)co_await coro::sleep(1ms); }
  class Guard final : public coro::Timer {
   public:
    explicit Guard(net::Loop& l) : loop(l) { loop.arm(*this, loop.now() + 60s); }
    ~Guard() { loop.disarm(*this); }
    void fire() override {
      fired = true;
      loop.stop();
    }
    net::Loop& loop;
    bool fired = false;
  };
  LmdbPlace place_;
};

// What a conformance test sees.
class World {
 public:
  virtual ~World() = default;
  virtual Store& store() = 0;
  virtual void advance(milliseconds by) = 0;
  virtual void flush() = 0;  // what is queued is settled
  virtual Result<Outcome> settle(std::string key, Update update) = 0;
  virtual bool yes(coro::Task<Result<bool>> task) = 0;
  virtual Place hold(coro::Task<Result<Place>> task) = 0;
};

template <typename Runner>
class WorldOf : public World {
 public:
  Result<Outcome> settle(std::string key, Update update) override {
    return runner().run(store().settle(std::move(key), std::move(update)));
  }
  bool yes(coro::Task<Result<bool>> task) override {
    const auto answer = runner().run(std::move(task));
    REQUIRE(answer.has_value());
    return *answer;
  }
  Place hold(coro::Task<Result<Place>> task) override {
    auto answer = runner().run(std::move(task));
    REQUIRE(answer.has_value());
    return std::move(*answer);
  }

 private:
  virtual Runner& runner() = 0;
};

class MemoryWorld final : public WorldOf<testing::SimScheduler> {
 public:
  Store& store() override { return store_; }
  void advance(milliseconds by) override { sim_.run_for(by); }
  void flush() override {}

 private:
  testing::SimScheduler& runner() override { return sim_; }
  testing::SimScheduler sim_;
  testing::MemoryStore store_{sim_};
};

class LmdbWorld final : public WorldOf<LoopWorld> {
 public:
  Store& store() override { return *world_.store; }
  void advance(milliseconds by) override { world_.clock.advance(by); }
  void flush() override { world_.flush(); }

 private:
  LoopWorld& runner() override { return world_; }
  policy::TemporaryFolder folder_;
  LoopWorld world_{{folder_.path("state"), 16'000'000, true}};
};

inline std::unique_ptr<World> make_world(const std::string& name) {
  if (name == "memory") return std::make_unique<MemoryWorld>();
  return std::make_unique<LmdbWorld>();
}

}  // namespace postern::store
