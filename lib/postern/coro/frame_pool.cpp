#include <postern/coro/frame_pool.hpp>

#include <array>
#include <new>

namespace postern::coro {
namespace {

constexpr std::size_t granule = 64;
constexpr std::size_t classes = 32;  // frames up to 2 KiB are pooled
constexpr std::size_t kept_per_class = 4096;

#ifdef __SANITIZE_ADDRESS__
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif

struct FreeFrame {
  FreeFrame* next;
};

struct Pool {
  std::array<FreeFrame*, classes> free{};
  std::array<std::size_t, classes> count{};
  std::size_t live = 0;

  ~Pool() {
    for (FreeFrame* frame : free) {
      while (frame) {
        FreeFrame* next = frame->next;
        ::operator delete(frame);
        frame = next;
      }
    }
  }
};

thread_local Pool pool;

constexpr std::size_t class_of(std::size_t size) { return (size - 1) / granule; }

}  // namespace

void* allocate_pooled(std::size_t size) {
  const std::size_t index = class_of(size);
  if (!pooled || index >= classes) return ::operator new(size);
  if (FreeFrame* frame = pool.free[index]) {
    pool.free[index] = frame->next;
    --pool.count[index];
    return frame;
  }
  return ::operator new((index + 1) * granule);
}

void free_pooled(void* memory, std::size_t size) noexcept {
  const std::size_t index = class_of(size);
  if (!pooled || index >= classes || pool.count[index] == kept_per_class) {
    ::operator delete(memory);
    return;
  }
  pool.free[index] = new (memory) FreeFrame{pool.free[index]};
  ++pool.count[index];
}

void* allocate_frame(std::size_t size) {
  void* frame = allocate_pooled(size);
  ++pool.live;
  return frame;
}

void free_frame(void* frame, std::size_t size) noexcept {
  --pool.live;
  free_pooled(frame, size);
}

std::size_t live_frames() noexcept { return pool.live; }

}  // namespace postern::coro
