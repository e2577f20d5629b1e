#include <postern/policy/schema.hpp>

#include <algorithm>
#include <stdexcept>

namespace postern::policy {

Key& Key::required() {
  is_required = true;
  return *this;
}

Key& Key::otherwise(std::string text) {
  initial = std::move(text);
  return *this;
}

Key& Key::at_least(double n) {
  least = n;
  return *this;
}

Key& Key::at_most(double n) {
  most = n;
  return *this;
}

Key& Key::per_domain() {
  is_per_domain = true;
  return *this;
}

Key& Key::alone() {
  is_alone = true;
  return *this;
}

Key& Key::later(std::vector<std::string> choices) {
  later_choices = std::move(choices);
  return *this;
}

Description::Description() = default;
Description::Description(const Description& other) = default;
Description::Description(Description&& other) noexcept = default;
Description& Description::operator=(const Description& other) = default;
Description& Description::operator=(Description&& other) noexcept = default;
Description::~Description() = default;

const Key* Description::find(std::string_view name) const {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

Description completed(Description description) {
  Description out;
  const auto add = [&](Key key) {
    if (out.find(key.name) != nullptr)
      throw std::logic_error("the key '" + key.name + "' is described twice");
    out.keys.push_back(std::move(key));
  };
  for (Key& key : description.keys) {
    if (!key.file) {
      add(std::move(key));
      continue;
    }
    Key file = key;
    file.name = key.name == "list" ? "file" : key.name + "_file";
    file.help = "a file with further entries of " + key.name + ", re-read when it changes";
    file.codec = *key.file;
    file.initial.clear();
    file.or_else = key.name;
    file.file.reset();
    key.or_else = file.name;
    key.file.reset();
    add(std::move(key));
    add(std::move(file));
  }
  return out;
}

SchemaBase::SchemaBase() = default;
SchemaBase::~SchemaBase() = default;

Key& SchemaBase::add(std::string name, std::string help, Key::Shape shape, std::size_t offset) {
  Key& made = description_.keys.emplace_back();
  made.name = std::move(name);
  made.help = std::move(help);
  made.shape = shape;
  made.offset = offset;
  return made;
}

Key& SchemaBase::add_value(std::string name, std::string help, std::size_t offset, Codec codec,
                           const void* member, Codec (*file)()) {
  Key& made = add(std::move(name), std::move(help), Key::Shape::value, offset);
  made.codec = std::move(codec);
  made.initial = made.codec.show(member);
  if (file) made.file = file();
  return made;
}

Key& SchemaBase::add_table(std::string name, std::string help, Key::Shape shape, std::size_t offset,
                           Description (*inner)(), detail::ListAccess (*elements)(),
                           detail::UnionAccess (*unite)()) {
  Key& made = add(std::move(name), std::move(help), shape, offset);
  if (elements) made.elements = elements();
  if (unite) made.unite = unite();
  made.variants.push_back({"", "", inner()});
  return made;
}

Key& SchemaBase::foreign(std::string name, Description description, std::string help) {
  Key& made = add(std::move(name), std::move(help), Key::Shape::foreign, 0);
  made.variants.push_back({"", "", std::move(description)});
  return made;
}

void SchemaBase::without_effect(const std::vector<std::string>& names, Key::Shape shape) {
  for (const std::string& name : names) add(name, "", shape, 0);
}

Description SchemaBase::take() { return completed(std::move(description_)); }

std::string heading(const Key& key, const std::string& path) {
  if (key.shape == Key::Shape::list) return path;
  return key.shape == Key::Shape::table ? '[' + path + ']' : "[[" + path + "]]";
}

}  // namespace postern::policy
