#include <postern/policy/manual.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace postern::policy {
namespace manual_text {
namespace {

using Shape = Key::Shape;

// A bound in the form that the key takes: durations and sizes with their unit.
std::string bound(const Key& key, double number) {
  if (key.codec.noun == "a duration")
    return '"' + text(std::chrono::milliseconds(std::llround(number))) + '"';
  if (key.codec.noun == "a size")
    return '"' + text(ByteCount{static_cast<std::size_t>(std::llround(number))}) + '"';
  return fmt::format("{}", number);
}

std::string noun_of(const Key& key) {
  if (key.shape != Shape::list) return key.codec.noun;
  for (const Key& inner : key.variants.front().description.keys)
    if (inner.is_alone) return "a list, each a table or " + inner.codec.noun;
  return "a list of tables";
}

}  // namespace

std::string sentence(const std::string& help) {
  std::string out = help;
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  if (!out.empty() && out.back() != '.') out += '.';
  return out;
}

std::string facts(const Key& key) {
  std::string out = noun_of(key);
  if (key.least && key.most)
    out += fmt::format(", {} to {}", bound(key, *key.least), bound(key, *key.most));
  else if (key.least)
    out += fmt::format(", at least {}", bound(key, *key.least));
  else if (key.most)
    out += fmt::format(", at most {}", bound(key, *key.most));
  if (key.is_required)
    out += key.or_else.empty() ? ", required"
                               : fmt::format(", required unless {} is set", key.or_else);
  else if (!key.initial.empty())
    out += fmt::format("; default {}", key.initial);
  return out;
}

}  // namespace manual_text

namespace {

using Shape = Key::Shape;
using manual_text::facts;
using manual_text::sentence;

// What scdoc would take for formatting.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '_' || c == '*' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

void append_keys(std::string& out, const Description& description) {
  for (const Key& key : description.keys)
    if (key.shape == Shape::value || key.shape == Shape::list)
      out += fmt::format("*{}* ({})\n\t{}\n\n", escaped(key.name), escaped(facts(key)),
                         escaped(sentence(key.help)));
}

void append_tables(std::string& out, const Description& description, const std::string& path) {
  for (const Key& key : description.keys) {
    if (key.variants.empty() || !has_effect(key)) continue;
    const std::string inner = path.empty() ? key.name : path + '.' + key.name;
    if (key.shape != Shape::list)
      out += fmt::format("## {}\n\n{}\n\n", escaped(heading(key, inner)), escaped(key.help));
    else
      out += fmt::format("Elements of *{}*:\n\n", escaped(inner));
    append_keys(out, key.variants.front().description);
    append_tables(out, key.variants.front().description, inner);
  }
}

void collect(std::vector<std::string>& out, const Description& description,
             const std::string& path) {
  for (const Key& key : description.keys) {
    if (!has_effect(key)) continue;
    const std::string inner = path.empty() ? key.name : path + '.' + key.name;
    if (key.shape == Shape::value || key.shape == Shape::list) out.push_back(inner);
    for (const Variant& variant : key.variants) collect(out, variant.description, inner);
  }
}

}  // namespace

std::string manual(const Description& description) {
  std::string out = "## The top of the file\n\n";
  append_keys(out, description);
  append_tables(out, description, "");
  return out;
}

std::string manual(const PluginType& type) {
  std::string out = fmt::format("## [[plugin]] with use = {}\n\n{}\n\n", escaped(type.name),
                                escaped(sentence(type.summary)));
  append_keys(out, type.description);
  append_tables(out, type.description, "plugin");
  return out;
}

std::vector<std::string> key_paths(const Description& description) {
  std::vector<std::string> out;
  collect(out, description, "");
  return out;
}

}  // namespace postern::policy
