#include "probe.hpp"

#include <postern/base/text.hpp>
#include <postern/coro/deadline.hpp>
#include <postern/deliver/identity.hpp>
#include <postern/policy/names.hpp>

#include <fmt/format.h>

#include <random>
#include <utility>

namespace postern::cli {
namespace {

// A LOCAL header (section 2.2): the connection is ours, and the server keeps its own address.
std::string v2_local() {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += '\x20';  // version 2, LOCAL
  header.append(3, '\0');
  return header;
}

// For version 1 that is our own address: Postfix answers 421 to UNKNOWN.
std::string v1_of(net::Stream& stream) {
  deliver::Client us;
  us.remote = stream.local();
  us.local = stream.remote();
  return deliver::proxy_v1_header(us);
}

std::string unlikely_mailbox(const std::string& domain) {
  std::random_device random;
  return fmt::format("postern-probe-{:08x}{:08x}@{}", random(), random(), domain);
}

std::string shown(const smtp::Reply& reply) {
  return fmt::format("{} {}", reply.code(), printable(reply.text(), 200));
}

std::string first_word(const std::string& text) {
  return text.substr(0, text.find_first_of(" \n"));
}

}  // namespace

coro::Task<ProbeReport> Probe::run() {
  co_await coro::within(total, look());
  co_return report_;
}

coro::Task<void> Probe::look() {
  const bool talks = co_await greet();
  if (!talks) co_return;
  report_.talks = true;
  if (report_.offers.starttls) co_await look_at_tls();
}

// Without a PROXY header first: where that works none is wanted, and one would be an unknown
// command at best. Exim greets 3 s late and refuses EHLO with 503, Postfix answers 421 after 5 s.
coro::Task<bool> Probe::greet() {
  auto plain = co_await open(Header::none);
  if (plain) {
    co_await ask_recipients(**plain);
    co_await quit(std::move(*plain));
    co_return true;
  }
  report_.trouble = plain.error().text;
  if (!report_.reached || target_.address.is_local()) co_return false;
  auto second = co_await open(Header::v2);
  if (second) {
    header_ = Header::v2;
    co_await ask_recipients(**second);
    co_await quit(std::move(*second));
  }
  auto first = co_await open(Header::v1);
  if (first) {
    if (header_ == Header::none) header_ = Header::v1;
    co_await quit(std::move(*first));
  }
  if (first && second)
    report_.proxy = ProbeReport::Proxy::both;
  else if (first || second)
    report_.proxy = second ? ProbeReport::Proxy::v2 : ProbeReport::Proxy::v1;
  co_return first.has_value() || second.has_value();
}

// Errors: the text is what was heard.
coro::Task<Result<Probe::ConnectionPtr>> Probe::open(Header header) {
  auto stream = co_await network_.connect(target_.address, each);
  if (!stream) co_return fail(stream.error().code, stream.error().describe());
  report_.reached = true;
  auto connection = std::make_unique<deliver::Connection>(std::move(*stream), target_.address);
  if (header == Header::v1) connection->stream().write(v1_of(connection->stream()));
  if (header == Header::v2) connection->stream().write(v2_local());
  auto greeting = co_await connection->reply(each);
  if (!greeting)
    co_return fail(greeting.error().code,
                   fmt::format("no greeting: {}", greeting.error().describe()));
  if (!greeting->is_positive())
    co_return fail(Errc::refused, fmt::format("it greets with {}", shown(*greeting)));
  report_.greeting = greeting->text();
  auto introduced = co_await hello(*connection);
  if (!introduced) co_return fail(introduced.error());
  co_return connection;
}

// A server that knows LHLO and not EHLO speaks LMTP (RFC 2033 section 4.1).
coro::Task<Result<void>> Probe::hello(deliver::Connection& connection) {
  std::string line = fmt::format("{} {}\r\n", report_.lmtp ? "LHLO" : "EHLO", target_.hello);
  auto answer = co_await connection.command(std::move(line), each);
  const bool unknown = answer && answer->is_permanent() && answer->code() != 503;
  if (unknown && !report_.lmtp) {
    line = fmt::format("LHLO {}\r\n", target_.hello);
    auto as_lmtp = co_await connection.command(std::move(line), each);
    report_.lmtp = as_lmtp && as_lmtp->is_positive();
    if (report_.lmtp) answer = std::move(as_lmtp);
  }
  if (!answer)
    co_return fail(answer.error().code,
                   fmt::format("no answer to EHLO: {}", answer.error().describe()));
  if (!answer->is_positive())
    co_return fail(Errc::refused, fmt::format("it answers EHLO with {}", shown(*answer)));
  report_.offers = connection.offers = smtp::parse_capabilities(*answer);
  co_return Result<void>();
}

coro::Task<void> Probe::ask_recipients(deliver::Connection& connection) {
  if (target_.domain.empty()) co_return;
  auto begun = co_await connection.command("MAIL FROM:<>\r\n", each);
  if (!begun || !begun->is_positive()) co_return;
  std::string nobody = unlikely_mailbox(target_.domain);
  auto unlikely = co_await rcpt(connection, std::move(nobody));
  if (!unlikely) co_return;
  report_.unlikely = std::move(*unlikely);
  if (!target_.recipient.empty()) {
    auto expected = co_await rcpt(connection, target_.recipient);
    if (!expected) co_return;
    report_.expected = std::move(*expected);
  }
  co_await connection.command("RSET\r\n", each);
}

coro::Task<Result<smtp::Reply>> Probe::rcpt(deliver::Connection& connection, std::string mailbox) {
  auto reply = co_await connection.command(fmt::format("RCPT TO:<{}>\r\n", mailbox), each);
  co_return reply;
}

coro::Task<void> Probe::look_at_tls() {
  // An address has no certificate, as a rule: then it is the name that the server gives itself.
  report_.tls_name = target_.host.empty() ? first_word(report_.greeting) : target_.host;
  if (!policy::fault_of_host(report_.tls_name).empty()) report_.tls_name.clear();
  auto verified = co_await handshake(net::TlsTrust::verified);
  if (verified) {
    report_.tls = std::move(*verified);
    co_return;
  }
  report_.unverified = verified.error().describe();
  auto known = co_await handshake(net::TlsTrust::anybody);
  if (known)
    report_.tls = std::move(*known);
  else
    report_.starttls_trouble = known.error().describe();
}

coro::Task<Result<net::TlsFacts>> Probe::handshake(net::TlsTrust trust) {
  auto client = net::TlsClient::make(trust, {});
  if (!client) co_return fail(client.error());
  auto opened = co_await open(header_);
  if (!opened) co_return fail(opened.error());
  deliver::Connection& connection = **opened;
  auto ready = co_await connection.command("STARTTLS\r\n", each);
  if (!ready) co_return fail(ready.error());
  if (ready->code() != 220)
    co_return fail(Errc::refused, fmt::format("it answers STARTTLS with {}", shown(*ready)));
  auto facts = co_await (*client)->connect(connection.stream(), net::TlsStart::after_dialogue,
                                           report_.tls_name, each);
  if (!facts) co_return fail(facts.error());
  // What it offers now counts: some offer more after STARTTLS, and none offers STARTTLS again.
  auto introduced = co_await hello(connection);
  if (!introduced) co_return fail(introduced.error());
  report_.offers.starttls = true;
  co_await quit(std::move(*opened));
  co_return facts;
}

coro::Task<void> Probe::quit(ConnectionPtr connection) {
  constexpr net::Duration courtesy = std::chrono::seconds(2);
  co_await connection->command("QUIT\r\n", courtesy);
}

}  // namespace postern::cli
