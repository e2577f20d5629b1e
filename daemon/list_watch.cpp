#include "list_watch.hpp"

#include <postern/coro/sleep.hpp>
#include <postern/net/pool.hpp>
#include <postern/policy/bundle.hpp>
#include <postern/policy/list_directory.hpp>

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto interval = 1s;

Result<std::string> read_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    return policy::names_in_directory(path, policy::max_list_file_octets);
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::not_found, path);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (content.size() > policy::max_list_file_octets) return fail(Errc::too_long, path);
  return content;
}

}  // namespace

ListWatch::ListWatch(net::Loop& loop, Log& log, std::shared_ptr<const policy::Snapshot> snapshot)
    : loop_(loop), log_(log), files_(std::make_shared<policy::ListFiles>(std::move(snapshot))) {
  for (const std::string& path : files_->paths()) stamps_[path] = stamp_of(path);
}

ListWatch::Stamp ListWatch::stamp_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_ino,
          status.st_size};
}

coro::Task<void> ListWatch::watch() {
  if (stamps_.empty()) co_return;
  while (true) {
    auto slept = co_await coro::sleep(interval);
    if (!slept) co_return;
    for (const std::string& path : files_->paths()) co_await look(path);
  }
}

coro::Task<void> ListWatch::look(std::string path) {
  auto job = [path]() -> Result<Stamp> { return stamp_of(path); };
  auto now = co_await net::offload(loop_, std::move(job));
  // A list that has gone for a moment keeps what it said: editors write a new file and rename it.
  if (!now || now->octets < 0 || *now == stamps_[path]) co_return;
  stamps_[path] = *now;
  co_await read_again(std::move(path));
}

coro::Task<void> ListWatch::read_again(std::string path) {
  auto files = files_;
  auto job = [files, path]() -> Result<policy::RereadList> {
    auto content = read_file(path);
    if (!content) return fail(content.error());
    return files->read(path, *content);
  };
  auto list = co_await net::offload(loop_, std::move(job));
  if (!list) {
    log_.error("{}: not read again: {}", path, list.error().describe());
    co_return;
  }
  for (const std::string& problem : list->problems) log_.warning("{}", problem);
  files_->install(std::move(*list));
  log_.notice("{}: read again", path);
}

}  // namespace postern::daemon
