#include <postern/base/text.hpp>
#include <postern/plugin/hooks.hpp>
#include <postern/plugin/loader.hpp>
#include <postern/plugin/module.hpp>
#include <postern/plugin/plugin.hpp>

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <optional>
#include <system_error>

namespace postern::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_depth = 3;       // KIND/NAME.so, and a folder of the site's around them
constexpr std::size_t max_modules = 1000;  // in all folders

// The file that this library was loaded from.
fs::path own_file() {
  Dl_info about{};
  if (dladdr(reinterpret_cast<const void*>(&own_plugin_folder), &about) == 0 || !about.dli_fname)
    return {};
  std::error_code error;
  return fs::canonical(about.dli_fname, error);
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error))
    entries.push_back(i->path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

// Where a refusal of what is hooked in here arises.
policy::Stage stage_of(Hook hook) {
  using policy::Stage;
  switch (hook) {
    case Hook::helo:
      return Stage::helo;
    case Hook::mail:
      return Stage::mail;
    case Hook::rcpt:
      return Stage::rcpt;
    case Hook::data:
      return Stage::data;
    case Hook::headers:
    case Hook::message:
      return Stage::message;
    default:
      return Stage::now;
  }
}

// One that decides nothing refuses nothing: whatever there is to know is known in time.
void set_stages(const std::deque<Entry>& entries, policy::PluginType& type) {
  std::optional<policy::Stage> earliest, latest;
  for (const Entry& entry : entries) {
    if (entry.shape != Shape::decision && !entry.judge) continue;
    const policy::Stage stage = stage_of(entry.hook);
    earliest = std::min(earliest.value_or(stage), stage);
    latest = std::max(latest.value_or(stage), stage);
  }
  type.earliest = earliest.value_or(policy::Stage::message);
  type.latest = latest.value_or(policy::Stage::message);
}

// dlerror() names the file first; so does whoever shows the problem.
std::string dl_problem(const std::string& path) {
  const char* said = dlerror();
  std::string_view text = said ? said : "it cannot be loaded";
  if (text.starts_with(path + ": ")) text.remove_prefix(path.size() + 2);
  return printable(text, 500);
}

}  // namespace

std::string own_plugin_folder() {
  const fs::path library = own_file();
  std::error_code error;
  for (fs::path above = library.parent_path(); above.has_relative_path();
       above = above.parent_path())
    if (fs::is_directory(above / "meson-private", error) &&
        fs::is_directory(above / "plugins-async", error))
      return above / "plugins-async";
  return library.parent_path() / "postern" / "plugins";
}

bool is_plugin_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; };
  return !name.empty() && name.size() <= 64 && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), fits);
}

Loader::Loader(std::vector<std::string> folders) : folders_(std::move(folders)) {
  folders_.push_back(own_plugin_folder());
  for (const std::string& folder : folders_) search(folder, 0);
}

Loader::~Loader() = default;

void Loader::search(const std::string& folder, std::size_t depth) {
  for (const fs::path& path : sorted_entries(folder)) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      // NAME.so.p is where meson keeps the objects.
      if (depth < max_depth && path.extension() != ".p") search(path, depth + 1);
    } else if (path.extension() == ".so" && is_plugin_name(path.stem().native())) {
      add(fs::canonical(path, error));
    }
  }
}

void Loader::add(const std::string& path) {
  if (path.empty() || modules_.size() >= max_modules) return;
  const std::string name = fs::path(path).stem();
  const auto [place, is_new] = modules_.try_emplace(name);
  Module& module = place->second;
  if (!is_new) {
    if (module.path != path)
      module.problem = fmt::format("two files have this name, {} and {}; rename or remove one",
                                   module.path, path);
    return;
  }
  module.path = path;
  auto manifest = read_manifest(path);
  if (!manifest) {
    module.problem = manifest.error().text;
    return;
  }
  module.manifest = std::move(*manifest);
  if (module.manifest.name != name)
    module.problem = fmt::format("it calls itself {}: the file's name must be the plugin's",
                                 module.manifest.name);
  else
    module.problem = abi_mismatch(module.manifest.abi, own_abi());
}

void Loader::load(Module& module, std::string_view name) try {
  void* handle = dlopen(module.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    module.problem = dl_problem(module.path);
    return;
  }
  module.symbol = static_cast<const plugin::Module*>(dlsym(handle, "postern_module"));
  if (!module.symbol || module.symbol->name != name) {
    module.symbol = nullptr;
    module.problem = "it has no POSTERN_PLUGIN of this name";
    return;
  }
  auto type = std::make_unique<policy::PluginType>(module.symbol->type());
  policy::require_sound(*type);
  module.scratch = module.symbol->make();
  Hooks hooks(*module.scratch, 0, module.entries, module.services);
  module.scratch->setup(hooks);
  set_stages(module.entries, *type);
  module.type = std::move(type);
} catch (const std::exception& error) {
  module.problem = fmt::format("its description or setup() failed: {}", printable(error.what()));
}

const Loader::Module* Loader::look(std::string_view name) {
  const auto found = modules_.find(name);
  if (found == modules_.end()) return nullptr;
  Module& module = found->second;
  if (!module.tried && module.problem.empty()) load(module, name);
  module.tried = true;
  return &module;
}

const policy::PluginType* Loader::find(std::string_view name) {
  const Module* module = look(name);
  return module && module->problem.empty() ? module->type.get() : nullptr;
}

std::string Loader::problem(std::string_view name) {
  const Module* module = look(name);
  if (!module || module->problem.empty()) return {};
  return fmt::format("{}: {}", module->path, module->problem);
}

std::vector<std::string> Loader::names() {
  std::vector<std::string> out;
  for (const auto& [name, module] : modules_)
    if (module.problem.empty()) out.push_back(name);
  return out;
}

std::unique_ptr<Plugin> Loader::make(std::string_view name) {
  const Module* module = look(name);
  if (!module || !module->problem.empty()) return nullptr;
  return module->symbol->make();
}

std::vector<const Loader::Module*> Loader::all() {
  std::vector<const Module*> out;
  for (const auto& [name, module] : modules_) out.push_back(look(name));
  return out;
}

}  // namespace postern::plugin
