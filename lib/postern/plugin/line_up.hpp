// From loaded settings to plugins that run.
#pragma once

#include <postern/plugin/lineup.hpp>
#include <postern/plugin/loader.hpp>
#include <postern/policy/bundle.hpp>
#include <postern/policy/problem.hpp>

#include <memory>
#include <vector>

namespace postern::plugin {

struct LinedUp {
  std::unique_ptr<Lineup> lineup;         // null: it could not even be made
  std::vector<policy::Problem> problems;  // at the blocks of their instances; empty: it can run
  bool usable() const { return lineup && problems.empty(); }
};

// The instances of `snapshot`, whose types are the loader's; both must outlive the lineup. `bundle`
// names the files in which their blocks stand.
LinedUp line_up(Loader& loader, const policy::Bundle& bundle, coro::Scheduler& scheduler, Log& log,
                dns::Resolver& resolver, std::shared_ptr<const policy::Snapshot> snapshot);

// What line_up() would say, for whoever only checks: nothing runs.
std::vector<policy::Problem> check_lineup(Loader& loader, const policy::Bundle& bundle,
                                          std::shared_ptr<const policy::Snapshot> snapshot);

}  // namespace postern::plugin
