#include <postern/store/lmdb_writer.hpp>

#include <fmt/format.h>
#include <lmdb.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace postern::store {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto look_interval = 1s;
constexpr std::size_t swept_at_a_time = 64;  // entries of the index, of one transaction
constexpr std::size_t swept_for_room = 4;
constexpr int tries_for_room = 50;

class SystemClock final : public WallClock {
 public:
  WallTime now() const override {
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  }
};

// Signals are the loop's.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

const WallClock& system_clock() {
  static const SystemClock clock;
  return clock;
}

LmdbWriter::LmdbWriter(LmdbPlace place, const WallClock& clock, Bell& bell,
                       std::shared_ptr<LmdbFile> file, Error problem)
    : place_(std::move(place)), clock_(clock), bell_(bell), file_(std::move(file)) {
  if (!file_) problem_ = std::move(problem);
  reader_has_it_ = file_ != nullptr;
  state_.size = place_.size;
  next_try_ = Steady::now() + retry_interval;
  next_look_ = Steady::now();
  const NoSignals blocked;
  thread_ = std::thread([this] { run(); });
}

LmdbWriter::~LmdbWriter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool LmdbWriter::queue(Job job) {
  bool sleeps = false;
  {
    const std::lock_guard lock(mutex_);
    if (queued_.size() >= most_queued) return false;
    sleeps = idle_ || (job.awaited && !urgent_);
    urgent_ |= job.awaited;
    queued_.push_back(std::move(job));
  }
  if (sleeps) wake_.notify_one();
  return true;
}

std::optional<Error> LmdbWriter::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

LmdbWriter::News LmdbWriter::take_news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

void LmdbWriter::dropped() {
  const std::lock_guard lock(mutex_);
  reader_has_it_ = false;
  try_now_ = true;
}

StoreState LmdbWriter::state() const {
  const std::lock_guard lock(mutex_);
  StoreState state = state_;
  state.queued = queued_.size();
  state.usable = !problem_;
  if (problem_) state.problem = problem_->describe();
  return state;
}

void LmdbWriter::set_problem(std::optional<Error> problem) {
  const std::lock_guard lock(mutex_);
  if (problem && !problem_)
    news_.notes.push_back(
        fmt::format("{}; until this ends, plugins that want it do as their "
                    "on_error says",
                    problem->describe()));
  else if (!problem && problem_)
    news_.notes.push_back("the state store works again");
  if (problem.has_value() != problem_.has_value()) bell_.ring();
  problem_ = std::move(problem);
}

// ---- The thread ----

void LmdbWriter::run() {
  std::vector<Job> jobs;
  while (wait_for_work(jobs)) {
    if (!file_) reopen();
    settle(jobs);
    jobs.clear();
    if (Steady::now() >= next_look_) look_after();
  }
  if (file_) file_->finish();
}

// False: nothing is left, and there will be no more. A few milliseconds of updates that nobody
// awaits make one transaction.
bool LmdbWriter::wait_for_work(std::vector<Job>& jobs) {
  std::unique_lock lock(mutex_);
  if (queued_.empty() && !stop_) {
    idle_ = true;
    wake_.wait_until(lock, next_look_, [&] { return stop_ || !queued_.empty(); });
    idle_ = false;
  }
  if (!urgent_ && !stop_ && !queued_.empty())
    wake_.wait_for(lock, gathering, [&] { return stop_ || urgent_; });
  if (stop_ && queued_.empty()) return false;
  jobs.swap(queued_);
  urgent_ = false;
  return true;
}

void LmdbWriter::settle(std::vector<Job>& jobs) {
  if (jobs.empty()) return;
  std::vector<Result<Outcome>> outcomes;
  outcomes.reserve(jobs.size());
  patient_ = true;
  for (std::size_t at = 0; at < jobs.size();) {
    std::size_t count = std::min(jobs.size() - at, most_in_batch);
    // What is written over is free two transactions later: that must fit into the room that is
    // kept.
    if (file_) count = std::min(count, std::max<std::size_t>(4, file_->map_pages() / 256));
    settle_with_less(&jobs[at], count, outcomes);
    at += count;
  }
  tell(jobs, outcomes);
}

// Where there is no room a reader may have been interrupted: as long as he looks, no page that has
// been given up since can be used again. What does not fit as a whole may in parts.
void LmdbWriter::settle_with_less(Job* first, std::size_t count,
                                  std::vector<Result<Outcome>>& outcomes) {
  const std::size_t before = outcomes.size();
  if (!file_) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < count; ++i) outcomes.push_back(fail(*problem_));
    return;
  }
  int code = settle_batch(first, count, outcomes);
  for (int i = 0; patient_ && code == MDB_MAP_FULL; ++i) {
    outcomes.resize(before, Outcome());
    std::this_thread::sleep_for(gathering);
    make_room();
    code = settle_batch(first, count, outcomes);
    patient_ = i < tries_for_room;
  }
  if (code == 0) return set_problem({});
  outcomes.resize(before, Outcome());
  if (code == MDB_MAP_FULL && count > 1) {
    settle_with_less(first, count / 2, outcomes);
    settle_with_less(first + count / 2, count - count / 2, outcomes);
    return;
  }
  const Error error = lmdb_error(code, "state store");
  for (std::size_t i = 0; i < count; ++i) outcomes.push_back(fail(error));
  set_problem(error);
  if (is_fatal(code)) give_up_file(code);
}

void LmdbWriter::make_room() {
  LmdbTransaction transaction(*file_);
  LmdbTransaction::Swept swept;
  if (transaction.begin() == 0 && transaction.sweep(clock_.now(), swept_for_room, swept) == 0)
    transaction.commit();
}

int LmdbWriter::settle_batch(Job* first, std::size_t count,
                             std::vector<Result<Outcome>>& outcomes) {
  LmdbTransaction transaction(*file_);
  if (const int code = transaction.begin()) return code;
  LmdbTransaction::Swept swept;
  const std::size_t room = 2 * count + swept_for_room;
  if (const int code = transaction.sweep(clock_.now(), room, swept)) return code;
  for (std::size_t i = 0; i < count; ++i) {
    Outcome outcome;
    if (const int code = transaction.apply(first[i].key, first[i].update, outcome)) return code;
    outcomes.push_back(outcome);
  }
  if (const int code = transaction.commit()) return code;
  const std::lock_guard lock(mutex_);
  state_.expired += swept.expired;
  state_.evicted += swept.evicted;
  return 0;
}

void LmdbWriter::tell(std::vector<Job>& jobs, std::vector<Result<Outcome>>& outcomes) {
  settled_.store(jobs.back().number, std::memory_order_release);
  bool any = false;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!outcomes[i]) ++state_.failed;
      if (!jobs[i].awaited) continue;
      const std::uint64_t number = jobs[i].number;
      news_.done.push_back({number, std::move(outcomes[i]), std::move(jobs[i])});
      any = true;
    }
  }
  if (any) bell_.ring();
}

// Once a second: what has expired, for a few milliseconds at most; whether the file is still the
// one that the others have; readers that died.
void LmdbWriter::look_after() {
  next_look_ = Steady::now() + look_interval;
  if (!file_) return;
  if (!file_->in_place()) {
    set_problem(Error(Errc::malformed, "state store: its file was moved away"));
    return give_up_file(0);
  }
  file_->clear_stale_readers();
  const auto due = Steady::now() + 20ms;
  LmdbReader reader(file_);
  for (;;) {
    const auto usage = reader.usage(clock_.now());
    if (!usage) return;
    {
      const std::lock_guard lock(mutex_);
      state_.entries = usage->entries;
      state_.octets = usage->octets;
      state_.size = usage->size;
      if (!queued_.empty() || stop_) return;
    }
    if (!usage->any_due || Steady::now() > due) return;
    LmdbTransaction transaction(*file_);
    LmdbTransaction::Swept swept;
    int code = transaction.begin();
    if (code == 0) code = transaction.sweep(clock_.now(), swept_at_a_time, swept);
    if (code == 0) code = transaction.commit();
    if (code != 0) {
      set_problem(lmdb_error(code, "state store"));
      if (is_fatal(code)) give_up_file(code);
      return;
    }
    const std::lock_guard lock(mutex_);
    state_.expired += swept.expired;
    state_.evicted += swept.evicted;
  }
}

void LmdbWriter::give_up_file(int code) {
  if (is_corrupt(code)) suspect_ = file_->inode();
  next_try_ = Steady::now() + retry_interval;
  {
    const std::lock_guard lock(mutex_);
    if (news_.file) {  // the reader has not even taken it
      news_.file.reset();
      reader_has_it_ = false;
    } else {
      news_.useless = true;
    }
  }
  bell_.ring();
  file_.reset();
}

// Not before the reader has let go of the old one: a process may have a file open once.
void LmdbWriter::reopen() {
  {
    const std::lock_guard lock(mutex_);
    if (reader_has_it_ || stop_) return;
    if (!std::exchange(try_now_, false) && Steady::now() < next_try_) return;
  }
  next_try_ = Steady::now() + retry_interval;
  std::vector<std::string> notes;
  auto opened = LmdbFile::open(place_, notes, suspect_);
  {
    const std::lock_guard lock(mutex_);
    for (std::string& note : notes) news_.notes.push_back(std::move(note));
    if (opened) news_.file = *opened;
    if (opened) reader_has_it_ = true;
  }
  if (!opened) return set_problem(opened.error());
  suspect_ = 0;
  file_ = std::move(*opened);
  set_problem({});
  bell_.ring();
}

}  // namespace postern::store
