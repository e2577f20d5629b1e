// The [[plugin]] blocks and [plugin_defaults].
#include <postern/base/text.hpp>
#include <postern/policy/snapshot_builder.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace postern::policy {
namespace {

using Type = Value::Type;

constexpr std::size_t max_instance_name_octets = 64;

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
}

}  // namespace

void SnapshotBuilder::Block::describe(Schema<Block>& schema) {
  schema.key("use", &Block::use, "which plugin this block sets up").required();
  schema
      .key("name", &Block::name,
           "the name of this instance, for the log and for domains: USE or USE:WORD; each once")
      .otherwise("use");
}

Description describe_plugin_block() {
  Description keys = description_of<SnapshotBuilder::Block>();
  Description common = description_of<Common>();
  std::move(common.keys.begin(), common.keys.end(), std::back_inserter(keys.keys));
  return keys;
}

void require_sound(const PluginType& type) {
  const auto complain = [&](const std::string& what) {
    throw std::logic_error("plugin " + type.name + ": " + what);
  };
  if (!is_word(type.name)) complain("its name is no word");
  if (type.make == nullptr || type.copy == nullptr || type.destroy == nullptr)
    complain("it cannot make its settings");
  const Description taken = describe_plugin_block();
  for (const Key& key : type.description.keys) {
    if (!is_word(key.name)) complain("the key '" + key.name + "' is no word");
    if (taken.find(key.name) != nullptr)
      complain("the key '" + key.name + "' is one that every instance has");
  }
}

SnapshotBuilder::SnapshotBuilder(const Description& root, Catalog& catalog, Reading& reading,
                                 std::shared_ptr<ListStore> lists)
    : root_(root),
      catalog_(&catalog),
      reading_(reading),
      problems_(reading.problems),
      unheard_(reading.problems.file_names()),
      loaded_(std::make_shared<SnapshotData>()),
      overlays_(data_.overlays) {
  data_.lists = std::move(lists);
  data_.folder = reading.folder;
}

SnapshotBuilder::SnapshotBuilder(const Description& root, std::shared_ptr<SnapshotData> loaded,
                                 Reading& reading, Overlays& overlays)
    : root_(root),
      catalog_(nullptr),
      reading_(reading),
      problems_(reading.problems),
      unheard_(reading.problems.file_names()),
      loaded_(std::move(loaded)),
      overlays_(overlays) {
  find_blocks();
}

// Where [plugin_defaults] and the [[plugin]] blocks of the instances stand.
void SnapshotBuilder::find_blocks() {
  const Entry* defaults = data_.document.find("plugin_defaults");
  if (defaults != nullptr && defaults->value.type == Type::table) defaults_ = &defaults->value;
  if (const Entry* plugins = data_.document.find("plugin"))
    for (const Value& block : plugins->value.items) blocks_.push_back(&block);
}

void SnapshotBuilder::read_site(Value document, const Configuration& configuration) {
  data_.document = std::move(document);
  data_.site.set_mixed(configuration.mixed);
  data_.site.set_score(configuration.score);
  const Entry* plugins = data_.document.find("plugin");
  reading_.path = "plugin";
  if (plugins != nullptr && !expect_blocks(reading_, plugins->value)) return;
  find_blocks();
  if (blocks_.size() > max_instances) {
    problems_.add(blocks_[max_instances]->place, "plugin",
                  fmt::format("more than {} blocks", max_instances));
    blocks_.resize(max_instances);
  }
  for (const Value* block : std::exchange(blocks_, {})) read_block(*block);
  check_site_stages();
}

void SnapshotBuilder::read_block(const Value& block) {
  const PluginType* type = find_type(block);
  if (type == nullptr) return;
  if (sound_.insert(type).second) require_sound(*type);
  Block head;
  Effective& effective = data_.site.add(*type);
  const std::size_t fatal_before = problems_.fatal_count();
  if (defaults_ != nullptr) {
    Reading quiet(unheard_, reading_.folder, false);  // told when the table itself was read
    quiet.lists = reading_.lists;
    const Reader::Part part{&common_, &effective.common};
    Reader(root_, quiet).read_parts(*defaults_, {&part, 1}, Reader::Keys::all, "plugin_defaults");
  }
  const Reader::Part parts[] = {
      {&block_, &head}, {&common_, &effective.common}, {&type->description, effective.writable()}};
  Reader(root_, reading_).read_parts(block, parts, Reader::Keys::all, "plugin");
  data_.instances.push_back({name_of(block, *type, head), type, block.place});
  blocks_.push_back(&block);
  check_settings(*type, effective, block, "plugin", fatal_before);
}

const PluginType* SnapshotBuilder::find_type(const Value& block) {
  const Entry* use = block.find("use");
  if (use == nullptr || use->value.type != Type::text) {
    const std::vector<std::string> known = catalog_->names();
    const std::string name_one =
        known.size() > 12 ? std::string("name a plugin")
                          : fmt::format("name one of \"{}\"", fmt::join(known, "\", \""));
    if (use == nullptr)
      problems_.add(block.place, "plugin.use", fmt::format("is missing; {}", name_one));
    else
      problems_.add(
          use->value.place, "plugin.use",
          fmt::format("expected a string, found {}; {}", noun(use->value.type), name_one));
    return nullptr;
  }
  const std::string& name = use->value.text;
  if (const PluginType* type = catalog_->find(name)) return type;
  const std::string shown = printable(name, 64);
  const std::string problem = catalog_->problem(name);
  const std::string plain = name.substr(0, name.find(':'));
  const std::vector<std::string> known = catalog_->names();
  std::string text;
  if (!problem.empty())
    text = fmt::format("'{}' cannot be loaded: {}", shown, printable(problem, 500));
  else if (plain != name && std::find(known.begin(), known.end(), plain) != known.end())
    text = fmt::format("no plugin '{}'; write use = \"{}\" and name = \"{}\"", shown, plain, shown);
  else
    text = fmt::format("no plugin '{}'; {}", shown, choice_hint(name, known));
  problems_.add(use->value.place, "plugin.use", std::move(text));
  return nullptr;
}

// The name of the instance, which the block may give, and which no other has.
std::string SnapshotBuilder::name_of(const Value& block, const PluginType& type,
                                     const Block& head) {
  const std::string name = head.name.empty() ? type.name : head.name;
  const Entry* written = block.find("name");
  const Place place = written == nullptr ? block.place : written->value.place;
  const std::string shown = printable(name, 64);
  const bool has_word = name.starts_with(type.name + ':') &&
                        is_word(std::string_view(name).substr(type.name.size() + 1));
  if ((name != type.name && !has_word) || name.size() > max_instance_name_octets)
    problems_.add(place, "plugin.name",
                  fmt::format("'{}' is neither \"{}\" nor \"{}:WORD\" of letters, digits, '_' and "
                              "'-', at most {} octets",
                              shown, type.name, type.name, max_instance_name_octets));
  if (const auto other = data_.find(name)) {
    const Place there = data_.instances[*other].place;
    problems_.add(place, "plugin.name",
                  fmt::format("'{}' stands in {}:{} already; name one of them \"{}:WORD\"", shown,
                              problems_.file_name(there), there.line, type.name));
  }
  return name;
}

// What no single key can tell, where all of them were good.
void SnapshotBuilder::check_settings(const PluginType& type, const Effective& effective,
                                     const Value& table, const std::string& path,
                                     std::size_t fatal_before) {
  if (type.fault == nullptr || problems_.fatal_count() != fatal_before) return;
  if (std::string fault = type.fault(effective.settings); !fault.empty())
    problems_.add(table.place, path, fmt::format("{} {}", type.name, fault));
}

// The unions that plugins are likely to ask for, so that a cut is told now and costs no session.
void SnapshotBuilder::unite() {
  for (std::size_t i = 0; i < data_.instances.size(); ++i) {
    for (const Key& key : data_.instances[i].type->description.keys) {
      if (!key.unite || !key.is_per_domain) continue;
      if (!data_.union_of(static_cast<InstanceIndex>(i), key.offset, *key.unite).is_cut) continue;
      problems_.note(data_.instances[i].place, "plugin." + key.name,
                     fmt::format("over all domains there are more than {} different elements; what "
                                 "is done before the recipient is known uses the first {}",
                                 max_everywhere, max_everywhere));
    }
  }
}

std::shared_ptr<const Snapshot> SnapshotBuilder::take() {
  note_moot_defaults();
  unite();
  data_.lists->forget_bundle();
  data_.usage.resize(data_.instances.size());
  add_usage(data_.site, data_.usage);
  for (const Policy& policy : data_.overlays.policies) add_usage(policy, data_.usage);
  return std::make_shared<const Snapshot>(loaded_);
}

}  // namespace postern::policy
