#include "settings.hpp"

#include <postern/net/digest.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace postern::daemon {
namespace {

std::size_t open_descriptors() {
  std::error_code failed;
  const std::filesystem::directory_iterator entries("/proc/self/fd", failed);
  if (failed) return 0;
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

// The same in all workers and after a restart, and known to nobody outside: machine-id(5) wants to
// be hashed with what it is used for. Where there is none, as in some containers, the boot's own.
std::string site_key(std::string_view hostname) {
  std::string id;
  for (const char* path : {"/etc/machine-id", "/proc/sys/kernel/random/boot_id"}) {
    std::ifstream in(path);
    if (std::getline(in, id) && !id.empty()) break;
  }
  return net::hmac_sha256(id, "postern authentication " + std::string(hostname));
}

deliver::VerifySettings verify_settings(const policy::Configuration& configuration,
                                        const policy::ForwardTo& forward, std::size_t workers) {
  const policy::Verify& verify = forward.verify;
  deliver::VerifySettings settings;
  settings.senders.clear();
  for (const std::string& sender : verify.senders)
    settings.senders.push_back(sender == "<>" ? "" : sender);
  if (settings.senders.empty()) settings.senders = {"", "double-bounce@" + configuration.hostname};
  settings.positive = verify.positive;
  settings.negative = verify.negative;
  settings.probes_per_second =
      std::max(1.0, static_cast<double>(verify.probes) / static_cast<double>(workers));
  settings.defer_beyond = verify.beyond == policy::VerifyBeyond::defer;
  return settings;
}

// Connections to all downstreams at a time.
std::size_t downstream_connections(const policy::Configuration& configuration) {
  const policy::Forward& forward = configuration.forward;
  const auto of = [](const policy::ForwardTo& to) {  // a program has two: how it ends is the other
    return to.max_connections * (to.protocol == policy::ForwardProtocol::exim_pipe ? 2 : 1);
  };
  std::size_t sum = of(forward);
  for (const policy::ForwardRoute& route : forward.routes) sum += of(route);
  for (const policy::Program& program : configuration.programs) sum += 3 * program.at_a_time;
  return sum;
}

}  // namespace

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
  settings.auth_without_tls = configuration.auth.without_tls;
  settings.auth_mechanisms = {};
  for (const policy::AuthMechanismName each : configuration.auth.mechanisms)
    settings.auth_mechanisms.add(
        *smtp::auth_mechanism(names_of(each)[static_cast<std::size_t>(each)]));
  settings.auth_attempts = configuration.auth.attempts;
  settings.auth_failure_time = configuration.auth.failure_time;
  settings.site_key = site_key(configuration.hostname);
  settings.command_timeout = configuration.timeouts.command;
  settings.block_timeout = configuration.timeouts.block;
  settings.data_timeout = configuration.timeouts.data;
  return settings;
}

std::vector<session::Listener> session_listeners(const policy::Configuration& configuration) {
  std::vector<session::Listener> listeners;
  for (const policy::Listen& listen : configuration.listen)
    listeners.push_back({listen.proxy_from, listen.xclient_from, listen.xforward_from,
                         static_cast<session::Listener::Tls>(listen.tls),
                         static_cast<session::Listener::Auth>(listen.auth)});
  static_assert(static_cast<int>(session::Listener::Tls::implicit) ==
                static_cast<int>(policy::ListenTls::implicit));
  static_assert(static_cast<int>(session::Listener::Auth::require) ==
                static_cast<int>(policy::ListenAuth::require));
  return listeners;
}

deliver::PoolSettings pool_settings(const policy::Configuration& configuration,
                                    const policy::ForwardTo& forward, std::size_t workers) {
  deliver::PoolSettings settings;
  for (const policy::Endpoints::Server& server : forward.to.servers)
    settings.to.emplace_back(server.address, server.weight,
                             forward.tls_name.empty() ? server.host : forward.tls_name);
  settings.hostname = configuration.hostname;
  if (forward.protocol == policy::ForwardProtocol::exim_pipe) {
    settings.program = exim_program(forward);
    settings.to = {deliver::Server(ServerAddress::program(forward.command.text))};
  }
  const bool lmtp = forward.protocol == policy::ForwardProtocol::lmtp;
  settings.protocol = lmtp ? deliver::Protocol::lmtp : deliver::Protocol::smtp;
  settings.identity = static_cast<deliver::Identity>(forward.identity);
  static_assert(static_cast<int>(policy::Identity::proxy_v2) ==
                static_cast<int>(deliver::Identity::proxy_v2));
  settings.max_connections = std::max<std::size_t>(1, forward.max_connections / workers);
  settings.messages_per_connection = forward.messages_per_connection;
  settings.keep_idle = forward.keep_idle;
  const policy::ForwardTimeouts& due = forward.timeouts;
  settings.timeouts = {due.connect, due.greeting, due.mail, due.rcpt,
                       due.data,    due.block,    due.final};
  if (forward.verify_recipients) settings.verify = verify_settings(configuration, forward, workers);
  return settings;
}

std::string exim_program(const policy::ForwardTo& forward) {
  return "exim-pipe:" + forward.command.text;
}

std::vector<deliver::ProgramSettings> helper_programs(const policy::MasterSettings& settings) {
  // However slow its client is: for as long as a transaction may take by our own limits.
  constexpr std::chrono::hours session_time{3};
  auto programs = session::program_settings(settings.programs, 1);
  const auto add = [&](const policy::ForwardTo& forward) {
    if (forward.protocol == policy::ForwardProtocol::exim_pipe && forward.maildir.empty())
      programs.push_back({exim_program(forward),
                          deliver::Manner::exim_pipe,
                          {forward.command.text},
                          forward.max_connections,
                          session_time});
  };
  add(settings.forward);
  for (const policy::ForwardRoute& route : settings.forward.routes) add(route);
  return programs;
}

dns::Settings dns_settings(const policy::Configuration& configuration) {
  const policy::DnsSettings& dns = configuration.dns;
  dns::Settings settings;
  settings.servers = dns.servers;
  settings.timeout = dns.timeout;
  settings.tries = dns.tries;
  settings.cache = {dns.cache_entries, dns.cache_size.octets};
  return settings;
}

Result<std::size_t> most_sessions(const policy::Configuration& configuration) {
  constexpr std::size_t own = 32;  // listeners, files being delivered, the log being reopened
  constexpr std::size_t least = 16;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t taken = open_descriptors() + own + downstream_connections(configuration);
  if (limit.rlim_cur < taken + least)
    return fail(
        Errc::descriptors,
        fmt::format("a process may have {} open files, and a worker needs {} or more; raise the "
                    "limit (ulimit -n, LimitNOFILE=)",
                    limit.rlim_cur, taken + least));
  const std::size_t descriptors = limit.rlim_cur - taken;
  const std::size_t safe = descriptors - descriptors / 10;
  const std::size_t asked = configuration.limits.sessions;
  return asked == 0 ? safe : std::min(asked, safe);
}

LogWriter::Options log_options(const policy::LogSettings& log) {
  LogWriter::Options options;
  options.level = log.level;
  options.format =
      log.format == policy::LogFormat::json ? LogWriter::Format::json : LogWriter::Format::text;
  return options;
}

}  // namespace postern::daemon
