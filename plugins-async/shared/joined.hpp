// Tasks that ask the same at the same time ask once.
//
//   auto answer = co_await joined_.ask(key, *this, &Plugin::look_up, question);
#pragma once

#include <postern/plugin.hpp>

#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace postern::plugins {

template <typename Key, typename Value>
class Joined {
 public:
  // What `(self.*look)(question)` comes to. Whoever asks first does it; should he be stopped before
  // there is an answer, the next of those who wait does. Errors: those of `look`; cancelled and
  // timed_out of whoever waits. `self` outlives the task.
  template <typename Self, typename Question>
  Task<Result<Value>> ask(Key key, Self& self, Task<Result<Value>> (Self::*look)(Question),
                          Question question) {
    for (auto found = flights_.find(key); found != flights_.end(); found = flights_.find(key)) {
      const std::shared_ptr<Flight> flight = found->second;
      auto waited = co_await flight->landed.wait();
      if (!waited) co_return fail(waited.error());
      if (flight->outcome) co_return *flight->outcome;
    }
    Landing landing(*this, std::move(key));
    const auto begin = [&] { return (self.*look)(std::move(question)); };
    auto outcome = co_await begin();
    coro::Context* context = co_await coro::current_context();
    if (outcome || !context->stopped()) landing.flight().outcome = outcome;
    co_return outcome;
  }

  std::size_t running() const { return flights_.size(); }

 private:
  struct Flight {
    coro::Event landed;
    std::optional<Result<Value>> outcome;  // none: whoever asked was stopped
  };
  using Flights = std::map<Key, std::shared_ptr<Flight>>;

  // Under way as long as this lives, however it ends.
  class Landing {
   public:
    Landing(Joined& joined, Key key)
        : joined_(joined),
          at_(joined.flights_.emplace(std::move(key), std::make_shared<Flight>()).first) {}
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;
    ~Landing() {
      const std::shared_ptr<Flight> flight = at_->second;
      joined_.flights_.erase(at_);
      flight->landed.set();
    }
    Flight& flight() { return *at_->second; }

   private:
    Joined& joined_;
    typename Flights::iterator at_;
  };

  Flights flights_;
};

}  // namespace postern::plugins
