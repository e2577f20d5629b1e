#include <postern/base/json.hpp>
#include <postern/plugin/pages.hpp>
#include <postern/policy/manual.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string_view>

namespace postern::plugin {
namespace {

using policy::Description;
using policy::Key;

std::string shape_text(const Entry& entry) {
  switch (entry.shape) {
    case Shape::observer:
      return "an observer";
    case Shape::decision:
      return "a decision";
    case Shape::answer:
      return "an answer";
    case Shape::finding:
      break;
  }
  return entry.finding->name.empty() ? "a finding"
                                     : fmt::format("a finding ({})", entry.finding->name);
}

void add_names(std::vector<std::string>& to, const std::vector<const FactType*>& types) {
  for (const FactType* type : types)
    if (!type->name.empty()) to.emplace_back(type->name);
}

void sort_once(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

std::string facts_line(const Loader::Module& module) {
  const FactUse use = fact_use(module);
  std::string out;
  const auto tell = [&](std::string_view verb, const std::vector<std::string>& names) {
    if (names.empty()) return;
    out += fmt::format("{}{} {}", out.empty() ? "" : "; ", verb, fmt::join(names, ", "));
  };
  tell("makes", use.makes);
  tell("needs", use.needs);
  tell("uses where it is made", use.wants);
  return out;
}

// ---- JSON ----

// Help texts are longer than what a log line may hold.
constexpr std::size_t whole = 100'000;

void write_names(json::Writer& out, std::string_view key, const std::vector<std::string>& names) {
  out.begin_array(key);
  for (const std::string& name : names) out.string(name);
  out.end();
}

std::string type_of(const Key& key) {
  switch (key.shape) {
    case Key::Shape::value:
      return key.codec.noun;
    case Key::Shape::table:
      return "a table";
    default:
      return "a list of tables";
  }
}

void write_bound(json::Writer& out, double bound) {
  if (std::floor(bound) == bound && std::abs(bound) < 1e15)
    out.number(static_cast<std::int64_t>(bound));
  else
    out.number(bound);
}

void write_keys(json::Writer& out, std::string_view name, const Description& description) {
  out.begin_array(name);
  for (const Key& key : description.keys) {
    if (!policy::has_effect(key)) continue;
    out.begin().key("name").string(key.name).key("type").string(type_of(key), whole);
    if (!key.initial.empty()) out.key("default").string(key.initial, whole);
    // Durations in milliseconds, sizes in octets.
    if (key.least) write_bound(out.key("least"), *key.least);
    if (key.most) write_bound(out.key("most"), *key.most);
    out.key("required").boolean(key.is_required).key("per_domain").boolean(key.is_per_domain);
    out.key("help").string(key.help, whole);
    for (const policy::Variant& variant : key.variants)
      write_keys(out, "keys", variant.description);
    out.end();
  }
  out.end();
}

void write_module(json::Writer& out, const Loader::Module& module) {
  out.key("name").string(module.manifest.name).key("version").string(module.manifest.version);
  out.key("licence").string(module.manifest.licence).key("path").string(module.path, whole);
  if (module.type) out.key("summary").string(module.type->summary, whole);
}

// ---- lists ----

std::string name_of(const Loader::Module& module) {
  return std::filesystem::path(module.path).stem();
}

std::string folder_of(const Loader::Module& module) {
  return std::filesystem::path(module.path).parent_path();
}

}  // namespace

std::vector<HookUse> hook_uses(const Loader::Module& module) {
  std::vector<HookUse> out;
  for (const Entry& entry : module.entries) {
    std::string what = shape_text(entry);
    if (entry.waits) what += " that may wait";
    if (entry.for_recipient && entry.hook != Hook::rcpt && entry.hook != Hook::route)
      what += ", for each recipient";
    if (entry.judge) what += ", judged for each recipient";
    if (entry.holds) what += "; the step waits for it";
    if (entry.on_demand) what += "; made when it is asked for";
    out.push_back({std::string(name(entry.hook)), std::move(what)});
  }
  return out;
}

FactUse fact_use(const Loader::Module& module) {
  FactUse use;
  for (const Entry& entry : module.entries) {
    if (entry.finding) add_names(use.makes, {entry.finding});
    add_names(use.makes, entry.makes);
    add_names(use.needs, entry.needs);
    add_names(use.wants, entry.wants);
  }
  for (auto* names : {&use.makes, &use.needs, &use.wants}) sort_once(*names);
  return use;
}

std::string help_page(const Loader::Module& module) {
  std::string out = policy::plugin_help(*module.type);
  out += "\nHooks:\n\n";
  for (const HookUse& use : hook_uses(module))
    out += fmt::format("  {:<14}{}\n", use.hook, use.what);
  if (const std::string facts = facts_line(module); !facts.empty())
    out += fmt::format("\nFacts: it {}.\n", facts);
  return out + fmt::format("\nFile: {}\n", module.path);
}

std::string help_json(const Loader::Module& module) {
  std::string out;
  json::Writer json(out);
  json.begin();
  write_module(json, module);
  json.begin_array("hooks");
  for (const HookUse& use : hook_uses(module))
    json.begin().key("hook").string(use.hook).key("what").string(use.what).end();
  json.end();
  const FactUse use = fact_use(module);
  json.begin("facts");
  write_names(json, "makes", use.makes);
  write_names(json, "needs", use.needs);
  write_names(json, "wants", use.wants);
  json.end();
  write_keys(json, "keys", module.type->description);
  write_keys(json, "common_keys", policy::description_of<policy::Common>());
  json.end();
  return out + '\n';
}

std::string markdown_section(const Loader::Module& module) {
  std::string out = policy::plugin_markdown(*module.type);
  out += "\nHooks: ";
  std::string separator;
  for (const HookUse& use : hook_uses(module)) {
    out += fmt::format("{}`{}` ({})", separator, use.hook, use.what);
    separator = ", ";
  }
  out += ".\n";
  if (const std::string facts = facts_line(module); !facts.empty())
    out += fmt::format("\nFacts: it {}.\n", facts);
  return out;
}

namespace {

// One line of the table of all plugins: its hooks, and its keys by whether domains may set them.
std::string overview_row(const Loader::Module& module) {
  const auto quoted = [](const std::vector<std::string>& names) {
    return names.empty() ? std::string() : fmt::format("`{}`", fmt::join(names, "`, `"));
  };
  std::vector<std::string> hooks, per_domain, other;
  for (const HookUse& use : hook_uses(module))
    if (std::find(hooks.begin(), hooks.end(), use.hook) == hooks.end()) hooks.push_back(use.hook);
  for (const policy::Key& key : module.type->description.keys)
    if (policy::has_effect(key)) (key.is_per_domain ? per_domain : other).push_back(key.name);
  const std::string name = name_of(module);
  return fmt::format("| [{}](#{}) | {} | {} | {} |\n", name, name, quoted(hooks),
                     quoted(per_domain), quoted(other));
}

}  // namespace

std::string markdown_page(Loader& loader, const std::string& sources) {
  struct Kind {
    std::string_view folder;
    std::string_view title;
  };
  static constexpr std::array<Kind, 8> kinds = {{
      {"connect", "The client"},
      {"helo", "The greeting"},
      {"auth", "Authentication"},
      {"mail", "The sender"},
      {"rcpt", "The recipients"},
      {"content", "The message"},
      {"queue", "Where it goes"},
      {"logging", "What is kept"},
  }};
  std::string out =
      "# The plugins\n\n"
      "Written by `./dev docs` from the plugins themselves; `postern plugin help NAME` says the "
      "same "
      "on a terminal. The keys that every plugin has (`mode`, `enforce_at`, `exempt`, `on_error`, "
      "…) "
      "are in postern.toml(5).\n\n"
      "| plugin | hooks | keys, also per domain | other keys |\n| --- | --- | --- | --- |\n";
  std::string all_sections;
  for (const Kind& kind : kinds) {
    std::string sections;
    for (const Loader::Module* module : loader.all()) {
      const auto source =
          std::filesystem::path(sources) / kind.folder / (name_of(*module) + ".cpp");
      if (!module->type || !std::filesystem::exists(source)) continue;
      out += overview_row(*module);
      sections += '\n' + markdown_section(*module);
    }
    if (!sections.empty()) all_sections += fmt::format("\n# {}\n{}", kind.title, sections);
  }
  return out + all_sections;
}

std::string list_page(Loader& loader) {
  const auto all = loader.all();
  std::size_t width = 0;
  for (const Loader::Module* module : all) width = std::max(width, name_of(*module).size());
  std::map<std::string, std::string> by_folder;
  for (const Loader::Module* module : all) {
    std::string& lines = by_folder[folder_of(*module)];
    lines += fmt::format("  {:<{}}  ", name_of(*module), width);
    if (module->problem.empty())
      lines += fmt::format("{:<7}  {}\n", module->manifest.version, module->type->summary);
    else
      lines += fmt::format("cannot be loaded: {}\n", module->problem);
  }
  std::string out;
  for (const auto& [folder, lines] : by_folder)
    out += fmt::format("{}{}:\n{}", out.empty() ? "" : "\n", folder, lines);
  return out;
}

std::string list_json(Loader& loader) {
  std::string out;
  json::Writer json(out);
  json.begin().begin_array("plugins");
  for (const Loader::Module* module : loader.all()) {
    json.begin();
    if (module->problem.empty()) {
      write_module(json, *module);
    } else {
      json.key("name").string(name_of(*module)).key("path").string(module->path, whole);
      json.key("problem").string(module->problem, whole);
    }
    json.end();
  }
  json.end().end();
  return out + '\n';
}

}  // namespace postern::plugin
