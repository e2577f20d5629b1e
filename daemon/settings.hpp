// From the configuration to what each part of a worker is told.
#pragma once

#include <postern/base/log_writer.hpp>
#include <postern/deliver/pool.hpp>
#include <postern/dns/ares_resolver.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/session/listener.hpp>
#include <postern/session/route_service.hpp>
#include <postern/session/settings.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace postern::daemon {

session::Settings session_settings(const policy::Configuration& configuration);
// Of each [[listen]] block, in their order.
std::vector<session::Listener> session_listeners(const policy::Configuration& configuration);

// What [forward] or one of its routes says. A worker has its share of the connections and probes;
// at least one.
deliver::PoolSettings pool_settings(const policy::Configuration& configuration,
                                    const policy::ForwardTo& forward, std::size_t workers);

// By exim-pipe: what the helper knows the program as.
std::string exim_program(const policy::ForwardTo& forward);
// All that the helper may start.
std::vector<deliver::ProgramSettings> helper_programs(const policy::MasterSettings& settings);

// For make_resolver().
dns::Settings dns_settings(const policy::Configuration& configuration);

// How many sessions a worker takes: as configured, or what its descriptor limit allows beside what
// is open now (every worker inherits all listening sockets), connections to the downstream and
// files being written. Errors: descriptors, when that is next to nothing.
Result<std::size_t> most_sessions(const policy::Configuration& configuration);

// `[log]` for a LogWriter; the caller adds fields.
LogWriter::Options log_options(const policy::LogSettings& log);

}  // namespace postern::daemon
