// From the bytes of a bundle to settings, or to a list of everything that is wrong with it.
#pragma once

#include <postern/policy/bundle.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/policy/list_files.hpp>
#include <postern/policy/plugin_type.hpp>
#include <postern/policy/policy.hpp>
#include <postern/policy/problem.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

struct LoadOptions {
  // Asks the system: addresses of host names in forward.to, whether users and folders are there.
  // Waits.
  bool resolve = true;
};

struct Loaded {
  Configuration configuration;
  std::shared_ptr<const Snapshot> snapshot;  // refers to the catalog's types
  std::vector<Problem> problems;             // by place

  bool usable() const;                     // no problem is fatal
  std::vector<std::string> lines() const;  // one for each problem
};

Loaded load(const Bundle& bundle, Catalog& catalog, const LoadOptions& options = {});

// Where the daemon and the command meet when `control.socket` does not say: found by the path of
// the configuration alone, whoever asks.
std::string default_control_socket(const Bundle& bundle);

// [state], with its folder, for whoever loads nothing else.
StateSettings state_settings(const Bundle& bundle);

struct LoadedMaster {
  MasterSettings settings;
  std::vector<Problem> problems;
  bool usable() const;
};

// A problem with `key` of [tls], found in its files by somebody else.
Problem tls_problem(const Bundle& bundle, std::string_view key, std::string text, bool fatal);

// The same with forward.tls_ca, of [forward] or a route, where it names `path`: a fatal one.
Problem authority_problem(const Bundle& bundle, std::string_view path, std::string text);

// Only what the master needs, without a question to the system; it has no opinion about the rest.
LoadedMaster load_master(const Bundle& bundle);

// What read_bundle() has to read next: as far as the present files can tell, without complaints.
std::vector<std::string> include_patterns(const Bundle& bundle);
std::vector<std::string> list_files(const Bundle& bundle);
Tls tls_settings(const Bundle& bundle);
std::vector<std::string> authority_files(const Bundle& bundle);  // forward.tls_ca, of routes too
// The folders that `plugin_path` names, absolute: what a catalog of modules has to know before
// load().
std::vector<std::string> plugin_path(const Bundle& bundle);

}  // namespace postern::policy
