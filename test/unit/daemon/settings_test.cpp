#include "settings.hpp"

#include "catch.hpp"

using namespace postern;
using namespace postern::daemon;
using namespace std::chrono_literals;

TEST_CASE("dns_settings: the configuration's defaults are the resolver's own", "[daemon][dns]") {
  const dns::Settings made = dns_settings(policy::Configuration());
  const dns::Settings own;
  CHECK(made.servers == own.servers);
  CHECK(made.timeout == own.timeout);
  CHECK(made.tries == own.tries);
  CHECK(made.cache.entries == own.cache.entries);
  CHECK(made.cache.octets == own.cache.octets);
}

TEST_CASE("dns_settings: takes each key", "[daemon][dns]") {
  policy::Configuration configuration;
  configuration.dns.servers = {*SocketAddress::parse("127.0.0.1:5353")};
  configuration.dns.timeout = 250ms;
  configuration.dns.tries = 2;
  configuration.dns.cache_entries = 10;
  configuration.dns.cache_size = policy::kilobytes(64);
  const dns::Settings made = dns_settings(configuration);
  CHECK(made.servers == configuration.dns.servers);
  CHECK(made.timeout == 250ms);
  CHECK(made.tries == 2);
  CHECK(made.cache.entries == 10);
  CHECK(made.cache.octets == configuration.dns.cache_size.octets);
}
