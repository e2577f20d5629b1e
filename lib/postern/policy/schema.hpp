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

#include <postern/base/chrono.hpp>
#include <postern/policy/codec.hpp>
#include <postern/policy/common.hpp>

#include <concepts>
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
    value,    // key = …
    table,    // [key]
    blocks,   // [[key]], any number
    list,     // key = ["x", { name = "y" }]: elements that describe themselves
    foreign,  // described here, read by whoever knows what may stand in it
    later,    // a name of the contract that this version does not have
    unused,   // likewise, and harmless
  };

  std::string name;
  std::string help;  // a sentence, without a full stop
  Shape shape = Shape::value;
  std::size_t offset = 0;       // of the member in its struct
  Codec codec;                  // of a value
  std::string initial;          // the default as it would stand in the file; empty: none
  std::optional<double> least;  // in the base unit: octets, milliseconds, or a count
  std::optional<double> most;
  bool is_required = false;
  std::string or_else;  // the other key that is enough where this one is required
  bool is_per_domain = false;
  bool is_alone = false;                       // of a list's element: what a bare string sets
  std::vector<std::string> later_choices;      // values of the contract that this version lacks
  std::vector<Variant> variants;               // of a table, blocks or a list: exactly one
  std::optional<detail::ListAccess> elements;  // of blocks and lists
  std::optional<detail::UnionAccess> unite;    // of lists, where elements can be compared
  std::optional<Codec> file;                   // of a list that can also come from a file

  Key& required();
  Key& otherwise(std::string text);  // what holds when the key is absent, where no value says it
  Key& at_least(double n);
  Key& at_most(double n);
  template <std::integral I>
  Key& at_least(I n) {
    return at_least(static_cast<double>(n));
  }
  template <std::integral I>
  Key& at_most(I n) {
    return at_most(static_cast<double>(n));
  }
  Key& at_least(std::chrono::milliseconds d) { return at_least(d.count()); }
  Key& at_most(std::chrono::milliseconds d) { return at_most(d.count()); }
  Key& at_least(ByteCount size) { return at_least(size.octets); }
  Key& at_most(ByteCount size) { return at_most(size.octets); }
  Key& later(std::vector<std::string> choices);
  // May also be set in domains/DOMAIN.toml, for the domain or one recipient.
  Key& per_domain();
  // In a list, "x" stands for { THIS_KEY = "x" }.
  Key& alone();
};

inline bool has_effect(const Key& key) {
  return key.shape != Key::Shape::later && key.shape != Key::Shape::unused;
}

// The keys of one table.
struct Description {
  Description();
  Description(const Description& other);
  Description(Description&& other) noexcept;
  Description& operator=(const Description& other);
  Description& operator=(Description&& other) noexcept;
  ~Description();

  std::vector<Key> keys;
  const Key* find(std::string_view name) const;
};

// How the table of `key` is opened: "[limits]", "[[listen]]". `path` is the key's whole one.
std::string heading(const Key& key, const std::string& path);

struct Variant {
  std::string name;
  std::string help;
  Description description;
};

// Gives each list that can come from a file the key that names it. A name that stands twice is a
// bug: std::logic_error.
Description completed(Description description);

template <typename T>
Description description_of();

// What a schema does whatever the settings are: compiled once, and not again in each plugin.
class SchemaBase {
 public:
  SchemaBase(const SchemaBase&) = delete;
  SchemaBase& operator=(const SchemaBase&) = delete;

  // Tables that are read elsewhere: for the manual and for hints.
  Key& foreign(std::string name, Description description, std::string help);

  // Names that are in the contract but not in this version: using one is an error that says so.
  void later(const std::vector<std::string>& names) { without_effect(names, Key::Shape::later); }
  // The same where nothing is promised by the key that is then not kept: a note says so.
  void unused(const std::vector<std::string>& names) { without_effect(names, Key::Shape::unused); }

  // Of a plugin: what its instances have in the common keys where the configuration says nothing.
  Common& defaults() { return defaults_; }

  Description take();

 protected:
  SchemaBase();
  ~SchemaBase();
  // `member` holds the default. `file`: null where no file can bring more entries.
  Key& add_value(std::string name, std::string help, std::size_t offset, Codec codec,
                 const void* member, Codec (*file)());
  // `elements`, `unite`: null where it is no list, or its elements cannot be compared.
  Key& add_table(std::string name, std::string help, Key::Shape shape, std::size_t offset,
                 Description (*inner)(), detail::ListAccess (*elements)(),
                 detail::UnionAccess (*unite)());

 private:
  Key& add(std::string name, std::string help, Key::Shape shape, std::size_t offset);
  void without_effect(const std::vector<std::string>& names, Key::Shape shape);

  Common defaults_;
  Description description_;
};

template <typename Settings>
class Schema : public SchemaBase {
 public:
  // A list of addresses or patterns also gets the key of its file: `list` has `file`, any other
  // NAME has NAME_file.
  template <typename T>
  Key& key(std::string name, T Settings::*member, std::string help) {
    Codec (*file)() = nullptr;
    if constexpr (FromFile<T>) file = [] { return file_codec(std::type_identity<T>{}); };
    return add_value(std::move(name), std::move(help), offset(member),
                     codec(std::type_identity<T>{}), &(prototype_.*member), file);
  }

  // Structs that describe themselves, each as a table; or as a string, where one of their keys
  // stands alone(): zones = ["bl.example", { name = "x.example", weight = 2 }].
  template <typename T>
  Key& list(std::string name, std::vector<T> Settings::*member, std::string help) {
    detail::UnionAccess (*unite)() = nullptr;
    if constexpr (std::equality_comparable<T>) unite = &detail::union_access<T>;
    return add_table(std::move(name), std::move(help), Key::Shape::list, offset(member),
                     &description_of<T>, &detail::list_access<T>, unite);
  }

  // A member struct that describes itself, as [name].
  template <typename T>
  Key& table(std::string name, T Settings::*member, std::string help) {
    return add_table(std::move(name), std::move(help), Key::Shape::table, offset(member),
                     &description_of<T>, nullptr, nullptr);
  }

  template <typename T>
  Key& blocks(std::string name, std::vector<T> Settings::*member, std::string help) {
    return add_table(std::move(name), std::move(help), Key::Shape::blocks, offset(member),
                     &description_of<T>, &detail::list_access<T>, nullptr);
  }

 private:
  template <typename T>
  std::size_t offset(T Settings::*member) const {
    return static_cast<std::size_t>(reinterpret_cast<const char*>(&(prototype_.*member)) -
                                    reinterpret_cast<const char*>(&prototype_));
  }

  Settings prototype_{};  // its members hold the defaults
};

// The keys of a struct that describes itself.
template <typename T>
Description description_of() {
  Schema<T> schema;
  T::describe(schema);
  return schema.take();
}

}  // namespace postern::policy
