// The description as text for the manual: what postern.toml(5) says about each key.
#pragma once

#include <postern/policy/plugin_type.hpp>
#include <postern/policy/schema.hpp>

#include <string>
#include <vector>

namespace postern::policy {

// In scdoc's language: a subsection for the top of the file and for each table.
std::string manual(const Description& description);

// Likewise, the keys of a plugin's block.
std::string manual(const PluginType& type);

// What `postern plugin help NAME` says: text for a terminal, lines of at most 80 columns.
std::string plugin_help(const PluginType& type);

// The section of docs/plugins.md.
std::string plugin_markdown(const PluginType& type);

// Every key by its path: "hostname", "forward.timeouts.mail", "plugin.mode"; each once.
std::vector<std::string> key_paths(const Description& description);

namespace manual_text {
std::string sentence(const std::string& help);  // with a capital letter and a full stop
std::string facts(const Key& key);              // type, bounds, default
}  // namespace manual_text

}  // namespace postern::policy
