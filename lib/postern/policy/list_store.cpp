#include <postern/base/text.hpp>
#include <postern/policy/address_table.hpp>
#include <postern/policy/domain_table.hpp>
#include <postern/policy/list_lines.hpp>
#include <postern/policy/list_store.hpp>
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

ListStore::ListStore(const Bundle& bundle) : files_(bundle.files.data()) {
  for (const File& file : bundle.files)
    if (file.kind == File::Kind::list) in_bundle_.emplace(file.path, &file);
}

void ListStore::forget_bundle() {
  files_ = nullptr;
  in_bundle_ = {};
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
  const auto [of_path, is_new] = slots_.try_emplace(path);
  if (is_new) of_path->second.key = reading.path;
  auto& slot = std::get<std::shared_ptr<ListSlot<Table>>>(of_path->second.slots);
  if (!slot) {
    const File& file = *found->second;
    slot = std::make_shared<ListSlot<Table>>();
    slot->path = path;
    slot->table = read_table<Table>(file.content, static_cast<std::uint32_t>(&file - files_),
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
  const auto& [addresses, patterns, recipients, secrets, networks, domains] = found->second.slots;
  make(addresses, list.addresses);
  make(patterns, list.patterns);
  make(recipients, list.recipients);
  make(secrets, list.secrets);
  make(networks, list.networks);
  make(domains, list.domains);
  for (const Problem& problem : problems.take()) list.problems.push_back(problem.line());
  return list;
}

void ListStore::install(RereadList list) {
  const auto found = slots_.find(list.path);
  if (found == slots_.end()) return;
  auto& [addresses, patterns, recipients, secrets, networks, domains] = found->second.slots;
  if (list.addresses) addresses->table = std::move(list.addresses);
  if (list.patterns) patterns->table = std::move(list.patterns);
  if (list.recipients) recipients->table = std::move(list.recipients);
  if (list.secrets) secrets->table = std::move(list.secrets);
  if (list.networks) networks->table = std::move(list.networks);
  if (list.domains) domains->table = std::move(list.domains);
}

std::vector<std::string> ListFiles::paths() const { return snapshot_->data().lists->paths(); }

RereadList ListFiles::read(const std::string& path, std::string_view content) const {
  return snapshot_->data().lists->read(path, content);
}

void ListFiles::install(RereadList list) { snapshot_->data().lists->install(std::move(list)); }

std::vector<std::string> ListFiles::replace(const std::string& path, std::string_view content) {
  RereadList list = read(path, content);
  std::vector<std::string> problems = std::move(list.problems);
  install(std::move(list));
  return problems;
}

}  // namespace postern::policy
