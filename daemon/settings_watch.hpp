// Lists and domains/DOMAIN.toml are read again when they change, on the thread pool: at once where
// the system tells of changes, else by looking for them.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/event.hpp>
#include <postern/coro/task.hpp>
#include <postern/net/folder_watch.hpp>
#include <postern/net/loop.hpp>
#include <postern/plugin/lineup.hpp>
#include <postern/policy/bundle.hpp>
#include <postern/policy/domain_files.hpp>
#include <postern/policy/list_files.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "file_stamps.hpp"

namespace postern::daemon {

// What a worker was given when it began, which may be long after it was read.
struct SettingsRead {
  std::int64_t at = 0;               // ns since 1970; 0: it came from no file
  std::vector<std::string> domains;  // names of files
  explicit SettingsRead(const policy::Bundle& bundle);
};

class SettingsWatch final {
 public:
  // What is read is for the snapshot of `lineup`, and for those that follow it.
  SettingsWatch(net::Loop& loop, Log& log, plugin::Lineup& lineup, SettingsRead read);
  ~SettingsWatch();

  // Watches until it is stopped.
  coro::Task<void> watch();

 private:
  using Folders = std::map<std::string, std::uint64_t>;  // inode by path

  struct Look {
    Stamps lists;            // by path
    Stamps mailboxes;        // folders, by path
    Stamps domains;          // by name in their folder
    std::string unreadable;  // why that folder could not be read; empty: it could
    Folders folders;         // where all of that is
    coro::TimePoint at;
    std::chrono::milliseconds took{0};
  };
  class Listening;

  struct Places {
    std::vector<std::string> lists;
    std::vector<std::string> mailboxes;  // folders
    std::string domains;                 // the folder
  };

  static Folders folders_of(const Places& places);
  Places places() const;
  static Look take_look(const Places& places);
  static Look as_it_was(const SettingsRead& read, const Look& now);

  void listen(const Folders& folders);
  coro::Duration interval() const;
  coro::Task<bool> wait();
  coro::Task<bool> look();
  coro::Task<bool> look_at(std::set<std::string> domains);
  void keep_what_is_gone(Look& now);
  coro::Task<void> read_list(std::string path);
  coro::Task<void> read_folder(std::string path);
  coro::Task<void> read_domains(std::vector<std::string> names);
  void tell(const policy::RereadDomain& domain) const;

  net::Loop& loop_;
  Log& log_;
  plugin::Lineup& lineup_;
  std::unique_ptr<SettingsRead> read_;                 // until the first look
  std::shared_ptr<policy::ListFiles> list_files_;      // shared with jobs
  std::shared_ptr<policy::DomainFiles> domain_files_;  // likewise
  coro::Event heard_;
  std::set<std::string> heard_of_;  // files of domains
  bool wants_look_ = false;         // something else was heard
  Look seen_;
  coro::TimePoint next_look_;
  std::map<std::string, std::unique_ptr<Listening>> listening_;
};

}  // namespace postern::daemon
