// Preloaded into a server to count its allocations: LD_PRELOAD, and COUNT_ALLOCATIONS names a file
// of at least sizeof(Counts) octets that all processes of the server share.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

// glibc's own, behind the names that we take over.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

// As bench/servers.py reads it.
struct Counts {
  std::atomic<std::uint64_t> allocations;
  std::atomic<std::uint64_t> octets;
};
static_assert(sizeof(Counts) == 16 && std::atomic<std::uint64_t>::is_always_lock_free);

Counts early{};  // what is allocated before the file is mapped, or without one
Counts* counts = &early;

void count(std::size_t octets) {
  counts->allocations.fetch_add(1, std::memory_order_relaxed);
  counts->octets.fetch_add(octets, std::memory_order_relaxed);
}

__attribute__((constructor)) void map_counts() {
  const char* path = std::getenv("COUNT_ALLOCATIONS");
  const int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* mapped = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) counts = static_cast<Counts*>(mapped);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  count(size);
  return __libc_malloc(size);
}

__attribute__((visibility("default"))) void* calloc(std::size_t number, std::size_t size) {
  count(number * size);
  return __libc_calloc(number, size);
}

__attribute__((visibility("default"))) void* realloc(void* old, std::size_t size) {
  count(size);
  return __libc_realloc(old, size);
}

__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment,
                                                           std::size_t size) {
  count(size);
  return __libc_memalign(alignment, size);
}

}  // extern "C"
