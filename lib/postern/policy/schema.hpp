// The one description of settings: what the reader, its errors and the manual are made from.
//
// A struct of settings names its keys once, with help and bounds; type, unit and default come from
// the members themselves:
//
//   void Spool::describe(Schema<Spool>& schema) {
//     schema.key("directory", &Spool::directory, "where large messages wait");
//   }
//
// Beneath, a Description knows a member by its offset and a Codec, so that reading is no template.
#pragma once

#include <postern/policy/codec.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::policy {

struct Variant;

struct Key {
  enum class Shape : std::uint8_t {
    value,     // key = …
    table,     // [key]
    blocks,    // [[key]], any number
    variants,  // [[key]] whose `selector` tells which keys it has
    later,     // a name of the contract that this version does not have
    unused,    // likewise, and harmless
  };

  std::string name;
  std::string help;  // a sentence, without a full stop
  Shape shape = Shape::value;
  std::size_t offset = 0;             // of the member in its struct
  Codec codec;                        // of a value
  std::string initial;                // the default as it would stand in the file; empty: none
  std::optional<std::int64_t> least;  // in the base unit: octets, milliseconds, or a count
  std::optional<std::int64_t> most;
  bool is_required = false;
  std::vector<std::string> later_choices;  // values of the contract that this version lacks
  std::string selector;                    // of variants: "use"
  std::vector<Variant> variants;           // of a table or blocks: exactly one
  void* (*append)(void* list) = nullptr;   // of blocks: a new element at the end

  Key& required();
  Key& otherwise(std::string text);  // what holds when the key is absent, where no value says it
  Key& at_least(std::int64_t n);
  Key& at_most(std::int64_t n);
  Key& at_least(std::chrono::milliseconds d) { return at_least(d.count()); }
  Key& at_most(std::chrono::milliseconds d) { return at_most(d.count()); }
  Key& at_least(ByteCount size) { return at_least(static_cast<std::int64_t>(size.octets)); }
  Key& at_most(ByteCount size) { return at_most(static_cast<std::int64_t>(size.octets)); }
  Key& later(std::vector<std::string> choices);
};

inline bool has_effect(const Key& key) {
  return key.shape != Key::Shape::later && key.shape != Key::Shape::unused;
}

// The keys of one table.
struct Description {
  std::vector<Key> keys;
  const Key* find(std::string_view name) const;
};

// How the table of `key` is opened: "[limits]", "[[listen]]". `path` is the key's whole one.
std::string heading(const Key& key, const std::string& path);

struct Variant {
  std::string name;  // the value of the selector
  std::string help;
  Description description;
};

template <typename Settings>
class Schema {
 public:
  template <typename T>
  Key& key(std::string name, T Settings::*member, std::string help) {
    Key& made = add(std::move(name), std::move(help), Key::Shape::value, member);
    made.codec = codec(std::type_identity<T>{});
    made.initial = made.codec.show(&(prototype_.*member));
    return made;
  }

  // A member struct that describes itself, as [name].
  template <typename T>
  Key& table(std::string name, T Settings::*member, std::string help) {
    Key& made = add(std::move(name), std::move(help), Key::Shape::table, member);
    made.variants.push_back({"", "", describe<T>()});
    return made;
  }

  template <typename T>
  Key& blocks(std::string name, std::vector<T> Settings::*member, std::string help) {
    Key& made = add_blocks(std::move(name), member, std::move(help));
    made.variants.push_back({"", "", describe<T>()});
    return made;
  }

  // Blocks that each choose their keys by the value of `selector`, a key of every variant.
  template <typename T>
  Key& blocks(std::string name, std::vector<T> Settings::*member, std::string selector,
              std::vector<Variant> variants, std::string help) {
    Key& made = add_blocks(std::move(name), member, std::move(help));
    made.shape = Key::Shape::variants;
    made.selector = std::move(selector);
    made.variants = std::move(variants);
    return made;
  }

  // Names that are in the contract but not in this version: using one is an error that says so.
  void later(const std::vector<std::string>& names) { without_effect(names, Key::Shape::later); }
  // The same where nothing is promised by the key that is then not kept: a note says so.
  void unused(const std::vector<std::string>& names) { without_effect(names, Key::Shape::unused); }

  Description take() { return std::move(description_); }

 private:
  void without_effect(const std::vector<std::string>& names, Key::Shape shape) {
    for (const std::string& name : names) {
      description_.keys.emplace_back();
      description_.keys.back().name = name;
      description_.keys.back().shape = shape;
    }
  }
  template <typename T>
  static Description describe() {
    Schema<T> schema;
    T::describe(schema);
    return schema.take();
  }

  template <typename T>
  Key& add_blocks(std::string name, std::vector<T> Settings::*member, std::string help) {
    Key& made = add(std::move(name), std::move(help), Key::Shape::blocks, member);
    made.append = [](void* list) -> void* {
      return &static_cast<std::vector<T>*>(list)->emplace_back();
    };
    return made;
  }

  template <typename T>
  Key& add(std::string name, std::string help, Key::Shape shape, T Settings::*member) {
    Key& made = description_.keys.emplace_back();
    made.name = std::move(name);
    made.help = std::move(help);
    made.shape = shape;
    made.offset = static_cast<std::size_t>(reinterpret_cast<const char*>(&(prototype_.*member)) -
                                           reinterpret_cast<const char*>(&prototype_));
    return made;
  }

  Settings prototype_{};  // its members hold the defaults
  Description description_;
};

}  // namespace postern::policy
