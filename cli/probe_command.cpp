#include "probe_command.hpp"

#include <postern/coro/context.hpp>
#include <postern/net/loop.hpp>
#include <postern/net/tcp.hpp>
#include <postern/policy/names.hpp>
#include <postern/smtp/path.hpp>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "probe_page.hpp"

namespace postern::cli {
namespace {

int complain(const std::string& line) {
  std::fprintf(stderr, "postern: %s\n", line.c_str());
  return 1;
}

Result<ProbeTarget> target_of(const std::string& address) {
  ProbeTarget target;
  target.written = address;
  target.hello = policy::system_host_name();
  if (target.hello.empty()) target.hello = "localhost";
  if (address.starts_with("unix:")) {
    target.address = ServerAddress::local(std::filesystem::absolute(address.substr(5)).string());
    target.written = target.address.text();
    return target;
  }
  auto endpoint = policy::parse_endpoint(address);
  if (!endpoint) return fail(endpoint.error());
  if (endpoint->address) {
    target.address = *endpoint->address;
    return target;
  }
  auto found = policy::resolve(endpoint->host, endpoint->port);
  if (!found) return fail(found.error());
  target.host = endpoint->host;
  target.address = found->front();
  return target;
}

Result<void> ask_about(ProbeTarget& target, const std::string& recipient,
                       const std::string& domain) {
  target.domain = domain;
  if (!recipient.empty()) {
    auto path = smtp::parse_mailbox(recipient);
    if (!path) return fail(Errc::malformed, "'" + recipient + "' is no mailbox");
    target.recipient = path->text;
    if (domain.empty()) target.domain = path->domain;
  }
  if (!domain.empty() && !policy::fault_of_domain(domain).empty())
    return fail(Errc::malformed, "'" + domain + "' is no domain");
  return {};
}

struct StopLoop final : coro::Completion {
  explicit StopLoop(net::Loop& l) : loop(l) {}
  void finished() noexcept override { loop.stop(); }
  net::Loop& loop;
};

ProbeReport run(const ProbeTarget& target) {
  std::signal(SIGPIPE, SIG_IGN);
  net::Loop loop;
  net::TcpNetwork network(loop);
  coro::Context context(loop, "probe");
  StopLoop finished(loop);
  Probe probe(network, target);
  auto task = probe.run();
  if (!task.start(context, finished)) loop.run();
  return task.await_resume();
}

}  // namespace

int probe_downstream(const std::string& address, const std::string& recipient,
                     const std::string& domain, bool as_json) {
  auto target = target_of(address);
  if (!target) return complain(target.error().text);
  auto asked = ask_about(*target, recipient, domain);
  if (!asked) return complain(asked.error().text);
  const ProbeReport report = run(*target);
  const std::string page = as_json ? probe_json(*target, report) : probe_page(*target, report);
  std::fputs(page.c_str(), stdout);
  return report.talks ? 0 : 1;
}

}  // namespace postern::cli
