// Finds plugins by name, and loads them: folders of modules, one NAME.so for each plugin.
//
// A module is looked at before it is loaded (module_file.hpp), loaded once, bound at once, with its
// symbols its own, and never unloaded: what it made may live as long as the program does.
#pragma once

#include <postern/plugin/entry.hpp>
#include <postern/plugin/module_file.hpp>
#include <postern/plugin/services.hpp>
#include <postern/policy/plugin_type.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::plugin {

struct Module;
class Plugin;

// Where this Postern's own plugins are: in its build tree as long as it runs from there, else in
// LIBDIR/postern/plugins.
std::string own_plugin_folder();
// "dnsbl": a lower-case letter, then lower-case letters, digits and '_'; at most 64.
bool is_plugin_name(std::string_view name);

class Loader final : public policy::Catalog {
 public:
  // What is in a plugin's folder, loaded or not.
  struct Module {
    std::string path;
    Manifest manifest;    // empty where it could not be read
    std::string problem;  // why it cannot be loaded; empty: nothing is known against it
    const plugin::Module* symbol = nullptr;
    std::unique_ptr<policy::PluginType> type;
    // What its setup() hooks into and provides, of an instance that is never called.
    std::unique_ptr<Plugin> scratch;
    std::deque<Entry> entries;
    Services services;
    bool tried = false;
  };

  // Looks in `folders` and what is below them, then in own_plugin_folder(). One that is not there
  // is no error: problem() then tells where a plugin was looked for.
  explicit Loader(std::vector<std::string> folders = {});
  ~Loader() override;
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  const policy::PluginType* find(std::string_view name) override;
  std::string problem(std::string_view name) override;
  std::vector<std::string> names() override;  // of those whose manifest fits; loads nothing

  // A new instance; null where find() gives none.
  std::unique_ptr<Plugin> make(std::string_view name);
  // All that was found, by name, loaded as far as they can be.
  std::vector<const Module*> all();
  // The one of that name, loaded if it can be; null: there is none.
  const Module* look(std::string_view name);

 private:
  void search(const std::string& folder, std::size_t depth);
  void add(const std::string& path);
  static void load(Module& module, std::string_view name);

  std::vector<std::string> folders_;
  std::map<std::string, Module, std::less<>> modules_;
};

}  // namespace postern::plugin
