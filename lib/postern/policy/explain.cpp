#include <postern/base/text.hpp>
#include <postern/policy/address_key.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/policy/explain.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/plugin_type.hpp>
#include <postern/policy/shown_value.hpp>
#include <postern/policy/snapshot_builder.hpp>
#include <postern/policy/snapshot_data.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace postern::policy {
namespace {

using Kind = Origin::Kind;
using Shape = Key::Shape;
using Type = Value::Type;

const Value* table_in(const Value* table, std::string_view name) {
  const Entry* entry = table == nullptr ? nullptr : table->find(name);
  return entry != nullptr && entry->value.type == Type::table ? &entry->value : nullptr;
}

// A table that may set a key; each overrides those before it.
struct Layer {
  Kind kind;
  const Value* table;  // null: there is none
};
using Layers = std::vector<Layer>;

Layers within(const Layers& layers, std::string_view name) {
  Layers inner;
  for (const Layer& layer : layers) inner.push_back({layer.kind, table_in(layer.table, name)});
  return inner;
}

// Some settings: those that hold, and those of which the defaults in the description tell.
struct Object {
  const void* effective;
  const void* pristine;

  Object member(const Key& key) const {
    return {static_cast<const char*>(effective) + key.offset,
            static_cast<const char*>(pristine) + key.offset};
  }
};

class Explainer {
 public:
  Explainer(const Bundle& bundle, const Snapshot& snapshot)
      : bundle_(bundle), snapshot_(snapshot), data_(*snapshot.data()) {}

  void look_for(const std::string& domain, const std::string& recipient) {
    for (std::size_t i = 0; i < bundle_.files.size(); ++i) {
      const File& file = bundle_.files[i];
      if (file.kind != File::Kind::domain || domain_of_file(file.path) != domain) continue;
      Problems unheard(std::vector<std::string>(bundle_.files.size()));
      domain_ = parse_toml(file.content, static_cast<std::uint32_t>(i), unheard);
    }
    const Value* recipients = table_in(domain_ ? &*domain_ : nullptr, "recipient");
    if (recipients == nullptr || recipient.empty()) return;
    for (const Entry& entry : recipients->entries)
      if (key_of(entry.name) == recipient) recipient_ = &entry.value;
  }

  static std::string key_of(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos || at == 0) return {};
    const std::string local_part = unquoted_local_part(address.substr(0, at));
    if (local_part.empty()) return {};
    return std::string(
        AddressKey(local_part, address.substr(at + 1), AddressKey::Quotes::removed).whole());
  }

  std::vector<ExplainedKey> of_messages(const Policy& policy) {
    // As both the main document and those of domains have it.
    struct Keys {
      Mixed mixed = Mixed::split;
      Score score;
      static void describe(Schema<Keys>& schema) {
        schema.key("mixed", &Keys::mixed, "");
        schema.table("score", &Keys::score, "");
      }
    };
    const Keys pristine;
    const Keys effective{policy.mixed(), policy.score()};
    std::vector<ExplainedKey> keys;
    add(keys, description_of<Keys>(), {&effective, &pristine},
        {{Kind::site, &data_.document}, {Kind::domain, domain_ ? &*domain_ : nullptr}}, "");
    return keys;
  }

  ExplainedInstance of_instance(const Policy& policy, InstanceIndex index) {
    const Instance& instance = data_.instances[index];
    const PluginType& type = *instance.type;
    const Value* domain = domain_ ? &*domain_ : nullptr;
    const Layers own = {{Kind::block, block_at(instance.place)},
                        {Kind::domain, table_in(table_in(domain, "plugin"), instance.name)},
                        {Kind::recipient, table_in(table_in(recipient_, "plugin"), instance.name)}};
    Layers common = {{Kind::plugin_defaults, table_in(&data_.document, "plugin_defaults")}};
    common.insert(common.end(), own.begin(), own.end());
    const Effective pristine(type);
    const Common common_prototype;  // without what the plugin has of its own
    const Effective& effective = policy.of(index);
    ExplainedInstance explained{instance.name, type.name, {}};
    add(explained.keys, type.description, {effective.settings, pristine.settings}, own, "");
    add(explained.keys, description_of<Common>(), {&effective.common, &common_prototype}, common,
        "");
    return explained;
  }

 private:
  const Value* block_at(Place place) const {
    const Entry* blocks = data_.document.find("plugin");
    if (blocks == nullptr) return nullptr;
    const auto& items = blocks->value.items;
    const auto found = std::find_if(items.begin(), items.end(),
                                    [&](const Value& block) { return block.place == place; });
    return found == items.end() ? nullptr : &*found;
  }

  void add(std::vector<ExplainedKey>& keys, const Description& description, const Object& object,
           const Layers& layers, const std::string& path) const {
    for (const Key& key : description.keys) {
      if (!has_effect(key) || key.shape == Shape::foreign) continue;
      if (key.shape == Shape::table)
        add(keys, key.variants.front().description, object.member(key), within(layers, key.name),
            path + key.name + '.');
      else
        keys.push_back(explained(key, object.member(key), layers, path));
    }
  }

  ExplainedKey explained(const Key& key, const Object& member, const Layers& layers,
                         const std::string& path) const {
    ExplainedKey out{path + key.name, "", "", {}};
    const Value* written = nullptr;
    for (const Layer& layer : layers) {
      const Entry* entry = layer.table == nullptr ? nullptr : layer.table->find(key.name);
      if (entry == nullptr) continue;
      written = &entry->value;
      out.origin = {layer.kind, bundle_.files.at(entry->place.file).path, entry->place.line};
    }
    out.value = shown_value(key, member.effective, member.pristine, written);
    if (written != nullptr && written->type == Type::text && key.codec.noun == "a path")
      out.size = data_.lists->size_of(absolute_path(bundle_.folder, written->text));
    return out;
  }

  const Bundle& bundle_;
  const Snapshot& snapshot_;
  const SnapshotData& data_;
  std::optional<Value> domain_;  // the domain's document
  const Value* recipient_ = nullptr;
};

}  // namespace

std::string_view name_of(Origin::Kind kind) {
  switch (kind) {
    case Kind::standard:
      return "default";
    case Kind::site:
      return "site";
    case Kind::plugin_defaults:
      return "plugin_defaults";
    case Kind::block:
      return "block";
    case Kind::domain:
      return "domain";
    case Kind::recipient:
      return "recipient";
  }
  return "default";
}

std::string Origin::text() const {
  const std::string place = fmt::format("{}:{}", file, line);
  switch (kind) {
    case Kind::standard:
      return "default";
    case Kind::site:
    case Kind::domain:
      return place;
    case Kind::plugin_defaults:
      return "plugin_defaults at " + place;
    case Kind::block:
      return "block at " + place;
    case Kind::recipient:
      return "recipient in " + place;
  }
  return place;
}

Result<Explanation> explain(const Bundle& bundle, const Snapshot& snapshot,
                            std::string_view subject) {
  const auto at = subject.rfind('@');
  const bool is_recipient = at != std::string_view::npos && at > 0;
  const std::string_view domain = at == std::string_view::npos ? subject : subject.substr(at + 1);
  const std::string recipient = is_recipient ? Explainer::key_of(subject) : std::string();
  if (const auto fault = fault_of_domain(domain); !fault.empty())
    return fail(Errc::malformed,
                fmt::format("'{}' is neither a domain nor a recipient: '{}' {}",
                            printable(subject, 100), printable(domain, 100), fault));
  if (is_recipient && recipient.empty())
    return fail(Errc::malformed, fmt::format("'{}' is no address", printable(subject, 100)));
  Explainer explainer(bundle, snapshot);
  explainer.look_for(lower(domain), recipient);
  const std::string_view local_part = is_recipient ? subject.substr(0, at) : std::string_view();
  const Policy& policy = snapshot.of(local_part, domain);
  Explanation out;
  out.subject = is_recipient ? recipient : lower(domain);
  out.scope = policy.scope();
  out.messages = explainer.of_messages(policy);
  for (std::size_t i = 0; i < snapshot.instances().size(); ++i)
    out.instances.push_back(explainer.of_instance(policy, static_cast<InstanceIndex>(i)));
  return out;
}

}  // namespace postern::policy
