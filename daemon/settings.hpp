// From the configuration to what each part of a worker is told.
#pragma once

#include <postern/deliver/pool.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/session/settings.hpp>

#include <cstddef>

namespace postern::daemon {

session::Settings session_settings(const policy::Configuration& configuration);

// A worker's share of the downstream's connections; at least one.
deliver::PoolSettings pool_settings(const policy::Configuration& configuration,
                                    std::size_t workers);

// How many sessions a worker takes: as configured, or what its descriptor limit allows when every
// session may also have a spool file or a downstream connection.
std::size_t most_sessions(const policy::Configuration& configuration);

}  // namespace postern::daemon
