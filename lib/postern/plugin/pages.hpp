// What people are told about a plugin: made from the module itself, nothing is written twice.
#pragma once

#include <postern/plugin/loader.hpp>

#include <string>
#include <vector>

namespace postern::plugin {

// One function of a plugin, in words.
struct HookUse {
  std::string hook;  // "connect"
  std::string what;  // "a finding (dnsbl.listings), judged for each recipient"
};
std::vector<HookUse> hook_uses(const Loader::Module& module);

// Named facts, each once, in the order of their names.
struct FactUse {
  std::vector<std::string> makes;
  std::vector<std::string> needs;
  std::vector<std::string> wants;
};
FactUse fact_use(const Loader::Module& module);

// All three only of a module that is loaded.
// `postern plugin help NAME`: text of at most 80 columns.
std::string help_page(const Loader::Module& module);
// The same as one JSON object on one line.
std::string help_json(const Loader::Module& module);
// Its section of docs/plugins.md.
std::string markdown_section(const Loader::Module& module);
// docs/plugins.md: all plugins of `loader`, by the folders of their sources below `sources`.
std::string markdown_page(Loader& loader, const std::string& sources);

// `postern plugin list`: a line for each that was found, those that cannot be loaded with why.
std::string list_page(Loader& loader);
std::string list_json(Loader& loader);

}  // namespace postern::plugin
