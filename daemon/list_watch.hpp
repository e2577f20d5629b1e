// Lists are read again when their files change: looked at once a second, on the thread pool.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/scope.hpp>
#include <postern/net/loop.hpp>
#include <postern/policy/list_files.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace postern::daemon {

class ListWatch {
 public:
  ListWatch(net::Loop& loop, Log& log, std::shared_ptr<const policy::Snapshot> snapshot);

  // Watches until it is stopped; at once over when no settings name a file.
  coro::Task<void> watch();

 private:
  // What tells one content from another without reading it.
  struct Stamp {
    std::int64_t nanoseconds = 0;  // of the last change
    std::uint64_t inode = 0;
    std::int64_t octets = -1;  // -1: it is not there
    bool operator==(const Stamp&) const = default;
  };
  static Stamp stamp_of(const std::string& path);
  coro::Task<void> look(std::string path);
  coro::Task<void> read_again(std::string path);

  net::Loop& loop_;
  Log& log_;
  std::shared_ptr<policy::ListFiles> files_;
  std::map<std::string, Stamp> stamps_;
};

}  // namespace postern::daemon
