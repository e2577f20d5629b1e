#include <postern/base/text.hpp>
#include <postern/policy/reader.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::policy {
namespace {

using Shape = Key::Shape;
using Type = Value::Type;

constexpr std::size_t most_listed = 12;

void* member(void* object, const Key& key) { return static_cast<char*>(object) + key.offset; }

void append_names(std::vector<std::string>& names, const Description& description) {
  for (const Key& key : description.keys)
    if (has_effect(key)) names.push_back(key.name);
}

// How the table at `path` is opened: "[limits]", "[[listen]]".
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

void Reader::read(const Value& document, void* object) { read_table(document, root_, object); }

void Reader::read_parts(const Value& table, std::span<const Part> parts, Keys keys,
                        std::string path) {
  const Inside inside(table_, std::move(path));
  read_table(table, parts, keys);
}

void Reader::read_table(const Value& table, const Description& description, void* object) {
  const Part part{&description, object};
  read_table(table, {&part, 1}, Keys::all);
}

void Reader::read_table(const Value& table, std::span<const Part> parts, Keys keys) {
  for (const Entry& entry : table.entries) {
    const Key* key = nullptr;
    const auto part = std::find_if(parts.begin(), parts.end(), [&](const Part& candidate) {
      key = candidate.description->find(entry.name);
      return key != nullptr;
    });
    if (key == nullptr)
      complain_unknown(entry, parts);
    else if (keys == Keys::per_domain && !key->is_per_domain && has_effect(*key))
      reading_.problems.add(entry.place, path_of(key->name),
                            "cannot be set for a domain or recipient: it holds for all; set it in "
                            "the [[plugin]] block");
    else
      read_key(*key, entry, part->object);
  }
  if (keys == Keys::all)
    for (const Part& part : parts) require(table, *part.description);
}

void Reader::require(const Value& table, const Description& description) {
  for (const Key& key : description.keys) {
    if (!key.is_required || table.find(key.name) != nullptr) continue;
    if (!key.or_else.empty()) {
      const Key* other = description.find(key.or_else);
      // Of the two, only the first one that stands in the description speaks.
      if (table.find(key.or_else) != nullptr || other < &key) continue;
      reading_.problems.add(table.place, path_of(key.name),
                            fmt::format("is missing, and so is {}; set one of them", key.or_else));
      continue;
    }
    const std::string expected = key.shape == Shape::value ? key.codec.noun : "a list";
    reading_.problems.add(table.place, path_of(key.name),
                          fmt::format("is missing; expected {}", expected));
  }
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
    case Shape::blocks:
      read_blocks(key, entry, object);
      return;
    case Shape::list:
      read_list(key, entry, object);
      return;
    case Shape::foreign:
      return;
  }
}

void Reader::read_blocks(const Key& key, const Entry& entry, void* object) {
  if (!expect_blocks(reading_, entry.value)) return;
  const Inside inside(table_, reading_.path);
  for (const Value& block : entry.value.items)
    read_table(block, key.variants.front().description, key.elements->append(member(object, key)));
}

void Reader::read_list(const Key& key, const Entry& entry, void* object) {
  const Value& value = entry.value;
  if (value.type == Type::text || value.type == Type::table) {
    reading_.complain(
        value, fmt::format("expected a list, found {}; put it in brackets: [ ]", noun(value.type)));
    return;
  }
  if (!reading_.expect(value, Type::list, "a list")) return;
  const Description& description = key.variants.front().description;
  void* list = member(object, key);
  key.elements->clear(list);
  for (const Value& item : value.items) {
    void* element = key.elements->append(list);
    if (item.type == Type::table) {
      const Inside inside(table_, path_of(key.name));
      read_table(item, description, element);
    } else {
      reading_.key = &key;
      reading_.path = path_of(key.name);
      read_alone(description, item, element);
    }
  }
}

// An element that is not written as a table.
void Reader::read_alone(const Description& description, const Value& item, void* object) {
  const auto alone = std::find_if(description.keys.begin(), description.keys.end(),
                                  [](const Key& key) { return key.is_alone; });
  if (alone == description.keys.end()) {
    reading_.expect(item, Type::table, "a table");
    return;
  }
  reading_.key = &*alone;
  if (!alone->codec.read(reading_, item, member(object, *alone))) return;
  for (const Key& key : description.keys)
    if (key.is_required && !key.is_alone)
      reading_.complain(item, fmt::format("'{}' is missing; write {{ {} = …, {} = … }}", key.name,
                                          alone->name, key.name));
}

void Reader::complain_unknown(const Entry& entry, std::span<const Part> parts) {
  const std::string name = printable(entry.name, 64);
  reading_.problems.add(entry.place, path_of(name), "no such key" + hint(entry.name, parts));
}

// Best first: a slip of the pen in this table; the right name in the wrong table.
std::string Reader::hint(const std::string& name, std::span<const Part> parts) const {
  std::vector<std::string> known;
  for (const Part& part : parts) append_names(known, *part.description);
  if (const auto meant = nearest(name, known)) return fmt::format("; did you mean '{}'?", *meant);
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
  if (known.size() > 1 && known.size() <= 8)
    return fmt::format("; known here: {}", fmt::join(known, ", "));
  return "; see postern.toml(5)";
}

bool expect_blocks(Reading& reading, const Value& value) {
  const bool is_list = value.type == Type::list &&
                       std::all_of(value.items.begin(), value.items.end(),
                                   [](const Value& item) { return item.type == Type::table; });
  if (is_list) return true;
  return reading.complain(value, fmt::format("expected blocks, found {}; write [[{}]], once for "
                                             "each",
                                             noun(value.type), reading.path));
}

std::string choice_hint(const std::string& name, const std::vector<std::string>& known) {
  if (const auto meant = nearest(name, known)) return fmt::format("did you mean \"{}\"?", *meant);
  if (known.empty()) return "there is none";
  if (known.size() > most_listed) return fmt::format("there are {} others", known.size());
  return fmt::format("there are \"{}\"", fmt::join(known, "\", \""));
}

}  // namespace postern::policy
