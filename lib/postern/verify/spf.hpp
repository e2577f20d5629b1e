// SPF: whether a domain lets a client send in its name (RFC 7208).
//
//   SpfQuery query = spf_query_of_sender(client, "alice", "example.org", "mx.example.org",
//   "us.example"); SpfAnswer answer = co_await check_host(resolver, std::move(query));
#pragma once

#include <postern/coro/task.hpp>
#include <postern/dns/resolver.hpp>
#include <postern/verify/spf_record.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace postern::verify {

inline constexpr unsigned max_spf_lookups = 10;        // terms that ask (section 4.6.4)
inline constexpr unsigned max_spf_void_lookups = 2;    // answers with nothing in them, likewise
inline constexpr std::size_t max_spf_mail_hosts = 10;  // of one "mx", likewise
inline constexpr std::size_t max_explanation_octets = 400;

enum class SpfIdentity : std::uint8_t { mailfrom, helo };  // section 2.3, 2.4
std::string_view name(SpfIdentity identity);               // "mailfrom"

struct SpfQuery {
  SpfIdentity identity = SpfIdentity::mailfrom;
  IpAddress client;
  std::string local_part;  // of the sender; "postmaster" where there is none
  std::string domain;      // that is asked: the sender's, or what the client calls itself
  std::string helo;
  std::string receiver;  // ours, for %{r}
};

// The sender of a transaction. A local-part may be quoted. Without a domain (a bounce) it is
// postmaster of `helo` (section 2.4); the identity is then `helo`.
SpfQuery spf_query_of_sender(IpAddress client, std::string_view local_part, std::string_view domain,
                             std::string_view helo, std::string_view receiver);
SpfQuery spf_query_of_helo(IpAddress client, std::string_view helo, std::string_view receiver);

struct SpfAnswer {
  SpfResult result = SpfResult::none;
  SpfIdentity identity = SpfIdentity::mailfrom;
  std::string domain;  // that was asked; printable ASCII, at most 253 octets
  // Of the record asked first, or of one that it redirects to: "include:_spf.example.net";
  // "default" where none matched, empty where there was nothing to match. Printable ASCII.
  std::string mechanism;
  // With `fail`: what the domain wants to be said, if anything. Printable ASCII, bounded.
  std::string explanation;
  std::string problem;   // with temperror and permerror: what is wrong, for logs and fields
  unsigned lookups = 0;  // terms that asked
  // What that record says of everybody else: `fail` with "-all". Nothing where it says nothing, or
  // in a record that it redirects to and that was not needed.
  std::optional<SpfResult> others;
};

// check_host() of section 4. Asks one name after another, as the record wants it; the hosts of one
// "mx" and the names of one "ptr" at the same time: what comes out does not depend on which answers
// come first. A domain that is none, or has one label, has no policy (section 4.3): `none`.
// Asks at most 11 records, 10 hosts for each "mx", 11 names for "ptr" and %{p}, one explanation.
//
// temperror: a server failed, or the caller's time is over (20 s at least: section 4.6.4); a
// stopped caller has it too. permerror: a record that is wrong, two records, a limit. What lies in
// the hands of the client's owner and not of the domain's, PTR records and their names, counts as
// void nowhere and is never an error.
coro::Task<SpfAnswer> check_host(dns::Resolver& resolver, SpfQuery query);

}  // namespace postern::verify
