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

std::string heading(const Key& key, const std::string& path) {
  if (key.shape == Key::Shape::list) return path;
  return key.shape == Key::Shape::table ? '[' + path + ']' : "[[" + path + "]]";
}

}  // namespace postern::policy
