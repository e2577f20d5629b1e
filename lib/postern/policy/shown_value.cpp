#include <postern/base/text.hpp>
#include <postern/policy/shown_value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace postern::policy {
namespace {

using Type = Value::Type;

constexpr std::size_t max_octets_of_text = 1000;
const std::string not_shown = "(not shown)";

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, max_octets_of_text)) {
    if (c == '"' || c == '\\') out += '\\';
    if (is_control(c))
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  if (text.size() > max_octets_of_text) out += "…";
  return out + '"';
}

bool names_secrets(std::string_view name) {
  constexpr std::array<std::string_view, 6> secrets = {"secret",    "secrets",    "password",
                                                       "passwords", "passphrase", "token"};
  return std::any_of(secrets.begin(), secrets.end(), [&](std::string_view secret) {
    return name == secret || name.ends_with('_' + std::string(secret));
  });
}

std::string as_written(const Value& value) {
  std::vector<std::string> parts;
  switch (value.type) {
    case Type::text:
    case Type::date:
      return quoted(value.text);
    case Type::integer:
      return std::to_string(value.integer);
    case Type::number:
      return fmt::format("{}", value.fraction);
    case Type::boolean:
      return value.boolean ? "true" : "false";
    case Type::list:
      for (const Value& item : value.items) parts.push_back(as_written(item));
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case Type::table:
      for (const Entry& entry : value.entries)
        parts.push_back(entry.name + " = " +
                        (names_secrets(entry.name) ? not_shown : as_written(entry.value)));
      return fmt::format("{{ {} }}", fmt::join(parts, ", "));
  }
  return {};
}

}  // namespace

bool holds_secrets(const Key& key) {
  return key.codec.noun == "a list of users and secrets" || names_secrets(key.name);
}

std::string shown_value(const Key& key, const void* member, const void* pristine,
                        const Value* written) {
  if (holds_secrets(key)) return written == nullptr ? "" : not_shown;
  if (written != nullptr) return as_written(*written);
  if (key.shape != Key::Shape::value) return {};
  const std::string shown = key.codec.show(member);
  return shown == key.codec.show(pristine) && !key.initial.empty() ? key.initial : shown;
}

}  // namespace postern::policy
