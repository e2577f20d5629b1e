#include <postern/base/text.hpp>
#include <postern/policy/certificate_files.hpp>
#include <postern/policy/check.hpp>
#include <postern/policy/names.hpp>
#include <postern/smtp/path.hpp>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <system_error>

namespace postern::policy {
namespace {

constexpr Place start{0, 1, 1};
constexpr std::size_t max_socket_path_octets = sizeof(sockaddr_un::sun_path) - 1;

// Where `key` of the table `table` ("" for the top) stands; the start of the file when it does not.
const Entry* find(const Value& document, std::string_view table, std::string_view key) {
  if (table.empty()) return document.find(key);
  const Entry* found = document.find(table);
  return found == nullptr ? nullptr : found->value.find(key);
}

// The i-th block of [[name]].
const Value* block(const Value& document, std::string_view name, std::size_t i) {
  const Entry* found = document.find(name);
  return found != nullptr && i < found->value.items.size() ? &found->value.items[i] : nullptr;
}

Place place_of(const Value& document, std::string_view table, std::string_view key) {
  const Entry* found = find(document, table, key);
  return found == nullptr ? start : found->value.place;
}

Place place_in_block(const Value& document, std::string_view name, std::size_t i,
                     std::string_view key) {
  const Value* found = block(document, name, i);
  if (found == nullptr) return start;
  const Entry* entry = found->find(key);
  return entry == nullptr ? found->place : entry->value.place;
}

void check_hostname(const Value& document, Configuration& configuration, Problems& problems) {
  if (const Entry* set = document.find("hostname")) {
    if (configuration.hostname.empty()) return;  // its type was wrong, which has been said
    const auto fault = fault_of_host(configuration.hostname);
    if (!fault.empty())
      problems.add(set->value.place, "hostname",
                   fmt::format("'{}' is not a host name: {}; for example \"mx.example.net\"",
                               printable(configuration.hostname, 80), fault));
    return;
  }
  configuration.hostname = system_host_name();
  if (configuration.hostname.empty())
    problems.add(start, "hostname",
                 "the system's own name is not a host name; set hostname = \"mx.example.net\"");
}

void check_include(const Value& document, const Bundle& bundle, const Configuration& configuration,
                   Problems& problems) {
  const Entry* set = document.find("include");
  for (const File& file : bundle.files) {
    if (file.kind != File::Kind::settings || file.error.empty() || set == nullptr) continue;
    Place place = set->value.place;
    for (std::size_t i = 0; i < configuration.include.size() && i < set->value.items.size(); ++i)
      if (file.path.ends_with(configuration.include[i])) place = set->value.items[i].place;
    problems.add(place, "include", fmt::format("{}: {}", file.path, file.error));
  }
}

// Whether a connection to `to` ends at the listener `at`, as far as the two alone can tell.
bool reaches(const SocketAddress& to, const SocketAddress& at) {
  const auto octets = at.ip.octets();
  const bool any = at.ip.is_v4()
                       ? at.ip == IpAddress()
                       : std::all_of(octets.begin(), octets.end(), [](auto o) { return o == 0; });
  if (to.port != at.port || to.ip.is_v4() != at.ip.is_v4()) return false;
  return to.ip == at.ip || (any && to.ip.is_loopback());
}

// Exim hears of each client by its arguments, and answers for one transaction: there is nothing to
// connect to, and no connection of our own to ask about recipients.
void check_pipe(const Value& table, const Place& place, const std::string& path,
                const ForwardTo& destination, Problems& problems) {
  const auto excluded = [&](const char* key, bool set, const char* why) {
    const Entry* entry = table.find(key);
    if (set)
      problems.add(entry == nullptr ? place : entry->value.place, path + "." + key,
                   fmt::format("protocol = \"exim-pipe\" {}; remove it", why));
  };
  excluded("to", table.find("to") != nullptr, "starts command instead of connecting");
  excluded("identity", destination.identity != Identity::none, "tells who the client is by itself");
  excluded("verify_recipients", destination.verify_recipients,
           "asks Exim about each recipient in the client's name");
}

// What is not said is as in [forward]: then the block is where it has to be said.
void check_forward_tls(const Value& table, const Place& place, const std::string& path,
                       const ForwardTo& destination, Problems& problems) {
  const auto place_of_key = [&](std::string_view key) {
    const Entry* set = table.find(key);
    return set == nullptr ? place : set->value.place;
  };
  if (!destination.tls_name.empty())
    if (const auto fault = fault_of_host(destination.tls_name); !fault.empty())
      problems.add(place_of_key("tls_name"), path + ".tls_name",
                   fmt::format("'{}' is not a host name: {}; for example \"mx.example.net\"",
                               printable(destination.tls_name, 80), fault));
  if (destination.tls != ForwardTls::verify || !destination.tls_name.empty()) return;
  for (const Endpoints::Server& server : destination.to.servers)
    if (server.host.empty())
      problems.add(place_of_key("tls"), path + ".tls",
                   fmt::format("{} has no name that its certificate could have; set tls_name, or "
                               "name the server in to",
                               server.address.text()));
}

// One destination: [forward], or a block of [[forward.route]]. `path` is what it is called, `place`
// where it stands.
void check_destination(const Value& table, const Place& place, const std::string& path,
                       const ForwardTo& destination, const Configuration& configuration,
                       Problems& problems) {
  const Entry* to = table.find("to");
  const Entry* maildir = table.find("maildir");
  if (destination.protocol == ForwardProtocol::exim_pipe && maildir == nullptr)
    return check_pipe(table, place, path, destination, problems);
  if (to != nullptr && maildir != nullptr)
    problems.add(std::max(to->place, maildir->place),
                 path + (to->place < maildir->place ? ".maildir" : ".to"),
                 "to and maildir exclude each other; keep one");
  if (to == nullptr && maildir == nullptr && table.type == Value::Type::table)
    problems.add(place, path,
                 "neither to nor maildir; set to = [\"127.0.0.1:2526\"] or maildir = \"PATH\"");
  for (const Endpoints::Server& server : destination.to.servers)
    for (const Listen& listen : configuration.listen)
      if (!server.address.is_local() && reaches(server.address.socket, listen.address))
        problems.add(to == nullptr ? place : to->value.place, path + ".to",
                     fmt::format("{} is where we listen ourselves; messages would go in circles",
                                 server.address.text()));
  check_forward_tls(table, place, path, destination, problems);
  const Entry* verify = table.find("verify");
  const Entry* senders = verify == nullptr ? nullptr : verify->value.find("senders");
  for (std::size_t i = 0; senders != nullptr && i < destination.verify.senders.size(); ++i) {
    const std::string& sender = destination.verify.senders[i];
    if (sender == "<>" || smtp::parse_mailbox(sender)) continue;
    problems.add(senders->value.items[i].place, path + ".verify.senders",
                 fmt::format("'{}' is neither \"<>\" nor a mailbox", printable(sender, 80)));
  }
}

void check_routes(const Value& blocks, const Configuration& configuration, Problems& problems) {
  std::map<std::string, Place> seen;
  for (std::size_t i = 0; i < configuration.forward.routes.size(); ++i) {
    const Value& block = blocks.items[i];
    const ForwardRoute& route = configuration.forward.routes[i];
    check_destination(block, block.place, "forward.route", route, configuration, problems);
    for (const DomainPattern& domain : route.domains) {
      const auto [first, is_new] = seen.emplace(domain.text, block.place);
      if (is_new) continue;
      problems.add(block.place, "forward.route.domains",
                   fmt::format("{} already has a route, in {}:{}; remove one", domain.text,
                               problems.file_name(first->second), first->second.line));
    }
  }
}

IpAddress first_of(const Network& network) {
  const std::string text = network.text();
  return IpAddress::parse(text.substr(0, text.find('/'))).value_or(IpAddress());
}

bool overlap(const Network& a, const Network& b) {
  return a.contains(first_of(b)) || b.contains(first_of(a));
}

// Rights are those of the connection's own address: where a balancer passes octets on, they would
// be its clients'. A proxy that speaks SMTP itself may have both, so it is no error.
void check_peers(const Value& document, const Configuration& configuration, Problems& problems) {
  const auto check_list = [&](std::size_t block, const std::vector<Network>& balancers,
                              const std::vector<Network>& peers, const char* key,
                              const char* command) {
    for (const Network& peer : peers)
      for (const Network& balancer : balancers)
        if (overlap(peer, balancer))
          problems.note(place_in_block(document, "listen", block, key),
                        fmt::format("listen.{}", key),
                        fmt::format("{} and {} of proxy_from overlap: clients of a balancer there "
                                    "may use {} themselves; list it in one of the two",
                                    peer.text(), balancer.text(), command));
  };
  for (std::size_t i = 0; i < configuration.listen.size(); ++i) {
    const Listen& listen = configuration.listen[i];
    check_list(i, listen.proxy_from, listen.xclient_from, "xclient_from", "XCLIENT");
    check_list(i, listen.proxy_from, listen.xforward_from, "xforward_from", "XFORWARD");
  }
}

void check_forward(const Value& document, const Configuration& configuration, Problems& problems) {
  const Entry* forward = document.find("forward");
  if (forward == nullptr) {
    problems.add(start, "forward",
                 "no [forward] table; say who takes the messages over, for example [forward] with "
                 "to = [\"127.0.0.1:2526\"]");
    return;
  }
  check_destination(forward->value, forward->place, "forward", configuration.forward, configuration,
                    problems);
  if (const Entry* routes = forward->value.find("route"))
    check_routes(routes->value, configuration, problems);
}

// What is in the files is for whoever speaks TLS.
void check_certificate_files(const Value& document, const Bundle& bundle, const Tls& tls,
                             Problems& problems) {
  const auto found = certificate_pairs(tls, bundle.files);
  for (const CertificateFault& fault : found.faults)
    problems.add(place_in_tls(document, fault.key), "tls." + fault.key, fault.text);
  if (found.pairs.empty() && found.faults.empty() && !tls.certificates_dir.empty())
    problems.add(place_in_tls(document, "certificates_dir"), "tls.certificates_dir",
                 fmt::format("{} holds no certificate; put NAME.crt and NAME.key there",
                             tls.certificates_dir.text));
}

// Who must authenticate and can not.
void check_auth(const Value& document, const Configuration& configuration, Problems& problems) {
  for (std::size_t i = 0; i < configuration.listen.size(); ++i) {
    const Listen& listen = configuration.listen[i];
    if (listen.auth == ListenAuth::require && listen.tls == ListenTls::none &&
        !configuration.auth.without_tls)
      problems.add(place_in_block(document, "listen", i, "auth"), "listen.auth",
                   "nobody can authenticate here without TLS; set tls, or auth.without_tls");
  }
}

void check_tls(const Value& document, const Configuration& configuration, Problems& problems) {
  const Tls& tls = configuration.tls;
  if (tls.certificate.empty() && !tls.key.empty())
    problems.add(place_in_tls(document, "key"), "tls.key",
                 "a key without its certificate; set tls.certificate");
  if (tls.client_certificates == ClientCertificates::require && tls.client_ca.empty())
    problems.add(place_in_tls(document, "client_certificates"), "tls.client_certificates",
                 "\"require\" needs tls.client_ca: who signs the certificates");
  if (!tls.certificate.empty() || !tls.certificates_dir.empty()) return;
  for (std::size_t i = 0; i < configuration.listen.size(); ++i)
    if (configuration.listen[i].tls != ListenTls::none)
      problems.add(place_in_block(document, "listen", i, "tls"), "listen.tls",
                   "there is no certificate; set certificate and key in [tls]");
}

void check_plugins(const Value& document, Problems& problems) {
  if (document.find("plugin") == nullptr)
    problems.note(
        start, "plugin",
        "no [[plugin]] takes recipients, so all mail is refused as relaying. Add one with "
        "use = \"rcpt_ok\"");
}

bool is_program_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

void check_programs(const Value& document, const Configuration& configuration, Problems& problems) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < configuration.programs.size(); ++i) {
    const Program& program = configuration.programs[i];
    const Place name = place_in_block(document, "program", i, "name");
    if (!is_program_name(program.name))
      problems.add(name, "program.name",
                   "a name has lower-case letters, digits, '-' and '_', at most 64");
    if (!seen.insert(program.name).second)
      problems.add(name, "program.name", fmt::format("'{}' stands twice", program.name));
    if (program.command.empty()) {
      const Value& block = document.find("program")->value.items[i];
      if (block.find("command") != nullptr)
        problems.add(place_in_block(document, "program", i, "command"), "program.command",
                     "names no program");
    } else if (!program.command.front().starts_with('/'))
      problems.add(place_in_block(document, "program", i, "command"), "program.command",
                   fmt::format("'{}' is no absolute path", printable(program.command.front(), 80)));
  }
}

// A [[plugin]] of pipe that names none of them.
void check_pipes(const Value& document, const Configuration& configuration, Problems& problems) {
  const Entry* plugins = document.find("plugin");
  for (std::size_t i = 0; plugins != nullptr && i < plugins->value.items.size(); ++i) {
    const Value& block = plugins->value.items[i];
    const Entry* use = block.find("use");
    const Entry* program = block.find("program");
    if (use == nullptr || use->value.text != "pipe" || program == nullptr) continue;
    const auto called = [&](const Program& each) { return each.name == program->value.text; };
    if (!std::any_of(configuration.programs.begin(), configuration.programs.end(), called))
      problems.add(
          program->value.place, "plugin.program",
          fmt::format("no [[program]] is called '{}'", printable(program->value.text, 64)));
  }
}

// What is to be started has to be there; who looks is the user that starts it.
void check_commands(const Value& document, const Configuration& configuration, Problems& problems) {
  const auto check_command = [&](const std::string& command, const Place& place, const char* key) {
    if (command.starts_with('/') && access(command.c_str(), X_OK) != 0)
      problems.add(place, key,
                   fmt::format("{}: {}", command, std::generic_category().message(errno)));
  };
  for (std::size_t i = 0; i < configuration.programs.size(); ++i)
    if (!configuration.programs[i].command.empty())
      check_command(configuration.programs[i].command.front(),
                    place_in_block(document, "program", i, "command"), "program.command");
  const auto pipe = [](const ForwardTo& to) {
    return to.protocol == ForwardProtocol::exim_pipe && to.maildir.empty();
  };
  if (pipe(configuration.forward))
    check_command(configuration.forward.command.text, place_of(document, "forward", "command"),
                  "forward.command");
  for (std::size_t i = 0; i < configuration.forward.routes.size(); ++i)
    if (pipe(configuration.forward.routes[i]))
      check_command(configuration.forward.routes[i].command.text,
                    document.find("forward")->value.find("route")->value.items[i].place,
                    "forward.route.command");
}

void check_identity(const Value& document, const Configuration& configuration, Problems& problems) {
  if (!configuration.user.empty() &&
      getpwnam(configuration.user.c_str()) == nullptr)  // NOLINT(concurrency-mt-unsafe): one thread
    problems.add(place_of(document, "", "user"), "user",
                 fmt::format("no user '{}' on this system", printable(configuration.user, 64)));
  if (!configuration.group.empty() && getgrnam(configuration.group.c_str()) ==
                                          nullptr)  // NOLINT(concurrency-mt-unsafe): one thread
    problems.add(place_of(document, "", "group"), "group",
                 fmt::format("no group '{}' on this system", printable(configuration.group, 64)));
}

std::string fault_of_folder(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::generic_category().message(errno);
  if (!S_ISDIR(status.st_mode)) return "not a folder";
  if (access(path.c_str(), W_OK | X_OK) != 0) return std::generic_category().message(errno);
  return {};
}

// A log file that is not there yet is made: then its folder counts.
void check_log(const Value& document, const Configuration& configuration, Problems& problems) {
  const std::string path = configuration.log.target.path();
  if (path.empty()) return;
  const std::string folder = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  std::string fault;
  if (access(path.c_str(), F_OK) != 0)
    fault = fault_of_folder(folder);
  else if (access(path.c_str(), W_OK) != 0)
    fault = std::generic_category().message(errno);
  if (!fault.empty())
    problems.add(place_of(document, "log", "target"), "log.target",
                 fmt::format("{}: {}; make its folder, and let our user write to it", path, fault));
}

// A Maildir that is not there yet is made at the first start: then its parent counts.
void check_maildir(const Place& place, const char* key, const std::string& maildir,
                   Problems& problems) {
  if (maildir.empty()) return;
  struct stat status {};
  const bool is_there = stat(maildir.c_str(), &status) == 0;
  const auto slash = maildir.find_last_of('/', maildir.find_last_not_of('/'));
  const std::string folder =
      is_there ? maildir : maildir.substr(0, std::max<std::size_t>(slash, 1));
  if (const auto fault = fault_of_folder(folder); !fault.empty())
    problems.add(place, key,
                 fmt::format("{}: {}; make it, and let our user write to it", folder, fault));
}

// Without it the workers run on, so it is worth a remark; where nobody names it, their log has it.
void check_state(const Value& document, const Configuration& configuration, Problems& problems) {
  if (document.find("state") == nullptr) return;
  const std::string& path = configuration.state.path.text;
  const bool is_there = access(path.c_str(), F_OK) == 0;
  const auto slash = path.find_last_of('/', path.find_last_not_of('/'));
  const std::string folder = is_there ? path : path.substr(0, std::max<std::size_t>(slash, 1));
  if (const auto fault = fault_of_folder(folder); !fault.empty())
    problems.note(place_of(document, "state", "path"), "state.path",
                  fmt::format("{}: {}; let our user write to it, or plugins that keep state do as "
                              "their on_error says",
                              folder, fault));
}

void check_folders(const Value& document, const Configuration& configuration, Problems& problems) {
  const std::string& spool = configuration.spool.directory.text;
  if (const auto fault = fault_of_folder(spool); !fault.empty())
    problems.add(place_of(document, "spool", "directory"), "spool.directory",
                 fmt::format("{}: {}; name a folder that we may write to", spool, fault));
  check_maildir(place_of(document, "forward", "maildir"), "forward.maildir",
                configuration.forward.maildir.text, problems);
  for (std::size_t i = 0; i < configuration.forward.routes.size(); ++i) {
    const Value& block = document.find("forward")->value.find("route")->value.items[i];
    check_maildir(block.place, "forward.route.maildir",
                  configuration.forward.routes[i].maildir.text, problems);
  }
}

void check_control(const Value& document, const Configuration& configuration, Problems& problems) {
  const std::string& path = configuration.control.socket.text;
  if (path.size() <= max_socket_path_octets) return;
  problems.add(place_of(document, "control", "socket"), "control.socket",
               fmt::format("has {} octets with its folder, and the path of a socket at most {}; "
                           "name a shorter one",
                           path.size(), max_socket_path_octets));
}

}  // namespace

Place place_in_tls(const Value& document, std::string_view key) {
  const Entry* table = document.find("tls");
  if (table == nullptr) return start;
  const Entry* found = table->value.find(key);
  return found == nullptr ? table->place : found->value.place;
}

void check_score(const Value& document, const Score& score, Problems& problems) {
  const Entry* written = document.find("score");
  if (written == nullptr || written->value.type != Value::Type::table) return;
  if (written->value.entries.empty())
    problems.add(written->place, "score", "is empty; set defer_at, reject_at or both");
  if (score.defer_at && score.reject_at && *score.defer_at >= *score.reject_at)
    problems.add(place_of(document, "score", "defer_at"), "score.defer_at",
                 fmt::format("{} is not below reject_at, so that nothing would be deferred",
                             *score.defer_at));
}

void check_listeners(const Value& document, const Configuration& configuration,
                     Problems& problems) {
  if (document.find("listen") == nullptr)
    problems.add(start, "listen",
                 "no [[listen]] block; say where to listen, for example [[listen]] with "
                 "address = \"127.0.0.1:2525\"");
  std::map<SocketAddress, std::size_t> seen;
  for (std::size_t i = 0; i < configuration.listen.size(); ++i) {
    const SocketAddress& address = configuration.listen[i].address;
    if (address.port == 0) continue;  // any free port: never the same one
    const auto [first, is_new] = seen.emplace(address, i);
    if (is_new) continue;
    const Place there = place_in_block(document, "listen", first->second, "address");
    problems.add(place_in_block(document, "listen", i, "address"), "listen.address",
                 fmt::format("{} is already in {}:{}; remove one", address.text(),
                             problems.file_name(there), there.line));
  }
}

void check(const Value& document, const Bundle& bundle, bool ask_system,
           Configuration& configuration, Problems& problems) {
  check_hostname(document, configuration, problems);
  check_include(document, bundle, configuration, problems);
  check_listeners(document, configuration, problems);
  check_peers(document, configuration, problems);
  check_tls(document, configuration, problems);
  check_auth(document, configuration, problems);
  check_forward(document, configuration, problems);
  check_programs(document, configuration, problems);
  check_pipes(document, configuration, problems);
  check_plugins(document, problems);
  check_score(document, configuration.score, problems);
  check_control(document, configuration, problems);
  if (!ask_system) return;
  check_certificate_files(document, bundle, configuration.tls, problems);
  check_identity(document, configuration, problems);
  check_folders(document, configuration, problems);
  check_commands(document, configuration, problems);
  check_log(document, configuration, problems);
  check_state(document, configuration, problems);
}

}  // namespace postern::policy
