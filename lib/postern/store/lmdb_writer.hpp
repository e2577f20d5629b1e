// The one thread of a worker that writes to the store: LMDB's lock for writers blocks. It takes
// what is queued in batches, one transaction each, removes what has expired, and opens the file
// anew when it has become useless.
#pragma once

#include <postern/store/lmdb_file.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace postern::store {

// What time it is; any thread.
class WallClock {
 public:
  virtual WallTime now() const = 0;

 protected:
  ~WallClock() = default;
};
const WallClock& system_clock();

// Called on the writer's thread: something waits in Writer::take_news().
class Bell {
 public:
  virtual void ring() = 0;

 protected:
  ~Bell() = default;
};

class LmdbWriter {
 public:
  static constexpr std::size_t most_queued = 65'536;
  static constexpr std::size_t most_in_batch = 256;
  static constexpr auto gathering = std::chrono::milliseconds(2);  // of what nobody awaits
  static constexpr auto retry_interval = std::chrono::seconds(10);

  struct Job {
    std::uint64_t number;  // rises
    std::string key;
    Update update;
    bool awaited;
  };
  struct Done {
    std::uint64_t number;
    Result<Outcome> outcome;
    Job job;
  };
  struct News {
    std::vector<Done> done;               // of what was awaited
    std::vector<std::string> notes;       // for the log
    bool useless = false;                 // the reader's file: let go of it, then say dropped()
    std::shared_ptr<LmdbFile> file = {};  // a new one
  };

  // `file`: null when it could not be opened, for which `problem` is the reason; it is tried again.
  LmdbWriter(LmdbPlace place, const WallClock& clock, Bell& bell, std::shared_ptr<LmdbFile> file,
             Error problem);
  // Writes what is queued, then ends. Whoever reads has let go of the file.
  ~LmdbWriter();

  // On the loop's thread. Never waits for the writer's work. False: too much is queued.
  bool queue(Job job);
  // Updates up to this number have been applied, or have failed.
  std::uint64_t settled() const { return settled_.load(std::memory_order_acquire); }
  // What the last transaction met; nothing when all is well.
  std::optional<Error> problem() const;
  News take_news();
  void dropped();  // the reader has let go of the useless file
  StoreState state() const;

 private:
  void run();
  bool wait_for_work(std::vector<Job>& jobs);
  void settle(std::vector<Job>& jobs);
  void make_room();
  int settle_batch(Job* first, std::size_t count, std::vector<Result<Outcome>>& outcomes);
  void settle_with_less(Job* first, std::size_t count, std::vector<Result<Outcome>>& outcomes);
  void tell(std::vector<Job>& jobs, std::vector<Result<Outcome>>& outcomes);
  void look_after();
  void give_up_file(int code);
  void reopen();
  void set_problem(std::optional<Error> problem);

  const LmdbPlace place_;
  const WallClock& clock_;
  Bell& bell_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> queued_;
  News news_;
  bool urgent_ = false;  // somebody waits for one of them
  bool idle_ = false;    // the thread sleeps until something is queued
  bool stop_ = false;
  bool reader_has_it_ = false;
  bool try_now_ = false;
  std::optional<Error> problem_;
  StoreState state_;
  std::atomic<std::uint64_t> settled_{0};

  // The thread's own.
  std::shared_ptr<LmdbFile> file_;
  bool patient_ = true;        // waits for room; not again for the same jobs
  std::uint64_t suspect_ = 0;  // the inode of a file that was found to be corrupt
  std::chrono::steady_clock::time_point next_try_;
  std::chrono::steady_clock::time_point next_look_;
  std::thread thread_;
};

}  // namespace postern::store
