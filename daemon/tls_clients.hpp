// What connections to downstreams speak TLS with.
#pragma once

#include <postern/deliver/pool.hpp>
#include <postern/net/tls.hpp>
#include <postern/policy/load.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postern::daemon {

// One client for each way of trusting: who trusts alike shares it, and the sessions to resume.
class TlsClients {
 public:
  // Errors: not_found, malformed: of a forward.tls_ca; the text names the file.
  static Result<TlsClients> make(const policy::Configuration& configuration,
                                 const policy::Bundle& bundle);

  deliver::DownstreamTls of(const policy::ForwardTo& destination) const;

 private:
  std::shared_ptr<net::TlsClient> anybody_;
  std::map<std::string, std::shared_ptr<net::TlsClient>> verified_;  // by tls_ca
};

// What is wrong inside the files of forward.tls_ca, or with reading them.
std::vector<policy::Problem> check_authorities(const policy::Configuration& configuration,
                                               const policy::Bundle& bundle);

}  // namespace postern::daemon
