#include <postern/store/lmdb_store.hpp>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

namespace postern::store {
namespace {

// What it does concerns nobody but those who await it, or nobody at all.
bool is_of_owners(Update::Kind kind) {
  using Kind = Update::Kind;
  return kind == Kind::hold || kind == Kind::release || kind == Kind::lease || kind == Kind::review;
}

class Everybody final : public Living {
 public:
  bool alive(Owner) const override { return true; }
};

}  // namespace

class LmdbStore::Settling final : public coro::Wait {
 public:
  Settling(LmdbStore& store, std::uint64_t number)
      : Wait("state store"), store_(store), number_(number) {}
  Result<Outcome> await_resume() {
    if (stopped()) return stop_error();
    return std::move(outcome_);
  }
  void finish(Result<Outcome> outcome) {
    outcome_ = std::move(outcome);
    resume_soon();
  }

 private:
  bool begin() override {
    store_.settling_.emplace(number_, this);
    return true;
  }
  void abandon() noexcept override { store_.settling_.erase(number_); }

  LmdbStore& store_;
  std::uint64_t number_;
  Result<Outcome> outcome_;
};

LmdbStore::LmdbStore(net::Loop& loop, Log& log, const LmdbPlace& place, const WallClock& clock)
    : log_(log), clock_(clock), bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (bell_ >= 0) {
    if (auto watch = net::SocketWatch::open(loop, bell_, *this)) {
      watch_ = std::move(*watch);
      watch_->want(true, false);
    }
  }
  std::vector<std::string> notes;
  Result<std::shared_ptr<LmdbFile>> opened = fail(Errc::descriptors, "state store: no eventfd");
  if (watch_) opened = LmdbFile::open(place, notes);
  for (const std::string& note : notes) log_.error("{}", note);
  Error problem(Errc::io);
  if (opened) {
    file_ = std::move(*opened);
    reader_ = std::make_unique<LmdbReader>(file_);
  } else {
    problem = opened.error();
    log_.error("state store: {}; plugins that want it do as their on_error says",
               problem.describe());
  }
  writer_ = std::make_unique<LmdbWriter>(place, clock, static_cast<Bell&>(*this), file_,
                                         std::move(problem));
}

LmdbStore::~LmdbStore() {
  reader_.reset();
  file_.reset();
  writer_.reset();
  watch_.reset();
  if (bell_ >= 0) close(bell_);
}

void LmdbStore::ring() {
  const std::uint64_t one = 1;
  (void)!write(bell_, &one, sizeof one);
}

void LmdbStore::socket_ready(int, bool, bool) {
  std::uint64_t rung = 0;
  (void)!read(bell_, &rung, sizeof rung);
  LmdbWriter::News news = writer_->take_news();
  for (const std::string& note : news.notes) log_.warning("state: {}", note);
  for (LmdbWriter::Done& done : news.done) finish(std::move(done));
  if (news.useless) {
    reader_.reset();
    file_.reset();
    writer_->dropped();
  }
  if (news.file) {
    file_ = std::move(news.file);
    reader_ = std::make_unique<LmdbReader>(file_);
  }
}

// A place that was taken for somebody who has been stopped meanwhile is given back.
void LmdbStore::finish(LmdbWriter::Done done) {
  const auto found = settling_.find(done.number);
  if (found != settling_.end()) {
    Settling* const settling = found->second;
    settling_.erase(found);
    settling->finish(std::move(done.outcome));
  } else if (done.job.update.kind == Update::Kind::hold && done.outcome && done.outcome->done) {
    Update release;
    release.kind = Update::Kind::release;
    (void)hand_over(done.job.key, std::move(release));
  }
}

void LmdbStore::forget_settled() {
  const std::uint64_t settled = writer_->settled();
  for (; !order_.empty() && order_.front().first <= settled; order_.pop_front()) {
    const auto found = overlay_.find(order_.front().second);
    if (found != overlay_.end() && found->second.number <= settled) overlay_.erase(found);
  }
}

const LmdbStore::Foreseen* LmdbStore::foreseen(std::string_view key) {
  if (overlay_.empty()) return nullptr;
  forget_settled();
  const auto found = overlay_.find(key);
  return found == overlay_.end() ? nullptr : &found->second;
}

Result<std::optional<Entry>> LmdbStore::get(std::string_view key) {
  if (key.size() > most_stored_octets) return get(stored_key(key));
  if (!reader_) return fail(writer_->problem().value_or(Error(Errc::busy, "state store")));
  Result<std::optional<Entry>> entry;
  if (const Foreseen* own = foreseen(key))
    entry = own->entry;
  else
    entry = reader_->get(key);
  if (entry && *entry && (*entry)->expired(now())) entry->reset();
  return entry;
}

Result<std::vector<Item>> LmdbStore::scan(std::string_view prefix, std::string_view after,
                                          std::size_t most) {
  if (!reader_) return fail(writer_->problem().value_or(Error(Errc::busy, "state store")));
  forget_settled();
  // What is queued can take as many away as it has.
  auto items = reader_->scan(prefix, after, most + overlay_.size(), now());
  if (!items || overlay_.empty()) return items;
  const bool is_end = items->size() < most + overlay_.size();
  const std::string last = items->empty() ? std::string() : items->back().key;
  std::map<std::string, Entry> merged;
  for (Item& item : *items) merged.insert_or_assign(std::move(item.key), std::move(item.entry));
  for (const auto& [key, own] : overlay_) {
    if (!key.starts_with(prefix) || key <= after || (!is_end && key > last)) continue;
    merged.erase(key);
    if (own.entry && !own.entry->expired(now())) merged.emplace(key, *own.entry);
  }
  items->clear();
  for (auto& [key, entry] : merged)
    if (items->size() < most) items->push_back({key, std::move(entry)});
  return items;
}

// What is foreseen is found out before the writer can be done with it.
Result<Outcome> LmdbStore::enqueue(std::string_view key, Update update, bool awaited) {
  if (key.empty() || key.size() > max_key_octets ||
      (update.value && update.value->size() > max_value_octets))
    return fail(Errc::too_long, "state store: a key or value");
  if (!reader_) return fail(writer_->problem().value_or(Error(Errc::busy, "state store")));
  update.now = now();
  update.owner = file_->owners().me();
  std::string name = stored_key(key);
  Outcome outcome;
  std::optional<Entry> foreseen_entry;
  const bool is_visible = !is_of_owners(update.kind);
  if (is_visible) {
    auto current = get(name);
    if (!current) return fail(current.error());
    Applied applied = apply(update, *current ? &**current : nullptr, Everybody());
    outcome = applied.outcome;
    foreseen_entry = std::move(applied.changed ? applied.entry : *current);
  }
  const std::uint64_t number = last_ + 1;
  if (!writer_->queue({number, name, std::move(update), awaited}))
    return fail(Errc::busy, "state store: too much is queued");
  last_ = number;
  if (is_visible) {
    order_.emplace_back(number, name);
    overlay_.insert_or_assign(std::move(name), Foreseen{number, std::move(foreseen_entry)});
  }
  return outcome;
}

// While updates fail they go on to be tried: that it works again is found out so.
Result<Outcome> LmdbStore::hand_over(std::string_view key, Update update) {
  auto outcome = enqueue(key, std::move(update), false);
  if (!outcome) return outcome;
  if (auto problem = writer_->problem()) return fail(std::move(*problem));
  return outcome;
}

coro::Task<Result<Outcome>> LmdbStore::settle(std::string key, Update update) {
  const auto queued = enqueue(key, std::move(update), true);
  if (!queued) co_return fail(queued.error());
  Settling settling(*this, last_);
  co_return co_await settling;
}

}  // namespace postern::store
