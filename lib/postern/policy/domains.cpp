// domains/DOMAIN.toml: what holds for the recipients of one domain, or for one of them.
#include <postern/base/text.hpp>
#include <postern/policy/address_key.hpp>
#include <postern/policy/check.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/snapshot_builder.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

namespace postern::policy {
namespace {

using Type = Value::Type;

constexpr std::string_view suffix = ".toml";

// The keys of the file beside those of its plugins.
struct DomainKeys {
  Mixed mixed = Mixed::split;
  Score score;
  static void describe(Schema<DomainKeys>& schema) {
    schema.foreign("plugin", {}, "what this domain overrides, by instance");
    schema.foreign("recipient", {}, "the same for one recipient");
    schema.key("mixed", &DomainKeys::mixed, mixed_help).later({"hold"});
    schema.table("score", &DomainKeys::score, score_help);
  }
};

struct RecipientKeys {
  static void describe(Schema<RecipientKeys>& schema) {
    schema.foreign("plugin", {}, "what this recipient overrides, by instance");
  }
};

}  // namespace

std::string domain_of_file(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  if (path.ends_with(suffix)) path.remove_suffix(suffix.size());
  return lower(path);
}

void SnapshotBuilder::read_domains(const Bundle& bundle) {
  for (std::size_t i = 0; i < bundle.files.size(); ++i)
    if (bundle.files[i].kind == File::Kind::domain)
      read_domain(bundle.files[i], static_cast<std::uint32_t>(i));
}

void SnapshotBuilder::read_domain(const File& file, std::uint32_t index) {
  if (!file.error.empty()) return problems_.add({index, 0, 0}, "", file.error);
  const std::string domain = domain_of_file(file.path);
  if (const auto fault = fault_of_domain(domain); !fault.empty())
    return problems_.add({index, 0, 0}, "",
                         fmt::format("the file's name is not that of a domain: {}", fault));
  const auto [other, is_new] = domains_.emplace(domain, index);
  if (!is_new)
    return problems_.add({index, 0, 0}, "",
                         fmt::format("{} is for the same domain; keep one",
                                     problems_.file_name({other->second, 0, 0})));
  const auto document = parse_toml(file.content, index, problems_);
  if (!document) return;
  const Policy& site = data_.site;
  static const Description description = description_of<DomainKeys>();
  DomainKeys keys{site.mixed(), site.score()};
  Reader(description, reading_).read(*document, &keys);
  check_score(*document, keys.score, problems_);
  Policy& policy = overlays_.add(domain, site);
  policy.set_mixed(keys.mixed);
  policy.set_score(keys.score);
  read_scope(*document, "", policy);
  const Entry* recipients = document->find("recipient");
  if (recipients != nullptr) read_recipients(recipients->value, domain, policy);
}

// [plugin.NAME] of a domain's or recipient's table.
void SnapshotBuilder::read_scope(const Value& document, const std::string& path, Policy& policy) {
  const Entry* plugins = document.find("plugin");
  if (plugins == nullptr) return;
  reading_.path = path + "plugin";
  if (plugins->value.type != Type::table) {
    reading_.complain(plugins->value, fmt::format("expected a table for each instance, found {}; "
                                                  "write [{}.NAME]",
                                                  noun(plugins->value.type), reading_.path));
    return;
  }
  for (const Entry& entry : plugins->value.entries) override(entry, path + "plugin.", policy);
}

void SnapshotBuilder::override(const Entry& entry, const std::string& path, Policy& policy) {
  const auto instance = data_.find(entry.name);
  const std::string shown = printable(entry.name, 64);
  if (!instance) {
    std::vector<std::string> known;
    for (const Instance& there : data_.instances) known.push_back(there.name);
    return problems_.add(entry.place, path + shown,
                         fmt::format("no [[plugin]] block is named '{}'; {}", shown,
                                     choice_hint(entry.name, known)));
  }
  if (entry.value.type != Type::table)
    return problems_.add(entry.value.place, path + shown,
                         fmt::format("expected a table, found {}", noun(entry.value.type)));
  const PluginType& type = *data_.instances[*instance].type;
  Effective& effective = policy.override(*instance);
  Block head;
  const std::size_t fatal_before = problems_.fatal_count();
  const Reader::Part parts[] = {
      {&block_, &head}, {&common_, &effective.common}, {&type.description, effective.writable()}};
  Reader(root_, reading_).read_parts(entry.value, parts, Reader::Keys::per_domain, path + shown);
  check_settings(type, effective, entry.value, path + shown, fatal_before);
  check_instance(*instance, effective, {&entry.value, path + shown}, true, policy.score());
}

void SnapshotBuilder::read_recipients(const Value& recipients, const std::string& domain,
                                      const Policy& policy) {
  reading_.path = "recipient";
  if (!reading_.expect(recipients, Type::table, "a table for each recipient")) return;
  static const Description description = description_of<RecipientKeys>();
  for (const Entry& entry : recipients.entries) {
    const std::string path = fmt::format("recipient.\"{}\"", printable(entry.name, 100));
    const auto at = entry.name.rfind('@');
    const std::string local_part =
        at == std::string::npos ? std::string() : unquoted_local_part(entry.name.substr(0, at));
    const AddressKey key(local_part, at == std::string::npos ? "" : entry.name.substr(at + 1),
                         AddressKey::Quotes::removed);
    if (local_part.empty() || key.domain() != domain) {
      problems_.add(entry.place, path,
                    fmt::format("is not an address of {}; write [recipient.\"NAME@{}\".plugin.…]",
                                domain, domain));
      continue;
    }
    reading_.path = path;
    if (!reading_.expect(entry.value, Type::table, "a table")) continue;
    if (overlays_.by_scope.find(key.whole()) != overlays_.by_scope.end()) {
      problems_.add(entry.place, path, "stands twice in this file");
      continue;
    }
    RecipientKeys nothing;
    const Reader::Part part{&description, &nothing};
    Reader(description, reading_).read_parts(entry.value, {&part, 1}, Reader::Keys::all, path);
    Policy& own = overlays_.add(std::string(key.whole()), policy);
    overlays_.any_recipient = true;
    read_scope(entry.value, path + '.', own);
  }
}

}  // namespace postern::policy
