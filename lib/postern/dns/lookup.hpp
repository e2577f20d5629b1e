// A question on its way to the servers: tries them in turn, and tells all who wait. Inside `dns`.
#pragma once

#include <postern/coro/wait.hpp>
#include <postern/dns/cache.hpp>
#include <postern/dns/exchange.hpp>

namespace postern::dns {

class Lookup;

// Who owns the lookups.
class LookupOwner {
 public:
  virtual void looked_up(Lookup& lookup, SharedOutcome outcome) = 0;  // may let go of it
  virtual void server_failed(std::size_t server) = 0;  // no answer, or nobody listens there
  virtual void sent() = 0;                             // one more question has gone out

 protected:
  ~LookupOwner() = default;
};

class Lookup final : private Asker {
 public:
  // Linked into the lookup while it waits. A stop unlinks it, and the lookup goes on. The lookup is
  // kept by the waiting frame: the resolver may go first.
  class Waiter final : public coro::Wait {
   public:
    explicit Waiter(Lookup& lookup) : Wait("a DNS answer"), lookup_(lookup) {}
    // Errors: cancelled, timed_out.
    Result<SharedOutcome> await_resume() const {
      if (stopped()) return stop_error();
      return lookup_.outcome_;
    }

   private:
    bool begin() override {
      if (lookup_.outcome_) return false;
      lookup_.waiters_.push_back(*this);
      return true;
    }
    Lookup& lookup_;
  };

  // `tries` of each server, `first` is asked first.
  Lookup(LookupOwner& owner, Exchange& exchange, Question question, std::size_t tries,
         std::size_t first);
  void start() { ask(); }  // may end before it returns
  const Question& question() const { return question_; }
  Waiter wait() { return Waiter(*this); }

 private:
  void ask();
  void answered(Octets message) override;
  void failed(const Error& error) override;
  void ask_next_server(const Error& error);
  void end(Outcome outcome);

  LookupOwner& owner_;
  Exchange& exchange_;
  const Question question_;
  std::size_t server_;
  std::size_t tries_left_;    // of all servers together
  std::size_t servers_left_;  // that have not given an answer of no use
  Transport transport_ = Transport::udp;
  SharedOutcome outcome_;
  coro::List<Waiter, coro::QueueTag> waiters_;
};

}  // namespace postern::dns
