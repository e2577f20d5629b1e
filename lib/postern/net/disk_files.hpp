// Files on the disk, each operation a job of the thread pool.
#pragma once

#include <postern/net/files.hpp>
#include <postern/net/loop.hpp>

namespace postern::net {

class DiskFiles final : public Files {
 public:
  explicit DiskFiles(Loop& loop) : loop_(loop) {}
  coro::Task<Result<FilePtr>> create(std::string path) override;
  coro::Task<Result<FilePtr>> create_unnamed(std::string directory) override;
  coro::Task<Result<void>> rename(std::string from, std::string to) override;
  coro::Task<Result<void>> remove(std::string path) override;
  coro::Task<Result<void>> sync_directory(std::string path) override;
  coro::Task<Result<void>> make_directory(std::string path) override;

 private:
  Loop& loop_;
};

}  // namespace postern::net
