#include <postern/base/text.hpp>
#include <postern/policy/address_table.hpp>
#include <postern/policy/domain_table.hpp>
#include <postern/policy/list_lines.hpp>
#include <postern/policy/list_store.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/network_table.hpp>
#include <postern/policy/pattern_table.hpp>
#include <postern/policy/reading.hpp>
#include <postern/policy/recipients.hpp>
#include <postern/policy/secret_table.hpp>
#include <postern/policy/snapshot_data.hpp>

#include <fmt/format.h>

namespace postern::policy {
namespace {

// Bad lines are noted in `problems`, as of its file number `file`.
template <typename Table>
std::shared_ptr<const Table> read_table(std::string_view content, std::uint32_t file,
                                        const std::string& key, Problems& problems) {
  auto table = std::make_shared<Table>();
  table->reserve(count_lines(content), content.size());
  const Comments comments =
      Table::comment_only_first ? Comments::whole_lines : Comments::after_blanks;
  each_line(content, comments,
            [&](std::string_view entry, std::uint32_t line, std::uint32_t column) {
              const std::string fault = table->add(entry);
              if (fault.empty()) return;
              problems.note({file, line, column}, key,
                            told_of<Table>(entry, fault) + "; the line is skipped");
            });
  table->finish();
  return table;
}

}  // namespace

ListStore::ListStore(const Bundle& bundle, std::uint32_t first_file, const ListStore* known)
    : files_(bundle.files.data()), first_file_(first_file), known_(known) {
  for (const File& file : bundle.files)
    if (file.kind == File::Kind::list) in_bundle_.emplace(file.path, &file);
}

void ListStore::forget_bundle() {
  files_ = nullptr;
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
}

template <typename Table>
std::shared_ptr<const ListSlot<Table>> ListStore::slot(const std::string& path, Reading& reading,
                                                       const Value& value) {
  const auto found = in_bundle_.find(path);
  if (found == in_bundle_.end() || !found->second->error.empty()) {
    reading.complain(
        value, fmt::format("{}: {}", path,
                           found == in_bundle_.end() ? "was not read" : found->second->error));
    return nullptr;
  }
  if (known_ != nullptr)
    if (const auto known = known_->slots_.find(path); known != known_->slots_.end())
      if (auto slot = std::get<std::shared_ptr<ListSlot<Table>>>(known->second.slots)) return slot;
  const auto [of_path, is_new] = slots_.try_emplace(path);
  if (is_new) of_path->second.key = reading.path;
  auto& slot = std::get<std::shared_ptr<ListSlot<Table>>>(of_path->second.slots);
  if (!slot) {
    const File& file = *found->second;
    slot = std::make_shared<ListSlot<Table>>();
    slot->path = path;
    slot->table =
        read_table<Table>(file.content, first_file_ + static_cast<std::uint32_t>(&file - files_),
                          reading.path, reading.problems);
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
  if (const auto known = folders_.find(path); known != folders_.end()) return known->second;
  if (known_ != nullptr)
    if (const auto known = known_->folders_.find(path); known != known_->folders_.end())
      return known->second;
  const std::string below = path + '/';
  const auto self = in_bundle_.find(below);  // says that it was looked into
  auto made = std::make_shared<FolderOfMailboxes>();
  bool good = true;
  for (const auto& [file, content] : in_bundle_) {
    if (!file.starts_with(below) || file.size() == below.size()) continue;
    const std::string_view domain = file.substr(below.size());
    if (const auto fault = fault_of_domain(domain); !fault.empty()) {
      if (domain.find('/') == std::string_view::npos)
        reading.problems.note(
            value.place, reading.path,
            fmt::format("{}: {}; it is no domain's file, and passed over", file, fault));
      continue;
    }
    auto slot = this->slot<LocalPartTable>(std::string(file), reading, value);
    good = good && slot != nullptr;
    if (slot) made->domains.emplace(lower(domain), std::move(slot));
  }
  if (self != in_bundle_.end() && !self->second->error.empty()) {
    reading.complain(value, fmt::format("{}: {}", path, self->second->error));
    return nullptr;
  }
  if (self == in_bundle_.end() && made->domains.empty()) {
    reading.complain(value, fmt::format("{}: was not read", path));
    return nullptr;
  }
  if (!good) return nullptr;
  return folders_[path] = std::move(made);
}

std::vector<std::string> ListStore::paths() const {
  std::vector<std::string> out;
  for (const auto& [path, slots] : slots_) out.push_back(path);
  return out;
}

RereadList ListStore::read(const std::string& path, std::string_view content) const {
  RereadList list;
  list.path = path;
  const auto found = slots_.find(path);
  if (found == slots_.end()) return list;
  const std::string& key = found->second.key;
  Problems problems({path});
  const auto make = [&](const auto& slot, auto& table) {
    using Table = std::remove_const_t<typename std::decay_t<decltype(table)>::element_type>;
    if (slot) table = read_table<Table>(content, 0, key, problems);
  };
  const auto& [addresses, patterns, recipients, secrets, networks, domains, local_parts] =
      found->second.slots;
  make(addresses, list.addresses);
  make(patterns, list.patterns);
  make(recipients, list.recipients);
  make(secrets, list.secrets);
  make(networks, list.networks);
  make(domains, list.domains);
  make(local_parts, list.local_parts);
  for (const Problem& problem : problems.take()) list.problems.push_back(problem.line());
  return list;
}

void ListStore::install(RereadList list) {
  const auto found = slots_.find(list.path);
  if (found == slots_.end()) return;
  auto& [addresses, patterns, recipients, secrets, networks, domains, local_parts] =
      found->second.slots;
  if (list.addresses) addresses->table = std::move(list.addresses);
  if (list.patterns) patterns->table = std::move(list.patterns);
  if (list.recipients) recipients->table = std::move(list.recipients);
  if (list.secrets) secrets->table = std::move(list.secrets);
  if (list.networks) networks->table = std::move(list.networks);
  if (list.domains) domains->table = std::move(list.domains);
  if (list.local_parts) local_parts->table = std::move(list.local_parts);
}

std::vector<std::string> ListFiles::paths() const { return snapshot_->data()->lists->paths(); }

RereadList ListFiles::read(const std::string& path, std::string_view content) const {
  return snapshot_->data()->lists->read(path, content);
}

void ListFiles::install(RereadList list) { snapshot_->data()->lists->install(std::move(list)); }

std::vector<std::string> ListFiles::replace(const std::string& path, std::string_view content) {
  RereadList list = read(path, content);
  std::vector<std::string> problems = std::move(list.problems);
  install(std::move(list));
  return problems;
}

}  // namespace postern::policy
