// A plugin's own pages, made from its description.
#include <postern/policy/manual.hpp>

#include <fmt/format.h>

namespace postern::policy {
namespace {

using manual_text::facts;
using manual_text::sentence;
using Shape = Key::Shape;

constexpr std::size_t columns = 80;

// `text` in lines that begin with `indent` blanks.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string out, line(indent, ' ');
  bool is_empty = true;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    if (!is_empty && line.size() + 1 + (end - at) > columns) {
      out += line + '\n';
      line.assign(indent, ' ');
      is_empty = true;
    }
    if (!is_empty) line += ' ';
    line.append(text, at, end - at);
    is_empty = false;
    at = end + 1;
  }
  return out + line + '\n';
}

std::string decides_at(const PluginType& type) {
  const std::string first(step_of(type.earliest));
  return type.latest == type.earliest ? first
                                      : fmt::format("{} to {}", first, step_of(type.latest));
}

void add_own_defaults(const Description& description, const void* defaults, const std::string& path,
                      std::vector<std::string>& out) {
  for (const Key& key : description.keys) {
    const void* member = static_cast<const char*>(defaults) + key.offset;
    if (key.shape == Shape::table)
      add_own_defaults(key.variants.front().description, member, path + key.name + '.', out);
    if (key.shape != Shape::value) continue;
    const std::string shown = key.codec.show(member);
    if (shown != key.initial) out.push_back(fmt::format("{}{} = {}", path, key.name, shown));
  }
}

// The common keys for which the plugin names a default of its own: `on_error = "next"`.
std::vector<std::string> own_defaults(const PluginType& type) {
  std::vector<std::string> out;
  add_own_defaults(description_of<Common>(), &type.defaults, "", out);
  return out;
}

std::string common_names() {
  std::string out;
  for (const Key& key : description_of<Common>().keys) {
    if (!out.empty()) out += ", ";
    out += key.name;
  }
  return out;
}

void append_keys(std::string& out, const Description& description, std::size_t indent) {
  for (const Key& key : description.keys) {
    if (!has_effect(key)) continue;
    std::string head = key.name + " (" + (key.shape == Shape::table ? "a table" : facts(key));
    if (key.is_per_domain) head += "; also per domain";
    out += wrapped(head + ")", indent);
    out += wrapped(sentence(key.help), indent + 4);
    for (const Variant& variant : key.variants) append_keys(out, variant.description, indent + 4);
  }
}

// What a cell of a table may hold.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    if (c == '<') {
      out += "&lt;";
      continue;
    }
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

void append_rows(std::string& out, const Description& description, const std::string& path) {
  for (const Key& key : description.keys) {
    if (!has_effect(key)) continue;
    const std::string name = path + key.name;
    out += fmt::format("| `{}` | {} | {} | {} |\n", name,
                       cell(key.shape == Shape::table ? "a table" : facts(key)),
                       key.is_per_domain ? "yes" : "", cell(sentence(key.help)));
    for (const Variant& variant : key.variants)
      append_rows(out, variant.description, name + (key.shape == Shape::table ? "." : "[]."));
  }
}

}  // namespace

std::string plugin_help(const PluginType& type) {
  std::string out = wrapped(type.name + ": " + sentence(type.summary), 0);
  out += wrapped(fmt::format("Version {}. It decides at {}.", type.version, decides_at(type)), 0);
  if (!type.description.keys.empty()) {
    out += "\nKeys of its [[plugin]] block:\n\n";
    append_keys(out, type.description, 2);
  }
  out += "\nKeys of every [[plugin]] block, see postern.toml(5):\n\n" +
         wrapped("use, name, " + common_names(), 2);
  if (const auto defaults = own_defaults(type); !defaults.empty())
    out += wrapped(
        fmt::format("Of these it has defaults of its own: {}.", fmt::join(defaults, ", ")), 2);
  return out;
}

std::string plugin_markdown(const PluginType& type) {
  std::string out = fmt::format("## {}\n\n{} It decides at {}.\n", type.name,
                                sentence(type.summary), decides_at(type));
  if (const auto defaults = own_defaults(type); !defaults.empty())
    out += fmt::format("Its own defaults of the common keys: `{}`.\n", fmt::join(defaults, "`, `"));
  if (type.description.keys.empty()) return out + "\nIt has no keys of its own.\n";
  out += "\n| key | what it takes | per domain | meaning |\n| --- | --- | --- | --- |\n";
  append_rows(out, type.description, "");
  return out;
}

}  // namespace postern::policy
