#include <postern/policy/manual.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace postern::policy {
namespace {

using Shape = Key::Shape;

// What scdoc would take for formatting.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '_' || c == '*' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string sentence(const std::string& help) {
  std::string out = help;
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  if (!out.empty() && out.back() != '.') out += '.';
  return out;
}

// A bound in the form that the key takes: durations and sizes with their unit.
std::string bound(const Key& key, double number) {
  if (key.codec.noun == "a duration")
    return '"' + text(std::chrono::milliseconds(std::llround(number))) + '"';
  if (key.codec.noun == "a size")
    return '"' + text(ByteCount{static_cast<std::size_t>(std::llround(number))}) + '"';
  return fmt::format("{}", number);
}

std::string facts(const Key& key) {
  std::string out = key.codec.noun;
  if (key.least && key.most)
    out += fmt::format(", {} to {}", bound(key, *key.least), bound(key, *key.most));
  else if (key.least)
    out += fmt::format(", at least {}", bound(key, *key.least));
  else if (key.most)
    out += fmt::format(", at most {}", bound(key, *key.most));
  if (key.is_required)
    out += ", required";
  else if (!key.initial.empty())
    out += fmt::format("; default {}", key.initial);
  return out;
}

void append_keys(std::string& out, const Description& description) {
  for (const Key& key : description.keys)
    if (key.shape == Shape::value)
      out += fmt::format("*{}* ({})\n\t{}\n\n", escaped(key.name), escaped(facts(key)),
                         escaped(sentence(key.help)));
}

void append_tables(std::string& out, const Description& description, const std::string& path) {
  for (const Key& key : description.keys) {
    if (key.shape == Shape::value || !has_effect(key)) continue;
    const std::string inner = path.empty() ? key.name : path + '.' + key.name;
    const std::string title = heading(key, inner);
    if (key.shape == Shape::variants)
      out += fmt::format("## {}\n\n{}\n\n", title, escaped(key.help));
    for (const Variant& variant : key.variants) {
      if (variant.name.empty())
        out += fmt::format("## {}\n\n{}\n\n", title, escaped(key.help));
      else
        out += fmt::format("## {} with {} = {}\n\n{}\n\n", title, key.selector,
                           escaped(variant.name), escaped(variant.help));
      append_keys(out, variant.description);
      append_tables(out, variant.description, inner);
    }
  }
}

void collect(std::vector<std::string>& out, const Description& description,
             const std::string& path) {
  for (const Key& key : description.keys) {
    if (!has_effect(key)) continue;
    const std::string inner = path.empty() ? key.name : path + '.' + key.name;
    if (key.shape == Shape::value && std::find(out.begin(), out.end(), inner) == out.end())
      out.push_back(inner);
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

std::vector<std::string> key_paths(const Description& description) {
  std::vector<std::string> out;
  collect(out, description, "");
  return out;
}

}  // namespace postern::policy
