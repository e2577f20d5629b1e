// Files without holding the loop: each operation is one job on the thread pool that owns its data.
// `testing` implements the same in memory, with faults at any step.
#pragma once

#include <postern/coro/task.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace postern::net {

// An open file, closed when it goes. One operation at a time.
class File {
 public:
  virtual ~File() = default;
  // Appends all of it. Errors: no_space, io.
  virtual coro::Task<Result<void>> write(std::string octets) = 0;
  // Up to `most` octets from `offset`; empty at the end.
  virtual coro::Task<Result<std::string>> read(std::uint64_t offset, std::size_t most) = 0;
  // Returns once the content is durable (fsync).
  virtual coro::Task<Result<void>> sync() = 0;
};
using FilePtr = std::unique_ptr<File>;

class Files {
 public:
  virtual ~Files() = default;
  // A new file, mode 0600; follows no symbolic link. Errors: exists, not_found, no_space,
  // permission, descriptors, io.
  virtual coro::Task<Result<FilePtr>> create(std::string path) = 0;
  // A file without a name in `directory`, for reading and writing: it is gone with this process.
  virtual coro::Task<Result<FilePtr>> create_unnamed(std::string directory) = 0;
  // Gives `from` the name `to` in the same file system; a file that is there already is not
  // replaced (exists).
  virtual coro::Task<Result<void>> rename(std::string from, std::string to) = 0;
  virtual coro::Task<Result<void>> remove(std::string path) = 0;
  // Makes the names in it durable (fsync of the directory).
  virtual coro::Task<Result<void>> sync_directory(std::string path) = 0;
  // Mode 0700, with its parents; fine when it is there.
  virtual coro::Task<Result<void>> make_directory(std::string path) = 0;
};

}  // namespace postern::net
