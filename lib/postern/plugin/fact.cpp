#include <postern/plugin/fact.hpp>

namespace postern::plugin {

Fields& Fields::text(std::string_view key, std::string_view value) {
  out_.key(key).string(value);
  return *this;
}

Fields& Fields::number(std::string_view key, std::int64_t value) {
  out_.key(key).number(value);
  return *this;
}

Fields& Fields::add(std::string_view key, bool value) {
  out_.key(key).boolean(value);
  return *this;
}

Fields& Fields::add(std::string_view key, double value) {
  out_.key(key).number(value);
  return *this;
}

Fields& Fields::add(std::string_view key, const std::vector<std::string>& values) {
  out_.begin_array(key);
  for (const std::string& value : values) out_.string(value);
  out_.end();
  return *this;
}

}  // namespace postern::plugin
