// A message's content while we have it: in memory up to a threshold, beyond it in a file without a
// name, which no crash can leave behind.
#pragma once

#include <postern/net/files.hpp>

#include <cstdint>
#include <string>

namespace postern::deliver {

class Spool {
 public:
  static constexpr std::size_t piece = 64 * 1024;  // read and written at once

  // `directory` is for the file; `memory` in octets is the threshold.
  Spool(net::Files& files, std::string directory, std::size_t memory)
      : files_(files), directory_(std::move(directory)), memory_(memory) {}
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Append here, then settle() when it is time.
  std::string& tail() { return tail_; }
  bool must_settle() const { return tail_.size() > (file_ ? piece : memory_); }
  // Moves what is in memory to the file. Errors: no_space, descriptors, io.
  coro::Task<Result<void>> settle();

  std::uint64_t size() const { return filed_ + tail_.size(); }
  bool in_memory() const { return !file_; }
  // Up to `most` octets from `offset`; empty at the end.
  coro::Task<Result<std::string>> read(std::uint64_t offset, std::size_t most);

 private:
  net::Files& files_;
  std::string directory_;
  std::size_t memory_;
  std::string tail_;
  std::uint64_t filed_ = 0;
  net::FilePtr file_;
};

}  // namespace postern::deliver
