#include <postern/base/text.hpp>
#include <postern/policy/address_key.hpp>
#include <postern/policy/list_store.hpp>
#include <postern/policy/local_parts.hpp>
#include <postern/policy/mailbox_folder.hpp>
#include <postern/policy/reading.hpp>

#include <algorithm>
#include <array>

namespace postern::policy {
namespace {

// `text` in lower case, in a buffer of one's own; empty when it does not fit.
class Lowered {
 public:
  explicit Lowered(std::string_view text) {
    if (text.size() > buffer_.size()) return;
    std::transform(text.begin(), text.end(), buffer_.begin(), ascii_lower);
    octets_ = text.size();
  }
  std::string_view view() const { return {buffer_.data(), octets_}; }

 private:
  std::array<char, NameTable::max_name_octets> buffer_;
  std::size_t octets_ = 0;
};

bool read_folder(Reading& reading, const Value& value, void* out) {
  if (!reading.expect(value, Value::Type::text, "a path")) return false;
  auto& tables = static_cast<MailboxFolder*>(out)->tables;
  if (value.text.empty()) {  // for a domain that wants none
    tables.reset();
    return true;
  }
  if (value.text.find('\0') != std::string::npos)
    return reading.complain(value, "a path has no NUL");
  if (reading.lists == nullptr) return true;
  tables = reading.lists->folder(absolute_path(reading.folder, value.text), reading, value);
  return tables != nullptr;
}

}  // namespace

std::string LocalPartTable::add(std::string_view entry) {
  if (entry == "*") {
    has_all_ = true;
    return {};
  }
  const std::string local_part = unquoted_local_part(entry);
  if (local_part.empty() || !valid_utf8(entry)) return "is no local-part";
  return names_.add(lower(local_part), 1) ? "" : "is too long";
}

bool LocalPartTable::contains(std::string_view local_part) const {
  return has_all_ || names_.find(Lowered(local_part).view()) != 0;
}

MailboxFolder::Answer MailboxFolder::look(std::string_view local_part,
                                          std::string_view domain) const {
  if (!tables) return Answer::no_such_domain;
  const auto found = tables->domains.find(Lowered(domain).view());
  if (found == tables->domains.end()) return Answer::no_such_domain;
  return found->second->table->contains(local_part) ? Answer::listed : Answer::not_listed;
}

Codec codec(std::type_identity<MailboxFolder>) {
  return {"a path", read_folder, [](const void*) { return std::string(); }};
}

}  // namespace postern::policy
