#include "settings.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace postern::daemon {

session::Settings session_settings(const policy::Configuration& configuration) {
  session::Settings settings;
  settings.hostname = configuration.hostname;
  settings.bare_newline = configuration.bare_newline == policy::BareNewline::reject
                              ? smtp::BareNewline::reject
                              : smtp::BareNewline::normalize;
  settings.message_octets = configuration.limits.message_size;
  settings.header_octets = configuration.limits.header_size;
  settings.recipients = configuration.limits.recipients;
  settings.errors = configuration.limits.errors;
  settings.messages = configuration.limits.messages;
  settings.received_fields = configuration.limits.received;
  settings.memory_octets = configuration.limits.memory_per_message;
  settings.spool_directory = configuration.spool.directory.text;
  settings.command_timeout = configuration.timeouts.command;
  settings.block_timeout = configuration.timeouts.block;
  settings.data_timeout = configuration.timeouts.data;
  return settings;
}

deliver::PoolSettings pool_settings(const policy::Configuration& configuration,
                                    std::size_t workers) {
  const policy::Forward& forward = configuration.forward;
  deliver::PoolSettings settings;
  settings.to = forward.to.addresses;
  settings.hostname = configuration.hostname;
  settings.identity = static_cast<deliver::Identity>(forward.identity);
  static_assert(static_cast<int>(policy::Identity::proxy_v2) ==
                static_cast<int>(deliver::Identity::proxy_v2));
  settings.max_connections = std::max<std::size_t>(1, forward.max_connections / workers);
  settings.messages_per_connection = forward.messages_per_connection;
  settings.keep_idle = forward.keep_idle;
  const policy::ForwardTimeouts& due = forward.timeouts;
  settings.timeouts = {due.connect, due.greeting, due.mail, due.rcpt,
                       due.data,    due.block,    due.final};
  return settings;
}

std::size_t most_sessions(const policy::Configuration& configuration) {
  constexpr std::size_t own = 64;  // log, control, listeners, files being delivered
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t taken = own + configuration.forward.max_connections;
  const std::size_t descriptors = limit.rlim_cur > taken + own ? limit.rlim_cur - taken : own;
  const std::size_t safe = descriptors - descriptors / 10;
  const std::size_t asked = configuration.limits.sessions;
  return asked == 0 ? safe : std::min(asked, safe);
}

}  // namespace postern::daemon
