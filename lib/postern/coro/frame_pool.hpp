// Memory for coroutine frames: a list of free frames per size, so that a session in steady state
// allocates nothing. Per thread; under AddressSanitizer the system's allocator, which finds more.
#pragma once

#include <cstddef>

namespace postern::coro {

void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

// Frames that exist now on this thread: 0 when every task is gone.
std::size_t live_frames() noexcept;

// The same lists for what is no frame (coro::Pooled).
void* allocate_pooled(std::size_t size);
void free_pooled(void* memory, std::size_t size) noexcept;

}  // namespace postern::coro
