#include "tls_clients.hpp"

#include <postern/policy/certificate_files.hpp>

#include <fmt/format.h>

namespace postern::daemon {
namespace {

using policy::ForwardTls;

std::vector<const policy::ForwardTo*> destinations(const policy::Configuration& configuration) {
  std::vector<const policy::ForwardTo*> all{&configuration.forward};
  for (const policy::ForwardRoute& route : configuration.forward.routes) all.push_back(&route);
  return all;
}

// Who trusts the authorities of one file; without any, those of the system.
Result<std::unique_ptr<net::TlsClient>> make_verified(const std::string& path,
                                                      const policy::Bundle& bundle) {
  if (path.empty()) return net::TlsClient::make(net::TlsTrust::verified, {});
  const auto pem = policy::certificate_file(path, bundle.files);
  if (!pem) return fail(pem.error());
  // No authorities at all would mean the system's.
  auto client = net::TlsClient::make(net::TlsTrust::verified, pem->empty() ? "\n" : *pem);
  if (!client) return fail(client.error().code, fmt::format("{}: {}", path, client.error().text));
  return client;
}

}  // namespace

Result<TlsClients> TlsClients::make(const policy::Configuration& configuration,
                                    const policy::Bundle& bundle) {
  TlsClients clients;
  for (const policy::ForwardTo* destination : destinations(configuration)) {
    if (destination->tls == ForwardTls::off) continue;
    if (destination->tls != ForwardTls::verify) {
      if (!clients.anybody_) clients.anybody_ = *net::TlsClient::make(net::TlsTrust::anybody, {});
      continue;
    }
    auto& client = clients.verified_[destination->tls_ca.text];
    if (client) continue;
    auto made = make_verified(destination->tls_ca.text, bundle);
    if (!made) return fail(made.error());
    client = std::move(*made);
  }
  return clients;
}

deliver::DownstreamTls TlsClients::of(const policy::ForwardTo& destination) const {
  deliver::DownstreamTls tls;
  tls.use = static_cast<deliver::TlsUse>(destination.tls);
  static_assert(static_cast<int>(deliver::TlsUse::verify) == static_cast<int>(ForwardTls::verify));
  if (destination.tls == ForwardTls::verify)
    tls.client = verified_.at(destination.tls_ca.text);
  else if (destination.tls != ForwardTls::off)
    tls.client = anybody_;
  return tls;
}

std::vector<policy::Problem> check_authorities(const policy::Configuration& configuration,
                                               const policy::Bundle& bundle) {
  std::vector<policy::Problem> problems;
  for (const policy::ForwardTo* destination : destinations(configuration)) {
    const std::string& path = destination->tls_ca.text;
    if (path.empty() || destination->tls != ForwardTls::verify) continue;
    const auto made = make_verified(path, bundle);
    if (!made) problems.push_back(policy::authority_problem(bundle, path, made.error().text));
  }
  return problems;
}

}  // namespace postern::daemon
