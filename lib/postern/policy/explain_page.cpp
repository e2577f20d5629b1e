// An Explanation for people, and as JSON.
#include <postern/base/json.hpp>
#include <postern/base/text.hpp>
#include <postern/policy/explain.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::policy {
namespace {

constexpr std::size_t max_value_columns = 200;  // longer ones are cut
constexpr std::size_t wide_value = 40;          // those do not push the column behind them
constexpr std::size_t max_json_octets = std::size_t{1} << 20;

bool is_set(const ExplainedKey& key) { return key.origin.kind != Origin::Kind::standard; }

std::string heading(const Explanation& explanation) {
  const std::string& subject = explanation.subject;
  const std::string& scope = explanation.scope;
  if (scope == "site") return subject + " has no settings of its own: those of the site hold.";
  if (scope != subject)
    return fmt::format("{} has no settings of its own: those of {} hold, over the site's.", subject,
                       scope);
  if (subject.find('@') == std::string::npos)
    return subject + " has settings of its own, over the site's.";
  return subject + " has settings of its own, over those of its domain and the site.";
}

std::string cut(std::string text) {
  if (text.size() <= max_value_columns) return text;
  std::size_t end = max_value_columns;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string shown(const ExplainedKey& key) {
  std::string value = key.value.empty() ? "-" : cut(key.value);
  if (!key.size.empty()) value += " (" + key.size + ")";
  return value;
}

// Whether a key of a table says anything.
bool is_worth_a_line(const ExplainedKey& key) {
  return is_set(key) || (!key.value.empty() && key.value != "false");
}

// Of tables ("exempt.senders") only what says something; where nothing does, one line for all.
std::vector<ExplainedKey> folded(const std::vector<ExplainedKey>& keys) {
  std::vector<ExplainedKey> out;
  for (auto key = keys.begin(); key != keys.end();) {
    const auto dot = key->name.find('.');
    if (dot == std::string::npos) {
      out.push_back(*key++);
      continue;
    }
    const std::string table = key->name.substr(0, dot + 1);
    const std::size_t before = out.size();
    for (; key != keys.end() && key->name.starts_with(table); ++key)
      if (is_worth_a_line(*key)) out.push_back(*key);
    if (out.size() == before) out.push_back({table.substr(0, dot), "", "", {}});
  }
  return out;
}

struct Columns {
  std::size_t key = 0;
  std::size_t value = 0;

  void take(const std::vector<ExplainedKey>& keys) {
    for (const ExplainedKey& each : keys) {
      key = std::max(key, each.name.size());
      if (const auto size = shown(each).size(); size <= wide_value) value = std::max(value, size);
    }
  }
};

void add_lines(std::string& page, const std::vector<ExplainedKey>& keys, const Columns& columns) {
  for (const ExplainedKey& key : keys)
    page += fmt::format("{} {:<{}}  {:<{}}  {}\n", is_set(key) ? '*' : ' ', key.name, columns.key,
                        shown(key), columns.value, key.origin.text());
}

void add_json(json::Writer& json, const std::vector<ExplainedKey>& keys) {
  json.begin_array("keys");
  for (const ExplainedKey& key : keys) {
    json.begin().key("key").string(key.name).key("value");
    key.value.empty() ? json.null() : json.string(key.value, max_json_octets);
    if (!key.size.empty()) json.key("size").string(key.size);
    json.key("origin").string(name_of(key.origin.kind));
    if (is_set(key)) json.key("file").string(key.origin.file).key("line").number(key.origin.line);
    json.end();
  }
  json.end();
}

}  // namespace

std::string explain_page(const Explanation& explanation) {
  std::vector<ExplainedKey> messages = folded(explanation.messages);
  std::vector<std::vector<ExplainedKey>> of_instances;
  Columns columns;
  columns.take(messages);
  for (const ExplainedInstance& instance : explanation.instances)
    columns.take(of_instances.emplace_back(folded(instance.keys)));
  std::string page = heading(explanation) + "\n";
  if (!messages.empty()) {
    page += "\nmessages\n";
    add_lines(page, messages, columns);
  }
  for (std::size_t i = 0; i < of_instances.size(); ++i) {
    const ExplainedInstance& instance = explanation.instances[i];
    page += '\n' + instance.name;
    if (instance.name != instance.use) page += " (" + instance.use + ")";
    page += '\n';
    add_lines(page, of_instances[i], columns);
  }
  return page;
}

std::string explain_json(const Explanation& explanation) {
  std::string out;
  json::Writer json(out);
  json.begin().key("subject").string(explanation.subject).key("scope").string(explanation.scope);
  json.begin("messages");
  add_json(json, explanation.messages);
  json.end().begin_array("plugins");
  for (const ExplainedInstance& instance : explanation.instances) {
    json.begin().key("name").string(instance.name).key("use").string(instance.use);
    add_json(json, instance.keys);
    json.end();
  }
  json.end().end();
  return out + '\n';
}

}  // namespace postern::policy
