// What a plugin has of the state store: keys of its own, or shared by name.
//
//   auto seen = state().get(key);                      // at once
//   auto put = state().put(key, "grey", 48h);          // handed over
//   auto place = co_await state().hold(network, 20);   // exact
#pragma once

#include <postern/store/store.hpp>

#include <utility>

namespace postern::store {

// A counted place; given back when it goes, or when its worker dies.
class Place {
 public:
  Place() = default;
  Place(Store& store, std::string key) : store_(&store), key_(std::move(key)) {}
  Place(Place&& other) noexcept
      : store_(std::exchange(other.store_, nullptr)), key_(std::move(other.key_)) {}
  Place& operator=(Place&& other) noexcept;
  ~Place() { release(); }
  void release();
  explicit operator bool() const { return store_ != nullptr; }

 private:
  Store* store_ = nullptr;
  std::string key_;
};

// A value. Errors: store.hpp.
class State {
 public:
  State(Store& store, std::string_view space) : store_(&store), space_(space) {
    space_.push_back('\0');
  }

  WallTime now() const { return store_->now(); }

  // ---- At once: what this worker knows ----
  Result<std::optional<std::string>> get(std::string_view key) const;
  Result<std::uint64_t> counted(std::string_view key, milliseconds window) const;
  Result<std::vector<Item>> scan(std::string_view prefix, std::size_t most,
                                 std::string_view after = {}) const;

  // ---- Handed over: applied within 10 ms; what is returned is what this worker foresees ----
  Result<void> put(std::string_view key, std::string value, milliseconds lifetime) const;
  Result<void> erase(std::string_view key) const;
  // One more, or `by`, in a window that slides (see counted() in update.hpp). The window belongs to
  // the key: one key, one length.
  Result<std::uint64_t> count(std::string_view key, milliseconds window,
                              std::uint64_t by = 1) const;
  // Whether there were so many tokens.
  Result<bool> take(std::string_view key, Bucket bucket, std::uint64_t tokens = 1) const;

  // ---- Exact: among all workers ----
  coro::Task<Result<std::uint64_t>> count_exactly(std::string key, milliseconds window,
                                                  std::uint64_t by = 1) const;
  coro::Task<Result<bool>> take_exactly(std::string key, Bucket bucket,
                                        std::uint64_t tokens = 1) const;
  // Whether it was as expected (nothing: absent) and is now `value` (nothing: erased).
  coro::Task<Result<bool>> compare_and_set(std::string key, std::optional<std::string> expected,
                                           std::optional<std::string> value,
                                           milliseconds lifetime) const;
  // A place of `most`; an empty one when all are taken.
  coro::Task<Result<Place>> hold(std::string key, std::uint64_t most) const;
  // Whether the work of that name is this worker's for so long: nobody else has it. Asked for again
  // it is prolonged; it is free when its worker dies.
  coro::Task<Result<bool>> lease(std::string name, milliseconds length) const;

 private:
  std::string full(std::string_view key) const { return std::string(space_).append(key); }

  Store* store_;
  std::string space_;
};

}  // namespace postern::store
