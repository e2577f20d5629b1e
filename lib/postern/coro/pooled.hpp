// What comes and goes with every session or recipient: its memory is taken from the frames' lists.
#pragma once

#include <postern/coro/frame_pool.hpp>

#include <cstddef>

namespace postern::coro {

struct Pooled {
  static void* operator new(std::size_t size) { return allocate_pooled(size); }
  static void operator delete(void* memory, std::size_t size) { free_pooled(memory, size); }
};

}  // namespace postern::coro
