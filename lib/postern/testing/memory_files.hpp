// A file system in memory that knows what a power loss leaves: content is durable after sync(), a
// name after sync_directory(), and each operation can fail.
//
//   MemoryFiles files(sim);
//   files.add_directory("/mail/new");
//   files.fail_at(3, Errc::no_space);
//   auto outcome = sim.run(store(files, message));
//   CHECK(files.crash().count("/mail/new/1") == 1);
#pragma once

#include <postern/coro/slots.hpp>
#include <postern/net/files.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <functional>
#include <map>
#include <vector>

namespace postern::testing {

// Path and content of each file that has a name.
using Tree = std::map<std::string, std::string>;

class MemoryFiles final : public net::Files {
 public:
  // The pool of the simulation: jobs beyond `threads` queue; each takes up to `slowest`, as drawn,
  // so that they end in another order than they began.
  static constexpr std::size_t threads = 4;  // libuv's default
  static constexpr Duration slowest = std::chrono::milliseconds(10);

  explicit MemoryFiles(SimScheduler& sim);
  ~MemoryFiles() override;

  coro::Task<Result<net::FilePtr>> create(std::string path) override;
  coro::Task<Result<net::FilePtr>> create_unnamed(std::string directory) override;
  coro::Task<Result<void>> rename(std::string from, std::string to) override;
  coro::Task<Result<void>> remove(std::string path) override;
  coro::Task<Result<void>> sync_directory(std::string path) override;
  coro::Task<Result<void>> make_directory(std::string path) override;

  // For the test's own set-up and inspection: at once, durable, not counted.
  void add_directory(const std::string& path);
  void add_file(const std::string& path, std::string content);
  Tree tree() const;  // as the running system sees it

  // What is there after a power loss now. `crash()` keeps only what was promised; with dice, any of
  // the names and any beginning of the content that were still in memory may have reached the disk
  // too.
  Tree crash() const;
  Tree crash(Random& dice) const;

  // The n-th operation from now (1 is the next) fails with `why`; a write has then written a part.
  void fail_at(std::uint64_t n, Errc why);
  // ... and all after it, as on a full disk. Removing and reading still work.
  void fail_from(std::uint64_t n, Errc why);
  // What was asked so far, in the order in which it was carried out: "create /mail/tmp/1".
  const std::vector<std::string>& operations() const { return operations_; }

 private:
  friend class MemoryFile;
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  class Busy;
  struct Fault {
    std::uint64_t first = 0;  // 0: none
    bool lasts = false;
    Errc why = Errc::io;
  };

  // One job on the pool: may be stopped while it queues, is waited for once it runs.
  template <typename T>
  coro::Task<Result<T>> job(std::string what, std::function<Result<T>()> work,
                            std::function<void()> half_done = nullptr);
  bool fails(const std::string& what);

  Result<NodePtr> find(const std::string& path) const;
  Result<NodePtr> find_directory(const std::string& path) const;
  Result<net::FilePtr> create_now(const std::string& path);
  Result<void> rename_now(const std::string& from, const std::string& to);
  Result<void> remove_now(const std::string& path);
  NodePtr make_directories(const std::string& path, bool durable);

  SimScheduler& sim_;
  coro::Slots pool_{threads};
  NodePtr root_;
  Fault fault_;
  std::vector<std::string> operations_;
};

}  // namespace postern::testing
