#include "settings_watch.hpp"

#include <postern/coro/sleep.hpp>
#include <postern/net/pool.hpp>
#include <postern/policy/pattern.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <utility>

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view domain_suffix = ".toml";
constexpr auto settle = 100ms;  // whoever writes a file writes it in pieces
// One look at so many files costs a millisecond or two.
constexpr std::size_t few_files = 1000;
constexpr auto interval_of_few = 1s;
constexpr auto interval_of_many = 10s;
constexpr int share = 10;                        // of the time, at most a tenth is spent on looking
constexpr std::size_t most_folders = 64;         // that are listened to
constexpr std::int64_t clock_step = 10'000'000;  // ns: the stamps of files are coarse
constexpr std::size_t most_domains_at_once = 10'000;

}  // namespace

SettingsRead::SettingsRead(const policy::Bundle& bundle) : at(bundle.read_at) {
  for (const policy::File& file : bundle.files)
    if (file.kind == policy::File::Kind::domain)
      domains.push_back(std::filesystem::path(file.path).filename().string());
}

SettingsWatch::SettingsWatch(net::Loop& loop, Log& log, plugin::Lineup& lineup, SettingsRead read)
    : loop_(loop),
      log_(log),
      lineup_(lineup),
      read_(std::make_unique<SettingsRead>(std::move(read))),
      list_files_(std::make_shared<policy::ListFiles>(lineup.pin())),
      domain_files_(std::make_shared<policy::DomainFiles>(lineup.snapshot())) {}

SettingsWatch::~SettingsWatch() = default;

// One folder that is listened to.
class SettingsWatch::Listening final : private net::FolderListener {
 public:
  Listening(SettingsWatch& owner, bool has_domains, std::uint64_t which)
      : inode(which), owner_(owner), has_domains_(has_domains) {}

  bool open(const std::string& path) {
    auto opened = net::FolderWatch::open(owner_.loop_, path, *this);
    if (opened) watch_ = std::move(*opened);
    return watch_ != nullptr;
  }

  const std::uint64_t inode;

 private:
  // A link that is changed has another name than the files behind it.
  void folder_changed(std::string_view name) override {
    if (has_domains_ && name.ends_with(domain_suffix) && !name.starts_with('.'))
      owner_.heard_of_.insert(std::string(name));
    else
      owner_.wants_look_ = true;
    owner_.heard_.set();
  }

  SettingsWatch& owner_;
  bool has_domains_;
  std::unique_ptr<net::FolderWatch> watch_;
};

coro::Task<void> SettingsWatch::watch() {
  bool goes_on = co_await look();
  while (goes_on) {
    const bool waited = co_await wait();
    if (!waited) co_return;
    if (loop_.now() >= next_look_) {
      goes_on = co_await look();
    } else {
      auto domains = std::exchange(heard_of_, {});
      goes_on = co_await look_at(std::move(domains));
    }
  }
}

// Until something is heard, or the next look is due. False when it was stopped.
coro::Task<bool> SettingsWatch::wait() {
  auto heard = co_await heard_.wait(next_look_ - loop_.now());
  if (!heard) co_return heard.error().code == Errc::timed_out;
  auto settled = co_await coro::sleep(settle);
  if (!settled) co_return false;
  heard_.reset();
  const auto earliest = seen_.at + (share - 1) * seen_.took;
  if (std::exchange(wants_look_, false))
    next_look_ = std::min(next_look_, std::max(earliest, loop_.now()));
  co_return true;
}

coro::Duration SettingsWatch::interval() const {
  const bool few = seen_.lists.size() + seen_.domains.size() <= few_files;
  return few ? interval_of_few : interval_of_many;
}

// False when it was stopped.
coro::Task<bool> SettingsWatch::look() {
  auto where = places();
  auto job = [where]() -> Result<Look> { return take_look(where); };
  heard_of_.clear();
  auto now = co_await net::offload(loop_, std::move(job));
  if (!now) co_return false;
  now->at = loop_.now();
  if (const auto read = std::move(read_)) seen_ = as_it_was(*read, *now);
  listen(now->folders);
  if (!now->unreadable.empty() && seen_.unreadable.empty())
    log_.warning("{}; changes of domains need a reload", now->unreadable);
  keep_what_is_gone(*now);
  std::vector<std::string> lists = differences(seen_.lists, now->lists);
  std::vector<std::string> mailboxes = differences(seen_.mailboxes, now->mailboxes);
  std::vector<std::string> domains = differences(seen_.domains, now->domains);
  seen_ = std::move(*now);
  for (const std::string& line : policy::take_cut_patterns()) log_.warning("{}", line);
  for (std::string& list : lists) co_await read_list(std::move(list));
  for (std::string& folder : mailboxes) co_await read_folder(std::move(folder));
  co_await read_domains(std::move(domains));
  next_look_ = loop_.now() + std::max<coro::Duration>(interval(), (share - 1) * seen_.took);
  co_return true;
}

// The same for some files of domains, whose folder need not be looked through.
coro::Task<bool> SettingsWatch::look_at(std::set<std::string> domains) {
  const std::filesystem::path folder(domain_files_->folder());
  auto job = [folder, domains]() -> Result<Stamps> {
    Stamps now;
    for (const std::string& name : domains)
      now.emplace_back(name, stamp_of((folder / name).string()));
    return now;
  };
  auto now = co_await net::offload(loop_, std::move(job));
  if (!now) co_return false;
  std::vector<std::string> changed;
  for (auto& [name, stamp] : *now)
    if (replace(seen_.domains, name, stamp)) changed.push_back(name);
  co_await read_domains(std::move(changed));
  co_return true;
}

SettingsWatch::Places SettingsWatch::places() const {
  return {list_files_->paths(), list_files_->folders(), domain_files_->folder()};
}

SettingsWatch::Look SettingsWatch::take_look(const Places& places) {
  const auto began = std::chrono::steady_clock::now();
  Look now;
  now.lists = stamps_of(places.lists);
  now.mailboxes = stamps_of(places.mailboxes);
  now.folders = folders_of(places);
  auto stamps = stamps_in(places.domains, domain_suffix);
  if (stamps)
    now.domains = std::move(*stamps);
  else
    now.unreadable = stamps.error().describe();
  now.took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  return now;
}

// Those that are there, and where the folder of domains would come to be.
SettingsWatch::Folders SettingsWatch::folders_of(const Places& places) {
  Folders folders;
  const auto add = [&](const std::string& path) {
    std::error_code failure;
    if (folders.size() < most_folders && !folders.contains(path) &&
        std::filesystem::is_directory(path, failure))
      folders.emplace(path, stamp_of(path).inode);
  };
  add(places.domains);
  add(std::filesystem::path(places.domains).parent_path().string());
  for (const std::string& path : places.mailboxes) add(path);
  for (const std::string& path : places.lists) {
    add(std::filesystem::path(path).parent_path().string());
    add(path);
  }
  return folders;
}

// What may have changed since it was read has a stamp that nothing has.
SettingsWatch::Look SettingsWatch::as_it_was(const SettingsRead& read, const Look& now) {
  Look was;
  was.lists = now.lists;
  was.mailboxes = now.mailboxes;
  const auto doubt = [&](Stamp& stamp) {
    if (stamp.changed >= read.at - clock_step) stamp = Stamp{};
  };
  for (auto& [path, stamp] : was.lists) doubt(stamp);
  for (auto& [path, stamp] : was.mailboxes) doubt(stamp);
  for (const std::string& name : read.domains) {
    const auto there = find(now.domains, name);
    const bool is_there = there != now.domains.end() && there->first == name;
    was.domains.emplace_back(name, is_there ? there->second : Stamp{});
    doubt(was.domains.back().second);
  }
  std::sort(was.domains.begin(), was.domains.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return was;
}

// A list that has gone for a moment keeps what it said: editors write a new file and rename it. So
// do domains while nobody can look at them.
void SettingsWatch::keep_what_is_gone(Look& now) {
  auto old = seen_.lists.begin();
  for (auto& [path, stamp] : now.lists) {
    while (old != seen_.lists.end() && old->first < path) ++old;
    if (!stamp.is_there() && old != seen_.lists.end() && old->first == path) stamp = old->second;
  }
  if (!now.unreadable.empty()) now.domains = seen_.domains;
}

// A folder that is not listened to is looked at all the same. What changed before it was listened
// to is found by the next look, which is due at once.
void SettingsWatch::listen(const Folders& folders) {
  std::erase_if(listening_, [&](const auto& one) {
    const auto there = folders.find(one.first);
    return there == folders.end() || there->second != one.second->inode;
  });
  for (const auto& [path, inode] : folders) {
    if (listening_.contains(path)) continue;
    auto listening = std::make_unique<Listening>(*this, path == domain_files_->folder(), inode);
    if (!listening->open(path)) continue;
    listening_.emplace(path, std::move(listening));
    wants_look_ = true;
    heard_.set();
  }
}

coro::Task<void> SettingsWatch::read_list(std::string path) {
  auto files = list_files_;
  auto job = [files, path]() -> Result<policy::RereadList> {
    const policy::File file = policy::read_list_file(path);
    if (!file.error.empty()) return fail(Errc::io, file.error);
    return files->read(path, file.content);
  };
  auto list = co_await net::offload(loop_, std::move(job));
  if (!list) {
    log_.error("{}: not read again: {}", path, list.error().describe());
    co_return;
  }
  for (const std::string& problem : list->problems) log_.warning("{}", problem);
  list_files_->install(std::move(*list));
  log_.notice("{}: read again", path);
}

// While the folder has gone, its mailboxes stay.
coro::Task<void> SettingsWatch::read_folder(std::string path) {
  auto files = list_files_;
  auto job = [files, path]() -> Result<policy::RereadFolder> { return files->read_folder(path); };
  auto folder = co_await net::offload(loop_, std::move(job));
  if (!folder) co_return;
  for (const std::string& problem : folder->problems) log_.warning("{}", problem);
  for (const auto& file : folder->came) log_.notice("{}: read", file.slot->path);
  for (const std::string& domain : folder->gone)
    log_.notice("{}/{}: gone, and its domain with it", path, domain);
  list_files_->install(std::move(*folder));
}

coro::Task<void> SettingsWatch::read_domains(std::vector<std::string> names) {
  const std::filesystem::path folder(domain_files_->folder());
  for (std::size_t next = 0; next < names.size();) {
    const std::size_t end = std::min(names.size(), next + most_domains_at_once);
    std::vector<policy::RereadDomain> domains;
    for (; next < end; ++next) {
      auto files = domain_files_;
      auto path = (folder / names[next]).string();
      auto job = [files, path]() -> Result<policy::RereadDomain> { return files->read(path); };
      auto domain = co_await net::offload(loop_, std::move(job));
      if (!domain) co_return;
      domains.push_back(std::move(*domain));
    }
    for (const policy::RereadDomain& domain : domains) tell(domain);
    lineup_.replace(domain_files_->install(lineup_.snapshot(), std::move(domains)));
  }
}

void SettingsWatch::tell(const policy::RereadDomain& domain) const {
  for (const std::string& problem : domain.problems)
    domain.overlays ? log_.warning("{}", problem) : log_.error("{}", problem);
  if (!domain.overlays)
    log_.error("{}: not used; what it said before still holds", domain.path);
  else
    log_.notice("{}: {}", domain.path,
                domain.is_gone ? "gone; the site's settings hold" : "read again");
}

}  // namespace postern::daemon
