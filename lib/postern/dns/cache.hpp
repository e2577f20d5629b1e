// Answers for as long as they hold, failures for a moment. Bounded by entries and by octets; what
// was not asked for longest goes first, so random names push out each other. Pure: time is given.
#pragma once

#include <postern/base/result.hpp>
#include <postern/coro/timer_queue.hpp>
#include <postern/dns/question.hpp>

#include <list>
#include <map>
#include <memory>
#include <optional>

namespace postern::dns {

using Outcome = Result<AnyAnswer>;
using SharedOutcome = std::shared_ptr<const Outcome>;  // of many waiters and the cache

struct CacheLimits {
  std::size_t entries = 20'000;
  std::size_t octets = 8'000'000;
};

inline constexpr std::chrono::seconds most_ttl = std::chrono::hours(24);
inline constexpr std::chrono::seconds most_negative_ttl =
    std::chrono::hours(1);  // RFC 2308 section 5 finds 1 to 3 hours sensible
inline constexpr std::chrono::seconds failure_ttl{5};  // ... section 7: at most 5 minutes

// For how long an outcome may be kept: an answer as its ttl, within the bounds above, says;
// SERVFAIL and malformed answers for failure_ttl; nothing else (a timeout may have been ours).
std::chrono::seconds lifetime(const Outcome& outcome);

class Cache {
 public:
  using TimePoint = coro::TimePoint;
  struct Found {
    SharedOutcome outcome;
    std::chrono::seconds ttl;  // what is left of it
  };

  explicit Cache(const CacheLimits& limits) : limits_(limits) {}
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  std::optional<Found> find(const Question& question, TimePoint now);
  // Instead of what was kept of that question before.
  void keep(const Question& question, SharedOutcome outcome, TimePoint now);

  std::size_t entries() const { return places_.size(); }
  std::size_t octets() const { return octets_; }  // about

 private:
  struct Entry {
    Question question;
    SharedOutcome outcome;
    TimePoint expires;
    std::size_t octets = 0;
  };
  using Entries = std::list<Entry>;

  void erase(Entries::iterator entry);

  CacheLimits limits_;
  Entries entries_;  // the one asked for last is first
  std::map<Question, Entries::iterator> places_;
  std::size_t octets_ = 0;
};

}  // namespace postern::dns
