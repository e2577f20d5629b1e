#include <postern/policy/schema.hpp>

#include <algorithm>

namespace postern::policy {

Key& Key::required() {
  is_required = true;
  return *this;
}

Key& Key::otherwise(std::string text) {
  initial = std::move(text);
  return *this;
}

Key& Key::at_least(std::int64_t n) {
  least = n;
  return *this;
}

Key& Key::at_most(std::int64_t n) {
  most = n;
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

std::string heading(const Key& key, const std::string& path) {
  return key.shape == Key::Shape::table ? '[' + path + ']' : "[[" + path + "]]";
}

}  // namespace postern::policy
