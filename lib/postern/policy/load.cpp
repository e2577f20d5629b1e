#include <postern/policy/check.hpp>
#include <postern/policy/list_store.hpp>
#include <postern/policy/load.hpp>
#include <postern/policy/reader.hpp>
#include <postern/policy/schema.hpp>
#include <postern/policy/snapshot_builder.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <unordered_set>

namespace postern::policy {
namespace {

std::string default_state_folder(const Bundle& bundle) {
  const std::filesystem::path root(bundle.root);
  auto path = (std::filesystem::path(bundle.folder) / root.filename()).lexically_normal();
  if (path == "/etc/postern/postern.toml") return "/var/lib/postern/state";
  return path.replace_extension(".state").string();
}

std::vector<std::string> file_names(const Bundle& bundle) {
  std::vector<std::string> names;
  for (const File& file : bundle.files) names.push_back(file.path);
  if (names.empty()) names.push_back(bundle.root);
  return names;
}

// All files of settings as one document; `whole` becomes false when a file's syntax is wrong.
Value read_documents(const Bundle& bundle, Problems& problems, bool& whole) {
  Value document;
  document.place = {0, 1, 1};
  for (std::size_t i = 0; i < bundle.files.size(); ++i) {
    const File& file = bundle.files[i];
    if (file.kind != File::Kind::settings || !file.error.empty()) continue;
    auto parsed = parse_toml(file.content, static_cast<std::uint32_t>(i), problems);
    if (parsed)
      merge(document, std::move(*parsed), problems);
    else
      whole = false;
  }
  return document;
}

// A route has what [forward] has, but for what its own block says.
void read_routes(const Value& document, const Description& root, Reading& reading,
                 Forward& forward) {
  const Entry* table = document.find("forward");
  const Entry* blocks = table == nullptr ? nullptr : table->value.find("route");
  if (blocks == nullptr) return;
  reading.path = "forward.route";
  if (!expect_blocks(reading, blocks->value)) return;
  const Description description = description_of<ForwardRoute>();
  for (const Value& block : blocks->value.items) {
    ForwardRoute& route = forward.routes.emplace_back();
    static_cast<ForwardTo&>(route) = forward;
    route.to = {};
    route.maildir = {};
    route.tls_name.clear();
    const Reader::Part part{&description, &route};
    Reader(root, reading).read_parts(block, {&part, 1}, Reader::Keys::all, "forward.route");
  }
}

bool any_fatal(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(), [](const Problem& p) { return p.fatal; });
}

}  // namespace

bool Loaded::usable() const { return !any_fatal(problems); }
bool LoadedMaster::usable() const { return !any_fatal(problems); }

std::vector<std::string> Loaded::lines() const {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(problem.line());
  return out;
}

Loaded load(const Bundle& bundle, Catalog& catalog, const LoadOptions& options) {
  Problems problems(file_names(bundle));
  Loaded loaded;
  bool whole = true;
  Value document = read_documents(bundle, problems, whole);
  const Description description = describe_configuration();
  const auto lists = std::make_shared<ListStore>(bundle);
  Reading reading(problems, bundle.folder, options.resolve);
  reading.lists = lists.get();
  Reader(description, reading).read(document, &loaded.configuration);
  read_routes(document, description, reading, loaded.configuration.forward);
  // With a file left out, what is missing or unmatched is not worth a line.
  if (whole) check(document, bundle, options.resolve, loaded.configuration, problems);
  std::string& state = loaded.configuration.state.path.text;
  if (state.empty()) state = default_state_folder(bundle);
  SnapshotBuilder builder(description, catalog, reading, lists);
  builder.read_site(std::move(document), loaded.configuration);
  if (whole) builder.read_domains(bundle);
  loaded.snapshot = builder.take();
  for (const File& file : bundle.files)
    if (file.kind == File::Kind::settings) loaded.snapshot->data()->file_names.push_back(file.path);
  loaded.problems = problems.take();
  return loaded;
}

bool MasterSettings::starts_programs() const {
  const auto by_pipe = [](const ForwardTo& to) {
    return to.protocol == ForwardProtocol::exim_pipe && to.maildir.empty();
  };
  return !programs.empty() || by_pipe(forward) ||
         std::any_of(forward.routes.begin(), forward.routes.end(), by_pipe);
}

std::string default_control_socket(const Bundle& bundle) {
  const std::filesystem::path root(bundle.root);
  auto path = (std::filesystem::path(bundle.folder) / root.filename()).lexically_normal();
  if (path == "/etc/postern/postern.toml") return "/run/postern/control";
  return path.replace_extension(".control").string();
}

Problem tls_problem(const Bundle& bundle, std::string_view key, std::string text, bool fatal) {
  Problems unheard(file_names(bundle));
  bool whole = true;
  const Value document = read_documents(bundle, unheard, whole);
  Problems problems(file_names(bundle));
  const Place place = place_in_tls(document, key);
  const std::string name = "tls." + std::string(key);
  if (fatal)
    problems.add(place, name, std::move(text));
  else
    problems.note(place, name, std::move(text));
  return problems.take().front();
}

namespace {

// Each forward.tls_ca, those of routes too, and where it stands.
std::vector<std::pair<std::string, Place>> authorities_of(const Value& document,
                                                          const Bundle& bundle) {
  std::vector<std::pair<std::string, Place>> found;
  const auto add = [&](const Value& table) {
    const Entry* set = table.find("tls_ca");
    if (set == nullptr || set->value.type != Value::Type::text || set->value.text.empty()) return;
    if (set->value.text.find('\0') != std::string::npos) return;
    found.emplace_back(absolute_path(bundle.folder, set->value.text), set->value.place);
  };
  const Entry* forward = document.find("forward");
  if (forward == nullptr) return found;
  add(forward->value);
  if (const Entry* routes = forward->value.find("route"))
    for (const Value& block : routes->value.items) add(block);
  return found;
}

}  // namespace

Problem authority_problem(const Bundle& bundle, std::string_view path, std::string text) {
  Problems unheard(file_names(bundle));
  bool whole = true;
  Place place{0, 1, 1};
  for (const auto& [named, there] : authorities_of(read_documents(bundle, unheard, whole), bundle))
    if (named == path) place = there;
  Problems problems(file_names(bundle));
  problems.add(place, "forward.tls_ca", std::move(text));
  return problems.take().front();
}

LoadedMaster load_master(const Bundle& bundle) {
  Problems problems(file_names(bundle));
  bool whole = true;
  const Value document = read_documents(bundle, problems, whole);
  const Description description = describe_configuration();
  Reading reading(problems, bundle.folder, false);
  Configuration configuration;
  Reader(description, reading)
      .read_only({"user", "group", "workers", "drain_timeout", "listen", "tls", "log", "control"},
                 document, &configuration);
  // For the programs that they name; what else is wrong with them is for others to tell.
  Problems unheard(file_names(bundle));
  Reading quietly(unheard, bundle.folder, false);
  Reader(description, quietly).read_only({"forward", "program"}, document, &configuration);
  read_routes(document, description, quietly, configuration.forward);
  if (whole) check_listeners(document, configuration, problems);
  LoadedMaster loaded;
  loaded.settings = {configuration.user,
                     configuration.group,
                     configuration.workers,
                     configuration.drain_timeout,
                     {},
                     false,
                     configuration.tls,
                     configuration.forward,
                     configuration.programs,
                     configuration.log,
                     configuration.control.socket.text,
                     !configuration.control.socket.empty()};
  if (!loaded.settings.control_asked)
    loaded.settings.control_socket = default_control_socket(bundle);
  for (const Listen& listen : configuration.listen) {
    loaded.settings.listen.push_back(listen.address);
    if (listen.tls != ListenTls::none) loaded.settings.speaks_tls = true;
  }
  loaded.problems = problems.take();
  return loaded;
}

namespace {

// The configuration as far as it can be read; complaints are load()'s.
Configuration read_quietly(const Bundle& bundle, const std::vector<std::string_view>& keys) {
  Problems unheard(file_names(bundle));
  bool whole = true;
  const Value document = read_documents(bundle, unheard, whole);
  const Description description = describe_configuration();
  Reading reading(unheard, bundle.folder, false);
  Configuration configuration;
  Reader(description, reading).read_only(keys, document, &configuration);
  return configuration;
}

bool names_any(std::string_view content) {
  return content.find("file") != content.npos || content.find("directory") != content.npos;
}

// The files that lists are made from: by convention what `file`, or a key whose name ends in _file,
// says in a block of a plugin. So the master, who loads no plugin, knows what to read. Of what
// `directory` says, its names may be a list, or the files in it: these stand here as it with a
// slash behind it.
class FileNames {
 public:
  explicit FileNames(const std::string& folder) : folder_(folder) {}

  void add(const Value& value) {
    for (const Value& item : value.items) add(item);
    for (const Entry& entry : value.entries) {
      const bool names_file = entry.name == "file" || entry.name.ends_with("_file");
      const bool names_folder = entry.name == "directory";
      const std::string& text = entry.value.text;
      if ((!names_file && !names_folder) || entry.value.type != Value::Type::text)
        add(entry.value);
      else if (!text.empty() && text.find('\0') == std::string::npos)
        add_paths(absolute_path(folder_, text), names_folder);
    }
  }

  std::vector<std::string> take() { return std::move(paths_); }

 private:
  void add_paths(const std::string& path, bool names_folder) {
    add_path(path);
    if (names_folder) add_path(path + '/');
  }
  void add_path(std::string path) {
    if (seen_.insert(path).second) paths_.push_back(std::move(path));
  }

  const std::string& folder_;
  std::unordered_set<std::string> seen_;
  std::vector<std::string> paths_;  // as they came
};

}  // namespace

std::vector<std::string> include_patterns(const Bundle& bundle) {
  return read_quietly(bundle, {"include"}).include;
}

Tls tls_settings(const Bundle& bundle) { return read_quietly(bundle, {"tls"}).tls; }

StateSettings state_settings(const Bundle& bundle) {
  StateSettings settings = read_quietly(bundle, {"state"}).state;
  if (settings.path.text.empty()) settings.path.text = default_state_folder(bundle);
  return settings;
}

std::vector<std::string> authority_files(const Bundle& bundle) {
  Problems unheard(file_names(bundle));
  bool whole = true;
  std::vector<std::string> paths;
  for (const auto& [path, place] : authorities_of(read_documents(bundle, unheard, whole), bundle))
    paths.push_back(path);
  return paths;
}

std::vector<std::string> plugin_path(const Bundle& bundle) {
  std::vector<std::string> out;
  for (const FilePath& folder : read_quietly(bundle, {"plugin_path"}).plugin_path)
    out.push_back(folder.text);
  return out;
}

std::vector<std::string> list_files(const Bundle& bundle) {
  Problems unheard(file_names(bundle));
  bool whole = true;
  const Value document = read_documents(bundle, unheard, whole);
  FileNames names(bundle.folder);
  for (const char* table : {"plugin", "plugin_defaults"})
    if (const Entry* entry = document.find(table)) names.add(entry->value);
  for (const File& file : bundle.files) {
    // Most of many domains name no file: then there is nothing to parse.
    if (file.kind != File::Kind::domain || !names_any(file.content)) continue;
    if (const auto domain = parse_toml(file.content, 0, unheard)) names.add(*domain);
  }
  return names.take();
}

}  // namespace postern::policy
