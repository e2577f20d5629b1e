#include <postern/base/text.hpp>
#include <postern/policy/address_table.hpp>
#include <postern/policy/bundle.hpp>
#include <postern/policy/domain_table.hpp>
#include <postern/policy/list_lines.hpp>
#include <postern/policy/list_store.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/network_table.hpp>
#include <postern/policy/pattern_table.hpp>
#include <postern/policy/read_file.hpp>
#include <postern/policy/reading.hpp>
#include <postern/policy/recipients.hpp>
#include <postern/policy/secret_table.hpp>
#include <postern/policy/snapshot_data.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace postern::policy {
namespace {

// Bad lines are noted in `problems`, which has the files of `texts` by number.
template <typename Table>
std::shared_ptr<const Table> read_table(const ListTexts& texts, const File& file,
                                        const std::string& key, Problems& problems,
                                        ListOrigin& origin) {
  auto table = std::make_shared<Table>();
  table->reserve(count_lines(file.content), file.content.size());
  const Comments comments =
      Table::comment_only_first ? Comments::whole_lines : Comments::after_blanks;
  origin.entries = 0;
  origin.included = each_line_with_included(
      texts, file, comments,
      [&](std::string_view entry, Place place) {
        const std::string fault = table->add(entry);
        if (fault.empty()) {
          ++origin.entries;
          return;
        }
        problems.note(place, key, told_of<Table>(entry, fault) + "; the line is skipped");
      },
      [&](Place place, std::string text) { problems.note(place, key, std::move(text)); });
  table->finish();
  return table;
}

// Calls make(slot, table) for each kind of list that is made from a path.
template <typename Slots, typename List, typename Make>
void each_kind(Slots& slots, List& list, const Make& make) {
  auto& [addresses, patterns, recipients, secrets, networks, domains, local_parts] = slots;
  const auto if_made = [&](auto& slot, auto& table) {
    if (slot) make(slot, table);
  };
  if_made(addresses, list.addresses);
  if_made(patterns, list.patterns);
  if_made(recipients, list.recipients);
  if_made(secrets, list.secrets);
  if_made(networks, list.networks);
  if_made(domains, list.domains);
  if_made(local_parts, list.local_parts);
}

// A folder that has gone is told as a file would be.
std::string_view without_slash(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

ListStore::ListStore(const Bundle& bundle, std::uint32_t first_file, const ListStore* known)
    : in_bundle_(bundle.files, first_file), known_(known) {}

void ListStore::forget_bundle() {
  in_bundle_ = {};
  known_ = nullptr;
}

void ListStore::adopt(ListStore&& other) {
  for (auto& [path, theirs] : other.slots_) {
    const auto [ours, is_new] = slots_.try_emplace(path, theirs);
    if (is_new) continue;
    const auto take = [&]<typename Slot>(const Slot& slot) {
      if (slot) std::get<Slot>(ours->second.slots) = slot;
    };
    std::apply([&](const auto&... slot) { (take(slot), ...); }, theirs.slots);
  }
  folders_.merge(std::move(other.folders_));
  const std::lock_guard lock(of_origins_);
  origins_.merge(std::move(other.origins_));
}

template <typename Table>
std::shared_ptr<const ListSlot<Table>> ListStore::slot(const std::string& path, Reading& reading,
                                                       const Value& value) {
  const File* file = in_bundle_.find(path);
  if (file == nullptr || !file->error.empty()) {
    reading.complain(value,
                     fmt::format("{}: {}", path, file == nullptr ? "was not read" : file->error));
    return nullptr;
  }
  if (known_ != nullptr)
    if (const auto known = known_->slots_.find(path); known != known_->slots_.end())
      if (auto slot = std::get<std::shared_ptr<ListSlot<Table>>>(known->second.slots)) return slot;
  const auto [of_path, is_new] = slots_.try_emplace(path);
  if (is_new) of_path->second.key = reading.path;
  auto& slot = std::get<std::shared_ptr<ListSlot<Table>>>(of_path->second.slots);
  if (!slot) {
    slot = std::make_shared<ListSlot<Table>>();
    slot->path = path;
    slot->table =
        read_table<Table>(in_bundle_, *file, reading.path, reading.problems, origins_[path]);
  }
  return slot;
}

template std::shared_ptr<const ListSlot<AddressTable>> ListStore::slot(const std::string&, Reading&,
                                                                       const Value&);
template std::shared_ptr<const ListSlot<PatternTable>> ListStore::slot(const std::string&, Reading&,
                                                                       const Value&);
template std::shared_ptr<const ListSlot<RecipientTable>> ListStore::slot(const std::string&,
                                                                         Reading&, const Value&);
template std::shared_ptr<const ListSlot<SecretTable>> ListStore::slot(const std::string&, Reading&,
                                                                      const Value&);
template std::shared_ptr<const ListSlot<NetworkTable>> ListStore::slot(const std::string&, Reading&,
                                                                       const Value&);
template std::shared_ptr<const ListSlot<DomainTable>> ListStore::slot(const std::string&, Reading&,
                                                                      const Value&);
template std::shared_ptr<const ListSlot<LocalPartTable>> ListStore::slot(const std::string&,
                                                                         Reading&, const Value&);

std::shared_ptr<const FolderOfMailboxes> ListStore::folder(const std::string& path,
                                                           Reading& reading, const Value& value) {
  if (const auto known = folders_.find(path); known != folders_.end())
    return known->second.mailboxes;
  if (known_ != nullptr)
    if (const auto known = known_->folders_.find(path); known != known_->folders_.end())
      return known->second.mailboxes;
  const File* self = in_bundle_.find(path + '/');  // says that it was looked into
  auto made = std::make_shared<FolderOfMailboxes>();
  bool good = true;
  for (const File* file : in_bundle_.in(path)) {
    const std::string_view domain = std::string_view(file->path).substr(file->path.rfind('/') + 1);
    if (const auto fault = fault_of_domain(domain); !fault.empty()) {
      reading.problems.note(
          value.place, reading.path,
          fmt::format("{}: {}; it is no domain's file, and passed over", file->path, fault));
      continue;
    }
    auto slot = this->slot<LocalPartTable>(file->path, reading, value);
    good = good && slot != nullptr;
    if (slot) made->domains.emplace(lower(domain), std::move(slot));
  }
  if (self != nullptr && !self->error.empty()) {
    reading.complain(value, fmt::format("{}: {}", path, self->error));
    return nullptr;
  }
  if (self == nullptr && made->domains.empty()) {
    reading.complain(value, fmt::format("{}: was not read", path));
    return nullptr;
  }
  if (!good) return nullptr;
  return (folders_[path] = {reading.path, std::move(made)}).mailboxes;
}

std::vector<std::string> ListStore::folders() const {
  std::vector<std::string> out;
  for (const auto& [path, folder] : folders_) out.push_back(path);
  return out;
}

RereadFolder ListStore::read_folder(const std::string& path) const {
  RereadFolder out;
  out.path = path;
  const auto found = folders_.find(path);
  if (found == folders_.end()) return out;
  const auto& known = found->second.mailboxes->domains;
  std::string error;
  std::set<std::string> there;
  for (const std::string& file : files_in(path, error)) {
    const std::string domain = lower(file);
    if (!fault_of_domain(domain).empty() || !there.insert(domain).second) continue;
    if (!known.contains(domain)) read_new_file(path + '/' + file, domain, found->second.key, out);
  }
  if (!error.empty()) {
    out.problems.push_back(fmt::format("{}: {}; it stays as it was", path, error));
    return out;
  }
  for (const auto& [domain, slot] : known)
    if (!there.contains(domain)) out.gone.push_back(domain);
  return out;
}

void ListStore::read_new_file(const std::string& path, const std::string& domain,
                              const std::string& key, RereadFolder& into) {
  const std::vector<File> files = read_list_files(path);
  if (!files.front().error.empty()) {
    into.problems.push_back(fmt::format("{}: {}", path, files.front().error));
    return;
  }
  std::vector<std::string> names;
  for (const File& file : files) names.push_back(file.path);
  Problems problems(std::move(names));
  auto slot = std::make_shared<ListSlot<LocalPartTable>>();
  slot->path = path;
  ListOrigin origin;
  slot->table = read_table<LocalPartTable>(ListTexts(files), files.front(), key, problems, origin);
  into.came.push_back({domain, std::move(slot), std::move(origin)});
  for (const Problem& problem : problems.take()) into.problems.push_back(problem.line());
}

void ListStore::install(RereadFolder folder) {
  const auto found = folders_.find(folder.path);
  if (found == folders_.end()) return;
  auto& domains = found->second.mailboxes->domains;
  for (const std::string& domain : folder.gone) domains.erase(domain);
  for (RereadFolder::NewFile& file : folder.came) {
    OfPath& of_path = slots_[file.slot->path];
    if (of_path.key.empty()) of_path.key = found->second.key;
    std::get<std::shared_ptr<ListSlot<LocalPartTable>>>(of_path.slots) = file.slot;
    const std::lock_guard lock(of_origins_);
    origins_[file.slot->path] = std::move(file.origin);
    domains.emplace(std::move(file.domain), std::move(file.slot));
  }
}

std::string ListStore::size_of(const std::string& path) const {
  const auto counted = [](std::size_t number, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
  };
  if (const auto folder = folders_.find(path); folder != folders_.end())
    return counted(folder->second.mailboxes->domains.size(), "domain", "domains");
  const std::lock_guard lock(of_origins_);
  const auto list = origins_.find(path);
  return list == origins_.end() ? std::string() : counted(list->second.entries, "entry", "entries");
}

std::vector<std::string> ListStore::paths() const {
  std::set<std::string> out;
  for (const auto& [path, slots] : slots_) out.insert(path);
  const std::lock_guard lock(of_origins_);
  for (const auto& [path, origin] : origins_)
    for (const IncludedFile& file : origin.included) out.insert(file.path);
  return {out.begin(), out.end()};
}

bool ListStore::is_made_from(const std::string& list, const std::string& path) const {
  if (list == path) return true;
  const std::lock_guard lock(of_origins_);
  const auto found = origins_.find(list);
  return found != origins_.end() &&
         std::any_of(found->second.included.begin(), found->second.included.end(),
                     [&](const IncludedFile& file) { return file.path == path; });
}

// Whether of what `list` included anything has gone: a list that may stand for mailboxes must not
// become shorter because a file is just being replaced.
bool ListStore::lost_any(const std::string& list, const std::vector<File>& files,
                         std::vector<std::string>& problems) const {
  const ListTexts texts(files);
  const std::lock_guard lock(of_origins_);
  const auto found = origins_.find(list);
  if (found == origins_.end()) return false;
  for (const IncludedFile& file : found->second.included) {
    const File* now = texts.find(without_slash(file.path));
    if (!file.was_read || now == nullptr || now->error.empty()) continue;
    problems.push_back(
        fmt::format("{}: {}; {}, which includes it, stays as it was", file.path, now->error, list));
    return true;
  }
  return false;
}

void ListStore::read_again(const std::string& path, const OfPath& of_path,
                           const std::vector<File>& files, RereadList& into) const {
  std::vector<std::string> names;
  for (const File& file : files) names.push_back(file.path);
  Problems problems(std::move(names));
  const ListTexts texts(files);
  RereadList::Tables& list = into.lists.emplace_back();
  list.path = path;
  each_kind(of_path.slots, list, [&](const auto&, auto& table) {
    using Table = std::remove_const_t<typename std::decay_t<decltype(table)>::element_type>;
    table = read_table<Table>(texts, files.front(), of_path.key, problems, list.origin);
  });
  for (const Problem& problem : problems.take()) into.problems.push_back(problem.line());
}

RereadList ListStore::read(const std::string& path, std::string_view content) const {
  RereadList out;
  for (const auto& [list, of_path] : slots_) {
    if (!is_made_from(list, path)) continue;
    const std::vector<File> files = read_list_files(list, path, std::string(content));
    if (!files.front().error.empty())
      out.problems.push_back(fmt::format("{}: {}; it stays as it was", list, files.front().error));
    else if (!lost_any(list, files, out.problems))
      read_again(list, of_path, files, out);
  }
  return out;
}

void ListStore::install(RereadList lists) {
  for (RereadList::Tables& list : lists.lists) {
    const auto found = slots_.find(list.path);
    if (found == slots_.end()) continue;
    each_kind(found->second.slots, list,
              [](const auto& slot, auto& table) { slot->table = std::move(table); });
    const std::lock_guard lock(of_origins_);
    origins_[list.path] = std::move(list.origin);
  }
}

std::vector<std::string> ListFiles::paths() const { return snapshot_->data()->lists->paths(); }

RereadList ListFiles::read(const std::string& path, std::string_view content) const {
  return snapshot_->data()->lists->read(path, content);
}

void ListFiles::install(RereadList lists) { snapshot_->data()->lists->install(std::move(lists)); }

std::vector<std::string> ListFiles::folders() const { return snapshot_->data()->lists->folders(); }

RereadFolder ListFiles::read_folder(const std::string& path) const {
  return snapshot_->data()->lists->read_folder(path);
}

void ListFiles::install(RereadFolder folder) {
  snapshot_->data()->lists->install(std::move(folder));
}

std::vector<std::string> ListFiles::replace(const std::string& path, std::string_view content) {
  RereadList lists = read(path, content);
  std::vector<std::string> problems = std::move(lists.problems);
  install(std::move(lists));
  return problems;
}

}  // namespace postern::policy
