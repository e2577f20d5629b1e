#include "check.hpp"

#include <postern/plugin/line_up.hpp>
#include <postern/plugin/loader.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "certificates.hpp"
#include "privileges.hpp"
#include "tls_clients.hpp"
#include "trust.hpp"

namespace postern::daemon {
namespace {

int complain(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
  return 1;
}

// Whether folders can be written to and files be read is a question for the user of the workers. A
// user that does not exist is one of the problems that load() finds.
Result<void> become_worker(const policy::Bundle& bundle) {
  const auto master = policy::load_master(bundle);
  auto dropped = drop_privileges(master.settings.user, master.settings.group);
  if (!dropped && dropped.error().code != Errc::not_found) return dropped;
  return {};
}

int judge(const policy::Bundle& bundle, bool say_good) {
  auto became = become_worker(bundle);
  if (!became) return complain(became.error().text);
  plugin::Loader loader(policy::plugin_path(bundle));
  const auto loaded = policy::load(bundle, loader);
  for (const auto& line : loaded.lines()) complain(line);
  if (!loaded.usable()) return 1;
  const auto unfit = plugin::check_lineup(loader, bundle, loaded.snapshot);
  for (const auto& problem : unfit) complain(problem.line());
  auto certificates = check_certificates(bundle, loaded.configuration.tls);
  for (auto& problem : check_authorities(loaded.configuration, bundle))
    certificates.push_back(std::move(problem));
  for (const auto& problem : certificates) complain(problem.line());
  const auto fatal = [](const policy::Problem& problem) { return problem.fatal; };
  if (!unfit.empty() || std::any_of(certificates.begin(), certificates.end(), fatal)) return 1;
  if (say_good)
    std::printf(
        "%s: %s\n", bundle.root.c_str(),
        loaded.problems.empty() && certificates.empty() ? "no problems" : "usable, with remarks");
  return 0;
}

}  // namespace

Result<std::string> read_standard_input() {
  std::string bytes;
  std::size_t used = 0;
  for (;;) {
    if (used > policy::max_bundle_octets)
      return fail(Errc::too_long, "standard input: longer than any bundle");
    if (bytes.size() - used < 65536) bytes.resize(2 * bytes.size() + 65536);
    const ssize_t count = read(STDIN_FILENO, bytes.data() + used, bytes.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "standard input");
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  bytes.resize(used);
  return bytes;
}

int check_file(const std::string& path) {
  auto bundle = policy::read_bundle(path);
  if (!bundle) return complain(bundle.error().text);
  const auto unsafe = writable_by_others(*bundle);
  for (const auto& line : unsafe) complain(line);
  if (!unsafe.empty()) return 1;
  return judge(*bundle, true);
}

int check_standard_input() {
  auto bytes = read_standard_input();
  if (!bytes) return complain(bytes.error().text);
  auto bundle = policy::Bundle::parse(*bytes);
  if (!bundle) return complain("standard input: " + bundle.error().text);
  return judge(*bundle, false);
}

}  // namespace postern::daemon
