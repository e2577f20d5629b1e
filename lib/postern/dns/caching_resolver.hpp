// The resolver over any exchange: answers from the cache, one query for all who ask the same at the
// same time, several servers tried in turn.
#pragma once

#include <postern/dns/lookup.hpp>
#include <postern/dns/resolver.hpp>

#include <map>

namespace postern::dns {

class CachingResolver final : public Resolver, private LookupOwner {
 public:
  static constexpr std::size_t most_lookups = 20'000;  // under way; beyond them `busy`

  struct Settings {
    std::size_t tries = 3;  // of each server
    CacheLimits cache;
  };
  struct Counters {
    std::uint64_t asked = 0;   // by tasks
    std::uint64_t cached = 0;  // of those, answered from the cache
    std::uint64_t joined = 0;  // ... by a lookup that was under way
    std::uint64_t sent = 0;    // questions to servers, retries among them
    std::uint64_t failed = 0;  // lookups that ended in an error
  };

  CachingResolver(coro::Scheduler& scheduler, std::unique_ptr<Exchange> exchange,
                  const Settings& settings);
  // Whoever still waits gets `cancelled`, in a later turn.
  ~CachingResolver() override;

  coro::Task<Result<Answer<IpAddress>>> a(std::string name) override;
  coro::Task<Result<Answer<IpAddress>>> aaaa(std::string name) override;
  coro::Task<Result<Answer<Mx>>> mx(std::string name) override;
  coro::Task<Result<Answer<std::string>>> txt(std::string name) override;
  coro::Task<Result<Answer<std::string>>> ptr(IpAddress address) override;

  const Counters& counters() const { return counters_; }
  const Cache& cache() const { return cache_; }
  std::size_t under_way() const { return lookups_.size(); }

 private:
  template <typename Record>
  coro::Task<Result<Answer<Record>>> ask(Type type, std::string name);
  std::shared_ptr<Lookup> look_up(const Question& question);  // null: too many
  void looked_up(Lookup& lookup, SharedOutcome outcome) override;
  void server_failed(std::size_t server) override;
  void sent() override { ++counters_.sent; }

  coro::Scheduler& scheduler_;
  std::unique_ptr<Exchange> exchange_;
  Settings settings_;
  Cache cache_;
  std::map<Question, std::shared_ptr<Lookup>> lookups_;
  std::size_t first_server_ = 0;  // one that answered when it was last asked, if there is one
  Counters counters_;
};

}  // namespace postern::dns
