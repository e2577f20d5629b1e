// Opening a connection of the pool: from the clear to TLS (RFC 3207), or not, as the settings say.
#include <postern/deliver/pool.hpp>
#include <postern/smtp/replies.hpp>

namespace postern::deliver {
namespace {

std::shared_ptr<const Protection> protection_of(net::TlsFacts&& facts) {
  auto known = std::make_shared<Protection>();
  known->version = std::move(facts.version);
  known->cipher = std::move(facts.cipher);
  known->verified = facts.verified;
  known->resumed = facts.resumed;
  return known;
}

// What an administrator can do about a handshake that failed.
std::string_view advice(const Error& error) {
  if (error.code == Errc::permission)
    return "set tls_name to a name of its certificate and tls_ca to who has signed it, renew it "
           "there, or set tls = \"require\" to take any";
  return "look at its log, or set tls = \"may\" to go on in the clear";
}

}  // namespace

// In the clear, though TLS was wanted.
void Pool::leave_clear(Connection& connection, const char* why) {
  auto known = std::make_shared<Protection>();
  known->none = why;
  connection.protection = std::move(known);
}

// RFC 3207 section 4. Behind it EHLO is due again: what was offered before may have been said by
// somebody else.
coro::Task<Pool::Refusal> Pool::start_tls(Connection& connection, std::string name) {
  if (!connection.offers.starttls) co_return without_tls(connection, "not offered");
  auto answer = co_await connection.command("STARTTLS\r\n", settings_.timeouts.greeting);
  if (!answer) co_return unfit(connection.address(), "STARTTLS", answer.error()).error();
  if (answer->code() == 421) co_return unfit(connection, "STARTTLS", *answer).error();
  if (answer->is_intermediate())
    co_return unfit(connection.address(), "STARTTLS", Error(Errc::malformed, "a 3yz reply"))
        .error();
  if (!answer->is_positive()) co_return without_tls(connection, "refused");
  // Nothing is due before our own first octet (CVE-2021-38371).
  if (!connection.stream().input().empty()) {
    log_.error(
        "downstream {}: {} octets in the clear behind its reply to STARTTLS: somebody on the way "
        "injects replies; it is left alone for a while",
        connection.address().text(), connection.stream().input().size());
    co_return Unopened(smtp::replies::downstream_insecure());
  }
  connection.offers = {};
  auto facts =
      co_await settings_.tls.client->connect(connection.stream(), net::TlsStart::after_dialogue,
                                             std::move(name), settings_.timeouts.greeting);
  if (!facts) co_return handshake_failed(connection, facts.error());
  connection.protection = protection_of(std::move(*facts));
  co_return std::nullopt;
}

// The server has no TLS for us now.
Pool::Refusal Pool::without_tls(Connection& connection, const char* why) {
  if (settings_.tls.use == TlsUse::may) {
    leave_clear(connection, why);
    return {};
  }
  log_.warning(
      "downstream {}: STARTTLS is {}, and forward.tls wants it: turn TLS on there (Postfix: "
      "smtpd_tls_security_level; Exim: tls_advertise_hosts), or set tls = \"may\"",
      connection.address().text(), why);
  return Unopened(smtp::replies::downstream_insecure());
}

// The connection is of no more use, but where TLS may be missing a new one is, in the clear.
Pool::Refusal Pool::handshake_failed(const Connection& connection, const Error& error) {
  Unopened failed(smtp::replies::downstream_insecure());
  if (error.code == Errc::cancelled) return failed;
  failed.clear_will_do = settings_.tls.use == TlsUse::may;
  if (failed.clear_will_do)
    log_.warning("downstream {}: {}: going on in the clear", connection.address().text(),
                 error.describe());
  else
    log_.warning("downstream {}: {}: {}", connection.address().text(), error.describe(),
                 advice(error));
  return failed;
}

}  // namespace postern::deliver
