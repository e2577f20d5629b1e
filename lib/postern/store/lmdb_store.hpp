// The store of a worker on LMDB: reads inline, updates through the writer's thread. What is queued
// lies over what is read, until the writer has settled it.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/wait.hpp>
#include <postern/net/loop.hpp>
#include <postern/net/socket_watch.hpp>
#include <postern/store/lmdb_writer.hpp>

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

namespace postern::store {

class LmdbStore final : public Store, private net::SocketOwner, private Bell {
 public:
  // Where the file cannot be opened, it is logged and tried again; until then all is an error.
  LmdbStore(net::Loop& loop, Log& log, const LmdbPlace& place,
            const WallClock& clock = system_clock());
  ~LmdbStore() override;

  WallTime now() const override { return clock_.now(); }
  Result<std::optional<Entry>> get(std::string_view key) override;
  Result<std::vector<Item>> scan(std::string_view prefix, std::string_view after,
                                 std::size_t most) override;
  Result<Outcome> hand_over(std::string_view key, Update update) override;
  coro::Task<Result<Outcome>> settle(std::string key, Update update) override;
  StoreState state() const override { return writer_->state(); }

 private:
  class Settling;
  struct Foreseen {
    std::uint64_t number = 0;  // of the last update to this key
    std::optional<Entry> entry;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Overlay = std::unordered_map<std::string, Foreseen, Hash, std::equal_to<>>;

  void ring() override;
  void socket_ready(int socket, bool readable, bool writable) override;
  void finish(LmdbWriter::Done done);
  void forget_settled();
  const Foreseen* foreseen(std::string_view key);
  Result<Outcome> enqueue(std::string_view key, Update update, bool awaited);

  Log& log_;
  const WallClock& clock_;
  int bell_ = -1;  // an eventfd
  std::unique_ptr<net::SocketWatch> watch_;
  std::shared_ptr<LmdbFile> file_;
  std::unique_ptr<LmdbReader> reader_;
  std::unique_ptr<LmdbWriter> writer_;
  Overlay overlay_;
  std::deque<std::pair<std::uint64_t, std::string>> order_;  // of the overlay's updates
  std::unordered_map<std::uint64_t, Settling*> settling_;
  std::uint64_t last_ = 0;
};

}  // namespace postern::store
