#include "tally.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>

namespace postern::daemon {
namespace {

constexpr std::string_view magic = "postern counters 1\n";

struct Head {
  char magic[32];
  std::uint32_t octets;      // where the rows begin
  std::uint32_t row_octets;  // numbers first
  std::uint32_t rows;
  std::uint32_t columns;
  std::atomic<std::uint64_t> folds;  // odd while a row moves to row 0
  char names[4000];                  // of the columns, each with a newline
};

struct alignas(64) Row {  // a cache line is one worker's
  Counters counters;
  std::atomic<std::uint64_t> owned;
};

void write_names(Head& head) {
  char* at = head.names;
  for (const CountName& name : count_names) {
    at = std::copy(name.name.begin(), name.name.end(), at);
    *at++ = '\n';
  }
}

constexpr std::size_t octets_of_names() {
  std::size_t octets = 0;
  for (const CountName& name : count_names) octets += name.name.size() + 1;
  return octets;
}
static_assert(octets_of_names() < sizeof(Head::names));

}  // namespace

struct Tally::Layout {
  Head head;
  std::array<Row, rows> row;
};

Result<Tally> Tally::create() {
  const int file = memfd_create("postern-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return fail_errno(errno, "making a file in memory");
  // A worker that shortened it would end the others and us by SIGBUS.
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  void* memory = MAP_FAILED;
  if (ftruncate(file, sizeof(Layout)) == 0 && fcntl(file, F_ADD_SEALS, seals) == 0)
    memory = mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) {
    const int number = errno;
    close(file);
    return fail_errno(number, "sharing memory");
  }
  auto* layout = static_cast<Layout*>(memory);  // all zero, as a fresh Layout is
  std::copy(magic.begin(), magic.end(), layout->head.magic);
  layout->head.octets = offsetof(Layout, row);
  layout->head.row_octets = sizeof(Row);
  layout->head.rows = rows;
  layout->head.columns = counts;
  write_names(layout->head);
  return Tally(layout, file);
}

Result<Tally> Tally::open(int descriptor) {
  struct stat status {};
  void* memory = MAP_FAILED;
  const bool fits = fstat(descriptor, &status) == 0 && status.st_size == sizeof(Layout);
  if (fits)
    memory = mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  const int number = errno;
  close(descriptor);
  if (!fits) return fail(Errc::malformed, "the file of the counters has another size");
  if (memory == MAP_FAILED) return fail_errno(number, "sharing memory");
  return Tally(static_cast<Layout*>(memory), -1);
}

Tally::Tally(Tally&& other) noexcept
    : layout_(std::exchange(other.layout_, nullptr)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

Tally::~Tally() {
  if (layout_) munmap(layout_, sizeof(Layout));
  if (descriptor_ >= 0) close(descriptor_);
}

std::optional<std::size_t> Tally::claim() {
  for (std::size_t row = 1; row < rows; ++row)
    if (layout_->row[row].owned.exchange(1) == 0) return row;
  return {};
}

void Tally::fold(std::size_t row) {
  Row& gone = layout_->row.at(row);
  Head& head = layout_->head;
  head.folds.fetch_add(1);
  for (std::size_t i = 0; i < counts; ++i) layout_->row[0].counters.add(i, gone.counters.get(i));
  for (std::size_t i = 0; i < counts; ++i) gone.counters.clear(i);
  head.folds.fetch_add(1);
  gone.owned.store(0);
}

Counters& Tally::at(std::size_t row) { return layout_->row.at(row).counters; }

std::array<std::uint64_t, counts> Tally::totals() const {
  for (;;) {
    std::array<std::uint64_t, counts> sums{};
    const std::uint64_t before = layout_->head.folds.load();
    for (const Row& row : layout_->row) {
      if (&row != &layout_->row[0] && row.owned.load() == 0) continue;
      for (std::size_t i = 0; i < counts; ++i) sums[i] += row.counters.get(i);
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && layout_->head.folds.load() == before) return sums;
  }
}

}  // namespace postern::daemon
