// Opening a connection of the pool: addresses in turn, greeting, EHLO, who the client is.
#include <postern/deliver/pool.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/timeouts.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace postern::deliver {
namespace {

using namespace std::chrono_literals;

constexpr net::Duration first_back_off = 1s;
constexpr net::Duration longest_back_off = 60s;

}  // namespace

// Addresses that are not known to be down first, in the order of the configuration.
std::vector<std::size_t> Pool::order() const {
  std::vector<std::size_t> indexes(addresses_.size());
  for (std::size_t i = 0; i < indexes.size(); ++i) indexes[i] = i;
  const auto now = scope_.context().scheduler().now();
  std::stable_partition(indexes.begin(), indexes.end(),
                        [&](std::size_t i) { return addresses_[i].down_until <= now; });
  return indexes;
}

void Pool::mark(Address& address, bool up) {
  const bool was_up = address.back_off == net::Duration::zero();
  if (up) {
    if (!was_up) log_.notice("downstream {} answers again", address.address.text());
    address.back_off = {};
    address.down_until = {};
    return;
  }
  address.back_off = was_up ? first_back_off : std::min(2 * address.back_off, longest_back_off);
  address.down_until = scope_.context().scheduler().now() + address.back_off;
}

coro::Task<Pool::Opened> Pool::open(Envelope& envelope) {
  smtp::Reply refusal = smtp::replies::downstream_unreachable();
  coro::Context* caller = co_await coro::current_context();
  const auto indexes = order();
  for (const std::size_t index : indexes) {
    auto opened = co_await open_at(index, envelope);
    if (!opened && caller->stopped()) co_return opened;  // our client went: that says nothing of it
    mark(addresses_[index], opened.has_value());
    if (opened) co_return opened;
    refusal = std::move(opened.error());
  }
  co_return tl::unexpected<smtp::Reply>(std::move(refusal));
}

coro::Task<Pool::Opened> Pool::open_at(std::size_t index, Envelope& envelope) {
  const SocketAddress to = addresses_[index].address;
  auto stream = co_await network_.connect(to, settings_.timeouts.connect);
  if (!stream) {
    // However it failed, nobody was there to talk to.
    log_.warning("downstream {}: {}", to.text(), stream.error().describe());
    const bool ours = stream.error().code == Errc::descriptors;
    co_return tl::unexpected<smtp::Reply>(ours ? smtp::replies::local_error()
                                               : smtp::replies::downstream_unreachable());
  }
  auto connection = std::make_unique<Connection>(std::move(*stream), to);
  if (settings_.identity == Identity::proxy_v1)
    connection->stream().write(proxy_v1_header(envelope.client));
  if (settings_.identity == Identity::proxy_v2)
    connection->stream().write(proxy_v2_header(envelope.client));

  auto greeting = co_await connection->reply(settings_.timeouts.greeting);
  if (!greeting) co_return tl::unexpected<smtp::Reply>(unfit(to, "greeting", greeting.error()));
  if (!greeting->is_positive())
    co_return tl::unexpected<smtp::Reply>(unfit(*connection, "greeting", *greeting));
  auto introduced = co_await introduce(std::move(connection), envelope);
  co_return introduced;
}

coro::Task<Pool::Opened> Pool::introduce(ConnectionPtr connection, Envelope& envelope) {
  const bool by_proxy =
      settings_.identity == Identity::proxy_v1 || settings_.identity == Identity::proxy_v2;
  Result<smtp::Reply> answer = fail(Errc::closed);
  if (by_proxy)
    answer = co_await ehlo_as_client(*connection, envelope);
  else
    answer = co_await ehlo(*connection, settings_.hostname);
  if (!answer)
    co_return tl::unexpected<smtp::Reply>(unfit(connection->address(), "EHLO", answer.error()));
  if (!answer->is_positive())
    co_return tl::unexpected<smtp::Reply>(unfit(*connection, "EHLO", *answer));
  learnt_ = connection->offers;

  if (settings_.identity == Identity::xforward && connection->offers.xforward.empty()) {
    log_.error(
        "downstream {} does not offer XFORWARD: allow us there "
        "(Postfix: smtpd_authorized_xforward_hosts), or set identity = \"none\"",
        connection->address().text());
    co_return tl::unexpected<smtp::Reply>(smtp::replies::local_error());
  }
  if (settings_.identity != Identity::xclient) co_return connection;
  auto told = co_await send_xclient(std::move(connection), envelope);
  co_return told;
}

// XCLIENT puts the downstream back before EHLO (Postfix's XCLIENT_README).
coro::Task<Pool::Opened> Pool::send_xclient(ConnectionPtr connection, Envelope& envelope) {
  const auto lines = xclient_lines(envelope.client, connection->offers.xclient);
  if (lines.empty()) {
    log_.error(
        "downstream {} does not offer XCLIENT: allow us there "
        "(Postfix: smtpd_authorized_xclient_hosts), or set identity = \"none\"",
        connection->address().text());
    co_return tl::unexpected<smtp::Reply>(smtp::replies::local_error());
  }
  for (const std::string& line : lines) {
    auto answer = co_await connection->command(line, settings_.timeouts.greeting);
    if (!answer)
      co_return tl::unexpected<smtp::Reply>(
          unfit(connection->address(), "XCLIENT", answer.error()));
    if (!answer->is_positive())
      co_return tl::unexpected<smtp::Reply>(unfit(*connection, "XCLIENT", *answer));
  }
  auto answer = co_await ehlo_as_client(*connection, envelope);
  if (!answer)
    co_return tl::unexpected<smtp::Reply>(unfit(connection->address(), "EHLO", answer.error()));
  if (!answer->is_positive())
    co_return tl::unexpected<smtp::Reply>(unfit(*connection, "EHLO", *answer));
  co_return connection;
}

// A downstream that judges the client by its address judges it by this name, too: ours would be a
// lie in its Received field. Where it does not take the name for one, it hears ours all the same.
coro::Task<Result<smtp::Reply>> Pool::ehlo_as_client(Connection& connection, Envelope& envelope) {
  constexpr int syntax_error = 501;  // RFC 5321 section 4.2.2: in parameters or arguments
  if (!envelope.client.helo.empty()) {
    auto answer = co_await ehlo(connection, envelope.client.helo);
    if (!answer || answer->code() != syntax_error) co_return answer;
  }
  auto answer = co_await ehlo(connection, settings_.hostname);
  co_return answer;
}

// A server that does not know EHLO gets HELO (RFC 5321 section 3.2); what it offers is then
// nothing.
coro::Task<Result<smtp::Reply>> Pool::ehlo(Connection& connection, std::string name) {
  std::string line = fmt::format("EHLO {}\r\n", name);
  auto answer = co_await connection.command(std::move(line), settings_.timeouts.greeting);
  if (!answer) co_return answer;
  connection.offers = {};
  if (answer->is_positive()) {
    connection.offers = smtp::parse_capabilities(*answer);
  } else if (answer->is_permanent()) {
    line = fmt::format("HELO {}\r\n", name);
    answer = co_await connection.command(std::move(line), settings_.timeouts.greeting);
  }
  co_return answer;
}

// What a downstream says to us before MAIL is about us, not about our client's message: never a
// permanent refusal for the client, but an alarm for the administrator.
smtp::Reply Pool::unfit(const Connection& connection, std::string_view phase,
                        const smtp::Reply& reply) {
  log_.error("downstream {} answered {} {} to {}: it must accept us", connection.address().text(),
             reply.code(), reply.text(), phase);
  return reply.code() == 421 ? smtp::replies::downstream_closing() : smtp::replies::local_error();
}

smtp::Reply Pool::unfit(const SocketAddress& address, std::string_view phase, const Error& error) {
  log_.warning("downstream {}: {}: {}", address.text(), phase, error.describe());
  return reply_for(error);
}

}  // namespace postern::deliver
