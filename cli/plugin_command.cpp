#include "plugin_command.hpp"

#include <postern/plugin/loader.hpp>
#include <postern/plugin/pages.hpp>
#include <postern/policy/load.hpp>
#include <postern/policy/suggest.hpp>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "plugin_template.hpp"

namespace postern::cli {
namespace {

namespace fs = std::filesystem;

int complain(const std::string& line) {
  std::fprintf(stderr, "postern: %s\n", line.c_str());
  return 1;
}

int say(const std::string& text) {
  return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}

std::vector<std::string> configured_folders(const std::string& configuration) {
  if (access(configuration.c_str(), F_OK) != 0) return {};
  const auto bundle = policy::read_bundle(configuration);
  if (bundle) return policy::plugin_path(*bundle);
  complain(bundle.error().text + "; only Postern's own plugins are looked at");
  return {};
}

// Only what was not there before.
bool write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return static_cast<bool>(file);
}

}  // namespace

int list_plugins(const std::string& configuration, bool json) {
  plugin::Loader loader(configured_folders(configuration));
  return say(json ? plugin::list_json(loader) : plugin::list_page(loader));
}

int help_plugin(const std::string& configuration, const std::string& name, bool json) {
  plugin::Loader loader(configured_folders(configuration));
  const plugin::Loader::Module* module = loader.look(name);
  if (!module) {
    const auto meant = policy::nearest(name, loader.names());
    return complain(
        "no plugin is called '" + name + "'; " +
        (meant ? "did you mean " + *meant + "?" : "`postern plugin list` tells which there are"));
  }
  if (!module->problem.empty()) return complain(loader.problem(name));
  return say(json ? plugin::help_json(*module) : plugin::help_page(*module));
}

int new_plugin(const std::string& name, std::string folder) {
  if (!plugin::is_plugin_name(name))
    return complain("'" + name +
                    "' is no name of a plugin: a lower-case letter, then lower-case letters, "
                    "digits and '_', at most 64");
  if (folder.empty()) folder = name;
  std::error_code error;
  fs::create_directories(fs::path(folder).parent_path(), error);
  error.clear();
  if (!fs::create_directory(folder, error))
    return complain(error ? folder + ": " + error.message()
                          : folder + " is there already; nothing was written");
  for (const auto& [file, text] : plugin_project(name))
    if (!write(fs::path(folder) / file, text))
      return complain(folder + "/" + file + ": not written");
  return say("Made " + folder + ". Build it, test it, and see what it says of itself:\n\n  cd " +
             folder +
             "\n  meson setup build && meson test -C build\n\nREADME.md tells the rest.\n");
}

}  // namespace postern::cli
