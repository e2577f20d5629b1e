#include <postern/base/text.hpp>
#include <postern/policy/reader.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::policy {
namespace {

using Shape = Key::Shape;
using Type = Value::Type;

void* member(void* object, const Key& key) { return static_cast<char*>(object) + key.offset; }

std::vector<std::string> names_of(const Description& description) {
  std::vector<std::string> names;
  for (const Key& key : description.keys)
    if (has_effect(key)) names.push_back(key.name);
  return names;
}

// How the table at `path` is opened: "[limits]", "[[listen]]"; "[[plugin]]" holds for all variants.
struct Home {
  std::string heading;
  const Key* key;
};

// The tables other than the present one in which `name` is a key.
void find_homes(const std::string& name, const Description& description, const std::string& path,
                const std::string& heading, std::vector<Home>& homes) {
  for (const Key& key : description.keys) {
    if (!has_effect(key)) continue;
    if (key.name == name) homes.push_back({heading, &key});
    const std::string inner = path.empty() ? key.name : path + '.' + key.name;
    for (const Variant& variant : key.variants)
      find_homes(name, variant.description, inner, postern::policy::heading(key, inner), homes);
  }
}

// Restores the path when a table has been read.
class Inside {
 public:
  Inside(std::string& path, std::string inner) : path_(path), outer_(std::move(path)) {
    path_ = std::move(inner);
  }
  ~Inside() { path_ = std::move(outer_); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  std::string& path_;
  std::string outer_;
};

}  // namespace

std::string Reader::path_of(const std::string& name) const {
  return table_.empty() ? name : table_ + '.' + name;
}

void Reader::read_only(const std::vector<std::string_view>& names, const Value& document,
                       void* object) {
  for (const Entry& entry : document.entries)
    if (std::find(names.begin(), names.end(), entry.name) != names.end())
      if (const Key* key = root_.find(entry.name)) read_key(*key, entry, object);
}

void Reader::read_table(const Value& table, const Description& description, void* object) {
  for (const Entry& entry : table.entries) {
    const Key* key = description.find(entry.name);
    if (key != nullptr)
      read_key(*key, entry, object);
    else
      complain_unknown(entry, description);
  }
  for (const Key& key : description.keys)
    if (key.is_required && table.find(key.name) == nullptr)
      reading_.problems.add(table.place, path_of(key.name),
                            fmt::format("is missing; expected {}", key.codec.noun));
}

void Reader::read_key(const Key& key, const Entry& entry, void* object) {
  reading_.key = &key;
  reading_.path = path_of(key.name);
  switch (key.shape) {
    case Shape::value:
      key.codec.read(reading_, entry.value, member(object, key));
      return;
    case Shape::later:
      reading_.problems.add(entry.place, reading_.path,
                            "is not available in this version; remove it");
      return;
    case Shape::unused:
      reading_.problems.note(entry.place, reading_.path, "has no effect in this version");
      return;
    case Shape::table: {
      if (entry.value.type != Type::table) {
        reading_.complain(entry.value, fmt::format("expected a table, found {}; write [{}]",
                                                   noun(entry.value.type), reading_.path));
        return;
      }
      const Inside inside(table_, reading_.path);
      read_table(entry.value, key.variants.front().description, member(object, key));
      return;
    }
    case Shape::list:
    case Shape::foreign:
      return;
    case Shape::blocks:
    case Shape::variants:
      read_blocks(key, entry, object);
      return;
  }
}

void Reader::read_blocks(const Key& key, const Entry& entry, void* object) {
  const Value& value = entry.value;
  const bool is_list = value.type == Type::list &&
                       std::all_of(value.items.begin(), value.items.end(),
                                   [](const Value& item) { return item.type == Type::table; });
  if (!is_list) {
    reading_.complain(value, fmt::format("expected blocks, found {}; write [[{}]], once for each",
                                         noun(value.type), reading_.path));
    return;
  }
  const Inside inside(table_, reading_.path);
  for (const Value& block : value.items) {
    void* element = key.elements->append(member(object, key));
    if (key.shape == Shape::variants)
      read_variant(key, block, element);
    else
      read_table(block, key.variants.front().description, element);
  }
}

void Reader::read_variant(const Key& key, const Value& block, void* object) {
  const Entry* selected = block.find(key.selector);
  std::vector<std::string> known;
  for (const Variant& variant : key.variants) known.push_back(variant.name);
  const std::string all = fmt::format("\"{}\"", fmt::join(known, "\", \""));
  if (selected == nullptr || selected->value.type != Type::text) {
    const Place place = selected != nullptr ? selected->value.place : block.place;
    reading_.problems.add(place, path_of(key.selector),
                          selected == nullptr
                              ? fmt::format("is missing; name one of {}", all)
                              : fmt::format("expected a string, found {}; name one of {}",
                                            noun(selected->value.type), all));
    return;
  }
  const std::string& name = selected->value.text;
  for (const Variant& variant : key.variants) {
    if (variant.name != name) continue;
    read_table(block, variant.description, object);
    return;
  }
  const auto meant = nearest(name, known);
  reading_.problems.add(
      selected->value.place, path_of(key.selector),
      fmt::format("no {} '{}'; {}", key.name, printable(name, 64),
                  meant ? fmt::format("did you mean \"{}\"?", *meant) : "there are " + all));
}

void Reader::complain_unknown(const Entry& entry, const Description& description) {
  const std::string name = printable(entry.name, 64);
  reading_.problems.add(entry.place, path_of(name), "no such key" + hint(entry.name, description));
}

// Best first: a slip of the pen in this table; the right name in the wrong table.
std::string Reader::hint(const std::string& name, const Description& description) const {
  if (const auto meant = nearest(name, names_of(description)))
    return fmt::format("; did you mean '{}'?", *meant);
  std::vector<Home> homes;
  find_homes(name, root_, "", "", homes);
  if (!homes.empty() && homes.front().heading.empty()) {
    const bool is_table = homes.front().key->shape != Shape::value;
    return is_table
               ? fmt::format("; '{}' is a table of its own", name)
               : fmt::format("; '{}' stands at the top of the file, before the first table", name);
  }
  if (!homes.empty()) {
    std::string where = homes.front().heading;
    for (std::size_t i = 1; i < homes.size() && i < 3; ++i)
      if (where.find(homes[i].heading) == std::string::npos) where += " or " + homes[i].heading;
    return fmt::format("; '{}' stands in {}", name, where);
  }
  const auto known = names_of(description);
  if (known.size() > 1 && known.size() <= 8)
    return fmt::format("; known here: {}", fmt::join(known, ", "));
  return "; see postern.toml(5)";
}

}  // namespace postern::policy
