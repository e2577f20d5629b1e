// A state store in memory, in virtual time: what plugins have in the harness. It obeys the same
// conformance test as the one on disk.
#pragma once

#include <postern/store/store.hpp>

#include <map>
#include <optional>
#include <string>

namespace postern::testing {

class MemoryStore final : public store::Store, private store::Living {
 public:
  explicit MemoryStore(coro::Scheduler& scheduler) : scheduler_(scheduler) {}

  store::WallTime now() const override;
  Result<std::optional<store::Entry>> get(std::string_view key) override;
  Result<std::vector<store::Item>> scan(std::string_view prefix, std::string_view after,
                                        std::size_t most) override;
  Result<store::Outcome> hand_over(std::string_view key, store::Update update) override;
  coro::Task<Result<store::Outcome>> settle(std::string key, store::Update update) override;
  store::StoreState state() const override;

  // From now on everything is an error; without one it works again.
  void fail_with(std::optional<Errc> error) { error_ = error; }
  // Updates so far; reads so far.
  std::size_t updates() const { return updates_; }
  std::size_t reads() const { return reads_; }

 private:
  bool alive(store::Owner owner) const override { return owner == me; }
  static constexpr store::Owner me = 1;

  coro::Scheduler& scheduler_;
  std::map<std::string, store::Entry, std::less<>> entries_;
  std::optional<Errc> error_;
  std::size_t updates_ = 0;
  std::size_t reads_ = 0;
};

}  // namespace postern::testing
