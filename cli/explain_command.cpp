#include "explain_command.hpp"

#include <postern/base/text.hpp>
#include <postern/plugin/loader.hpp>
#include <postern/policy/explain.hpp>
#include <postern/policy/load.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "privileges.hpp"
#include "trust.hpp"

namespace postern::cli {
namespace {

int complain(const std::string& line) {
  std::fprintf(stderr, "postern: %s\n", line.c_str());
  return 1;
}

int complain(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::fprintf(stderr, "%s\n", line.c_str());
  return 1;
}

// Modules are code: they run as whoever would have them in a worker.
Result<void> become_worker(const policy::Bundle& bundle) {
  const auto master = policy::load_master(bundle);
  auto dropped = daemon::drop_privileges(master.settings.user, master.settings.group);
  if (!dropped && dropped.error().code != Errc::not_found) return dropped;
  return {};
}

// Leaves only the instance of that name.
Result<void> keep_only(const std::string& name, policy::Explanation& explanation) {
  std::vector<std::string> known;
  for (policy::ExplainedInstance& instance : explanation.instances) {
    if (instance.name == name) {
      policy::ExplainedInstance meant = std::move(instance);
      explanation.instances.clear();
      explanation.instances.push_back(std::move(meant));
      explanation.messages.clear();
      return {};
    }
    known.push_back(instance.name);
  }
  const auto meant = policy::nearest(name, known);
  return fail(Errc::not_found,
              fmt::format("no [[plugin]] block is named '{}'; {}", printable(name, 64),
                          meant ? "did you mean " + *meant + "?"
                                : fmt::format("there are: {}", fmt::join(known, ", "))));
}

}  // namespace

int explain(const std::string& configuration, const std::string& subject, const std::string& plugin,
            bool json) {
  auto bundle = policy::read_bundle(configuration);
  if (!bundle) return complain(bundle.error().text);
  if (const auto unsafe = daemon::writable_by_others(*bundle); !unsafe.empty())
    return complain(unsafe);
  auto became = become_worker(*bundle);
  if (!became) return complain(became.error().text);
  plugin::Loader loader(policy::plugin_path(*bundle));
  const auto loaded = policy::load(*bundle, loader, {false});
  if (!loaded.usable()) return complain(loaded.lines());
  auto explanation = policy::explain(*bundle, *loaded.snapshot, subject);
  if (!explanation) return complain(explanation.error().text);
  if (!plugin.empty())
    if (auto kept = keep_only(plugin, *explanation); !kept) return complain(kept.error().text);
  const std::string text =
      json ? policy::explain_json(*explanation) : policy::explain_page(*explanation);
  return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}

}  // namespace postern::cli
