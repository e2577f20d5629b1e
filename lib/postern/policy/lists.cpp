#include <postern/base/text.hpp>
#include <postern/policy/address_table.hpp>
#include <postern/policy/all_matches.hpp>
#include <postern/policy/domain_table.hpp>
#include <postern/policy/list_include.hpp>
#include <postern/policy/list_lines.hpp>
#include <postern/policy/list_store.hpp>
#include <postern/policy/lists.hpp>
#include <postern/policy/network_table.hpp>
#include <postern/policy/pattern_table.hpp>
#include <postern/policy/reading.hpp>
#include <postern/policy/recipients.hpp>
#include <postern/policy/secret_table.hpp>
#include <postern/smtp/path.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace postern::policy {
namespace {

using Type = Value::Type;

template <typename Table>
const Table* in_file(const ListTables<Table>& tables) {
  return tables.file ? tables.file->table.get() : nullptr;
}

template <typename Table>
std::size_t size_of(const ListTables<Table>& tables) {
  const Table* file = in_file(tables);
  return (tables.written ? tables.written->size() : 0) + (file != nullptr ? file->size() : 0);
}

template <typename Table>
std::string add_written(Table& table, std::string_view entry) {
  if (entry.empty()) return "is empty";
  if (included_name(entry)) return "belongs in a file of a list";
  return table.add(entry);
}

// `list = […]`: what is written here replaces what was.
template <typename List, typename Table>
bool read_written(Reading& reading, const Value& value, void* out) {
  if (value.type == Type::text)
    return reading.complain(
        value, fmt::format("expected a list, found a string; write [\"{}\"], or name a file with "
                           "the key beside it",
                           printable(value.text, 80)));
  if (!reading.expect(value, Type::list, "a list")) return false;
  auto table = std::make_shared<Table>();
  bool good = true;
  for (const Value& item : value.items) {
    if (!reading.expect(item, Type::text, "a string")) {
      good = false;
      continue;
    }
    const std::string fault = add_written(*table, trim(item.text));
    if (fault.empty()) continue;
    good = reading.complain(item, told_of<Table>(item.text, fault));
  }
  table->finish();
  static_cast<List*>(out)->tables.written = std::move(table);
  return good;
}

// `file = "…"`; "" takes a file away again, for a domain that wants none.
template <typename List, typename Table>
bool read_file(Reading& reading, const Value& value, void* out) {
  if (!reading.expect(value, Type::text, "a path")) return false;
  auto& file = static_cast<List*>(out)->tables.file;
  if (value.text.empty()) {
    file.reset();
    return true;
  }
  if (value.text.find('\0') != std::string::npos)
    return reading.complain(value, "a path has no NUL");
  if (reading.lists == nullptr) return true;
  auto slot = reading.lists->slot<Table>(absolute_path(reading.folder, value.text), reading, value);
  if (!slot) return false;
  file = std::move(slot);
  return true;
}

std::string show_nothing(const void*) { return {}; }

template <typename List, typename Table>
List list_of(const std::vector<std::string>& entries) {
  auto table = std::make_shared<Table>();
  for (const std::string& entry : entries)
    if (const std::string fault = table->add(entry); !fault.empty())
      throw std::invalid_argument('\'' + entry + "' " + fault);
  table->finish();
  List list;
  list.tables.written = std::move(table);
  return list;
}

}  // namespace

bool AddressList::contains(const smtp::Path& path) const {
  return contains(path.local_part, path.domain);
}

bool AddressList::contains(std::string_view local_part, std::string_view domain) const {
  if (tables.written && tables.written->contains(local_part, domain)) return true;
  const AddressTable* file = in_file(tables);
  return file != nullptr && file->contains(local_part, domain);
}

std::size_t AddressList::size() const { return size_of(tables); }

AddressList AddressList::of(const std::vector<std::string>& entries) {
  return list_of<AddressList, AddressTable>(entries);
}

const PatternList::Entry* PatternList::match(std::string_view address) const {
  if (tables.written)
    if (const Entry* found = tables.written->match(address)) return found;
  const PatternTable* file = in_file(tables);
  return file != nullptr ? file->match(address) : nullptr;
}

std::vector<const PatternList::Entry*> all_matches(const PatternList& list,
                                                   std::string_view address) {
  std::vector<const PatternList::Entry*> found;
  if (list.tables.written) list.tables.written->add_matches(address, found);
  if (const PatternTable* file = in_file(list.tables)) file->add_matches(address, found);
  return found;
}

std::vector<PatternList::Entry> written_entries(const PatternList& list) {
  if (!list.tables.written) return {};
  return list.tables.written->entries();
}

std::size_t PatternList::size() const { return size_of(tables); }

PatternList PatternList::of(const std::vector<std::string>& entries) {
  return list_of<PatternList, PatternTable>(entries);
}

RecipientList::Answer RecipientList::look(std::string_view local_part,
                                          std::string_view domain) const {
  Answer answer = Answer::not_listed;
  if (tables.written) answer = tables.written->listed(local_part, domain);
  const RecipientTable* file = in_file(tables);
  if (answer == Answer::listed || file == nullptr) return answer;
  const Answer in_the_file = file->listed(local_part, domain);
  return in_the_file == Answer::not_listed ? answer : in_the_file;
}

std::size_t RecipientList::size() const { return size_of(tables); }

RecipientList RecipientList::of(const std::vector<std::string>& entries) {
  return list_of<RecipientList, RecipientTable>(entries);
}

const auth::StoredSecret* SecretList::find(std::string_view user) const {
  if (tables.written)
    if (const auto* found = tables.written->find(user)) return found;
  const SecretTable* file = in_file(tables);
  return file != nullptr ? file->find(user) : nullptr;
}

const auth::StoredSecret* SecretList::any_of(auth::StoredSecret::Form form) const {
  if (tables.written)
    if (const auto* found = tables.written->any_of(form)) return found;
  const SecretTable* file = in_file(tables);
  return file != nullptr ? file->any_of(form) : nullptr;
}

std::size_t SecretList::size() const { return size_of(tables); }

std::size_t SecretList::count(auth::StoredSecret::Form form) const {
  const SecretTable* file = in_file(tables);
  return (tables.written ? tables.written->count(form) : 0) +
         (file != nullptr ? file->count(form) : 0);
}

SecretList SecretList::of(const std::vector<std::string>& entries) {
  return list_of<SecretList, SecretTable>(entries);
}

const NetworkList::Entry* NetworkList::match(const IpAddress& address) const {
  if (tables.written)
    if (const Entry* found = tables.written->match(address)) return found;
  const NetworkTable* file = in_file(tables);
  return file != nullptr ? file->match(address) : nullptr;
}

std::size_t NetworkList::size() const { return size_of(tables); }

NetworkList NetworkList::of(const std::vector<std::string>& entries) {
  return list_of<NetworkList, NetworkTable>(entries);
}

std::string_view DomainList::find(std::string_view name) const {
  const std::string_view here = tables.written ? tables.written->find(name) : std::string_view();
  const DomainTable* file = in_file(tables);
  const std::string_view there = file != nullptr ? file->find(name) : std::string_view();
  return here.size() >= there.size() ? here : there;
}

std::size_t DomainList::size() const { return size_of(tables); }

DomainList DomainList::of(const std::vector<std::string>& entries) {
  return list_of<DomainList, DomainTable>(entries);
}

Codec codec(std::type_identity<AddressList>) {
  return {"a list of addresses and domains", read_written<AddressList, AddressTable>, show_nothing};
}
Codec codec(std::type_identity<PatternList>) {
  return {"a list of addresses and patterns", read_written<PatternList, PatternTable>,
          show_nothing};
}
Codec codec(std::type_identity<RecipientList>) {
  return {"a list of recipients", read_written<RecipientList, RecipientTable>, show_nothing};
}
Codec codec(std::type_identity<SecretList>) {
  return {"a list of users and secrets", read_written<SecretList, SecretTable>, show_nothing};
}
Codec file_codec(std::type_identity<SecretList>) {
  return {"a path", read_file<SecretList, SecretTable>, show_nothing};
}
Codec codec(std::type_identity<NetworkList>) {
  return {"a list of addresses and networks", read_written<NetworkList, NetworkTable>,
          show_nothing};
}
Codec codec(std::type_identity<DomainList>) {
  return {"a list of domains", read_written<DomainList, DomainTable>, show_nothing};
}
Codec codec(std::type_identity<DomainDirectory>) {
  return {"a path",
          [](Reading& reading, const Value& value, void* out) {
            return read_file<DomainList, DomainTable>(reading, value,
                                                      &static_cast<DomainDirectory*>(out)->names);
          },
          show_nothing};
}
Codec file_codec(std::type_identity<AddressList>) {
  return {"a path", read_file<AddressList, AddressTable>, show_nothing};
}
Codec file_codec(std::type_identity<PatternList>) {
  return {"a path", read_file<PatternList, PatternTable>, show_nothing};
}
Codec file_codec(std::type_identity<RecipientList>) {
  return {"a path", read_file<RecipientList, RecipientTable>, show_nothing};
}
Codec file_codec(std::type_identity<DomainList>) {
  return {"a path", read_file<DomainList, DomainTable>, show_nothing};
}
Codec file_codec(std::type_identity<NetworkList>) {
  return {"a path", read_file<NetworkList, NetworkTable>, show_nothing};
}

}  // namespace postern::policy
