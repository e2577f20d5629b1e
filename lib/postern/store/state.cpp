#include <postern/store/state.hpp>

namespace postern::store {
namespace {

using Kind = Update::Kind;

Update update(Kind kind, milliseconds lifetime = {}, std::uint64_t amount = 1) {
  Update made;
  made.kind = kind;
  made.lifetime = lifetime;
  made.amount = amount;
  return made;
}

Update taking(Bucket bucket, std::uint64_t tokens) {
  Update made = update(Kind::take, {}, tokens);
  made.bucket = bucket;
  return made;
}

class NoStore final : public Store {
 public:
  WallTime now() const override {
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  }
  Result<std::optional<Entry>> get(std::string_view) override { return none(); }
  Result<std::vector<Item>> scan(std::string_view, std::string_view, std::size_t) override {
    return none();
  }
  Result<Outcome> hand_over(std::string_view, Update) override { return none(); }
  coro::Task<Result<Outcome>> settle(std::string, Update) override { co_return none(); }
  StoreState state() const override { return {}; }

 private:
  static tl::unexpected<Error> none() { return fail(Errc::unsupported, "there is no state store"); }
};

coro::Task<Result<bool>> is_done(Store& store, std::string key, Update wanted) {
  const auto outcome = co_await store.settle(std::move(key), std::move(wanted));
  if (!outcome) co_return fail(outcome.error());
  co_return outcome->done;
}

coro::Task<Result<std::uint64_t>> number_of(Store& store, std::string key, Update wanted) {
  const auto outcome = co_await store.settle(std::move(key), std::move(wanted));
  if (!outcome) co_return fail(outcome.error());
  co_return outcome->number;
}

coro::Task<Result<Place>> place_of(Store& store, std::string key, Update wanted) {
  const auto outcome = co_await store.settle(key, std::move(wanted));
  if (!outcome) co_return fail(outcome.error());
  if (!outcome->done) co_return Place();
  co_return Place(store, std::move(key));
}

}  // namespace

Store& no_store() {
  static NoStore none;
  return none;
}

Place& Place::operator=(Place&& other) noexcept {
  if (this != &other) {
    release();
    store_ = std::exchange(other.store_, nullptr);
    key_ = std::move(other.key_);
  }
  return *this;
}

// Should it fail, the place is free when this worker ends.
void Place::release() {
  if (Store* store = std::exchange(store_, nullptr))
    (void)store->hand_over(key_, update(Kind::release));
}

Result<std::optional<std::string>> State::get(std::string_view key) const {
  auto entry = store_->get(full(key));
  if (!entry) return fail(entry.error());
  if (!*entry || (*entry)->form != Form::value) return std::nullopt;
  return std::move((*entry)->content);
}

Result<std::uint64_t> State::counted(std::string_view key, milliseconds window) const {
  const auto entry = store_->get(full(key));
  if (!entry) return fail(entry.error());
  return store::counted(*entry ? &**entry : nullptr, window, now());
}

Result<std::vector<Item>> State::scan(std::string_view prefix, std::size_t most,
                                      std::string_view after) const {
  auto items = store_->scan(full(prefix), after.empty() ? std::string() : full(after), most);
  if (!items) return fail(items.error());
  for (Item& item : *items) item.key.erase(0, space_.size());
  return items;
}

Result<void> State::put(std::string_view key, std::string value, milliseconds lifetime) const {
  Update put = update(Kind::put, lifetime);
  put.value = std::move(value);
  const auto outcome = store_->hand_over(full(key), std::move(put));
  if (!outcome) return fail(outcome.error());
  return {};
}

Result<void> State::erase(std::string_view key) const {
  const auto outcome = store_->hand_over(full(key), update(Kind::erase));
  if (!outcome) return fail(outcome.error());
  return {};
}

Result<std::uint64_t> State::count(std::string_view key, milliseconds window,
                                   std::uint64_t by) const {
  const auto outcome = store_->hand_over(full(key), update(Kind::count, window, by));
  if (!outcome) return fail(outcome.error());
  return outcome->number;
}

Result<bool> State::take(std::string_view key, Bucket bucket, std::uint64_t tokens) const {
  const auto outcome = store_->hand_over(full(key), taking(bucket, tokens));
  if (!outcome) return fail(outcome.error());
  return outcome->done;
}

// What these hand to a task are values: the State may be gone before it.
coro::Task<Result<std::uint64_t>> State::count_exactly(std::string key, milliseconds window,
                                                       std::uint64_t by) const {
  return number_of(*store_, full(key), update(Kind::count, window, by));
}

coro::Task<Result<bool>> State::take_exactly(std::string key, Bucket bucket,
                                             std::uint64_t tokens) const {
  return is_done(*store_, full(key), taking(bucket, tokens));
}

coro::Task<Result<bool>> State::compare_and_set(std::string key,
                                                std::optional<std::string> expected,
                                                std::optional<std::string> value,
                                                milliseconds lifetime) const {
  Update change = update(Kind::compare_and_set, lifetime);
  change.expected = std::move(expected);
  change.value = std::move(value);
  return is_done(*store_, full(key), std::move(change));
}

coro::Task<Result<Place>> State::hold(std::string key, std::uint64_t most) const {
  return place_of(*store_, full(key), update(Kind::hold, {}, most));
}

coro::Task<Result<bool>> State::lease(std::string name, milliseconds length) const {
  return is_done(*store_, full(name), update(Kind::lease, length));
}

}  // namespace postern::store
