#include <postern/base/text.hpp>
#include <postern/coro/deadline.hpp>
#include <postern/deliver/http_route.hpp>
#include <postern/deliver/pool.hpp>
#include <postern/smtp/replies.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace postern::deliver {
namespace {

// For the body of a reply whose status is known: it is only there for its text.
constexpr coro::Duration wait_for_text = std::chrono::seconds(5);

smtp::Reply with_class(int code, const std::string& text) {
  const auto cls = static_cast<std::uint8_t>(code / 100);
  return {code, {cls, 3, 0}, text};
}

}  // namespace

std::string http_request_head(const HttpSettings& settings, const Envelope& envelope,
                              std::uint64_t octets) {
  std::string head = fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: message/rfc822\r\n"
      "Content-Length: {}\r\nUser-Agent: Postern\r\nIdempotency-Key: \"{}\"\r\n",
      settings.url.target, settings.url.authority(), octets, encode_http_value(envelope.id));
  const auto add = [&](std::string_view name, std::string_view value) {
    head += fmt::format("{}: {}\r\n", name, encode_http_value(value));
  };
  add("Postern-Sender", fmt::format("<{}>", envelope.reverse_path.text));
  for (const Recipient& to : envelope.recipients)
    add("Postern-Recipient", fmt::format("<{}>", to.path.text));
  add("Postern-Client", envelope.client.remote.ip.text());
  if (!envelope.client.name.empty()) add("Postern-Client-Name", envelope.client.name);
  if (!envelope.client.helo.empty()) add("Postern-Helo", envelope.client.helo);
  for (const std::string& field : settings.fields) head += field + "\r\n";
  return head + "\r\n";
}

smtp::Reply reply_to_status(const HttpSettings& settings, int status, const std::string& text,
                            const std::string& id) {
  constexpr std::size_t most_text = 400;
  const std::string_view first = trim(std::string_view(text).substr(0, text.find_first_of("\r\n")));
  const std::string said = first.empty() || first.front() == '<'  // a page for people
                               ? "The message was not taken"
                               : printable(first, most_text);
  if (status / 100 == 2) return {250, {2, 0, 0}, fmt::format("taken as {}", id)};
  if (status == 413) return smtp::replies::message_too_big();
  if (status == 408 || status == 425 || status == 429) return with_class(451, said);
  if (status / 100 == 4) return with_class(settings.on_4xx, said);
  if (status / 100 == 5) return with_class(settings.on_5xx, said);
  return smtp::replies::local_error();
}

class HttpRoute::Transaction final : public Delivery {
 public:
  Transaction(HttpRoute& route, Envelope& envelope) : route_(route), envelope_(envelope) {}

  coro::Task<smtp::Reply> rcpt(std::size_t) override { co_return smtp::replies::rcpt_ok(); }
  void pauses() override {}
  std::string target() const override { return "http:" + settings().url.authority(); }

  coro::Task<Handover> commit(Message& message) override {
    coro::Context* context = co_await coro::current_context();
    due_ = context->scheduler().now() + settings().timeout;
    auto slot = co_await route_.slots_.acquire(settings().timeout);
    if (!slot) co_return Handover(smtp::replies::downstream_closing());
    auto opened = co_await open();
    if (!opened) co_return failed(opened.error());
    auto handover = co_await post(message);
    stream_.reset();
    co_return handover;
  }

 private:
  // Each address of the name in turn, then TLS. A certificate that does not fit is not a matter of
  // another address.
  coro::Task<Result<void>> open() {
    coro::Context* context = co_await coro::current_context();
    auto addresses = co_await look_up();
    if (!addresses) co_return fail(addresses.error());
    Error last(Errc::unreachable, "the name has no address");
    for (const IpAddress& address : *addresses) {
      const SocketAddress to{address, settings().url.port};
      auto stream = co_await route_.network_.connect(ServerAddress(to), left(*context));
      if (stream) {
        stream_ = std::move(*stream);
        break;
      }
      last = stream.error();
    }
    if (!stream_) co_return fail(std::move(last));
    if (!settings().url.tls) co_return Result<void>();
    if (!route_.tls_) {
      auto made = net::TlsClient::make(net::TlsTrust::verified, {});
      if (!made) co_return fail(made.error());
      route_.tls_ = std::move(*made);
    }
    auto secured = co_await route_.tls_->connect(*stream_, net::TlsStart::at_once,
                                                 settings().url.host, left(*context));
    if (!secured) co_return fail(secured.error());
    co_return Result<void>();
  }

  // RFC 6761 section 6.3: localhost is no question for the DNS.
  coro::Task<Result<std::vector<IpAddress>>> look_up() {
    const std::string& host = settings().url.host;
    std::vector<IpAddress> found;
    if (host == "localhost") found.push_back(IpAddress::v4({127, 0, 0, 1}));
    if (const auto address = IpAddress::parse(host)) found.push_back(*address);
    if (!found.empty()) co_return found;
    auto four = co_await route_.resolver_.a(host);
    if (four) found = std::move(four->records);
    auto six = co_await route_.resolver_.aaaa(host);
    if (six) found.insert(found.end(), six->records.begin(), six->records.end());
    if (!found.empty()) co_return found;
    if (!four) co_return fail(four.error());
    co_return fail(Errc::not_found, fmt::format("{} has no address", host));
  }

  coro::Task<Handover> post(Message& message) {
    coro::Context* context = co_await coro::current_context();
    const std::uint64_t octets = message.trace.size() + message.content.size() - message.begin;
    std::string out = http_request_head(settings(), envelope_, octets) + message.trace;
    std::uint64_t offset = message.begin;
    while (true) {
      auto piece = co_await message.content.read(offset, Spool::piece);
      if (!piece) co_return failed(piece.error());
      if (piece->empty()) break;
      offset += piece->size();
      const bool last = offset >= message.content.size();
      out += *piece;
      if (last || out.size() < Spool::piece) continue;
      stream_->write(std::exchange(out, {}));
      auto flushed = co_await stream_->flush(left(*context));
      if (!flushed || !stream_->input().empty()) {
        auto early = co_await answer(false);
        co_return early;
      }
    }
    auto handover = co_await coro::shielded(left(*context) + wait_for_text, finish(std::move(out)));
    co_return handover;
  }

  // The commit: with the last octet the server has the message.
  coro::Task<Handover> finish(std::string last) {
    coro::Context* context = co_await coro::current_context();
    stream_->write(last);
    auto flushed = co_await stream_->flush(left(*context));
    auto handover = co_await answer(flushed.has_value());
    co_return handover;
  }

  // `whole`: it has been sent all of it. Before, whatever it says, it has taken nothing.
  coro::Task<Handover> answer(bool whole) {
    coro::Context* context = co_await coro::current_context();
    HttpReplyParser parser;
    using State = HttpReplyParser::State;
    State state = State::more;
    while (state == State::more || state == State::head) {
      state = parser.feed(stream_->input());
      stream_->consume(stream_->input().size());
      const bool known = state == State::head;
      if (state == State::done || (known && parser.status() / 100 == 2)) break;
      if (state == State::malformed) break;
      coro::Duration wait = left(*context);
      if (known) wait = std::min(wait, wait_for_text);
      auto more = co_await stream_->more(wait);
      if (more) continue;
      if (known) break;
      co_return lost(more.error(), whole);
    }
    if (state == State::malformed)
      co_return lost(Error(Errc::malformed, "the reply of the web server"), whole);
    smtp::Reply reply = reply_to_status(settings(), parser.status(), parser.text(), envelope_.id);
    if (!whole && reply.is_positive()) reply = smtp::replies::downstream_malformed();
    if (!reply.is_positive())
      route_.log_.warning("{}: status {}: {}", target(), parser.status(),
                          printable(parser.text(), 300));
    co_return Handover(std::move(reply));
  }

  Handover lost(const Error& error, bool whole) {
    Handover handover = failed(error);
    handover.uncertain = whole;
    return handover;
  }
  Handover failed(const Error& error) {
    if (error.code != Errc::cancelled) route_.log_.warning("{}: {}", target(), error.describe());
    return Handover(reply_for(error));
  }
  const HttpSettings& settings() const { return route_.settings_; }
  coro::Duration left(coro::Context& context) const {
    return std::max(due_ - context.scheduler().now(), coro::Duration::zero());
  }

  HttpRoute& route_;
  Envelope& envelope_;
  coro::TimePoint due_{};
  net::StreamPtr stream_;
};

smtp::Capabilities HttpRoute::offers() const {
  smtp::Capabilities offers;
  offers.eight_bit_mime = true;
  offers.smtputf8 = true;
  return offers;  // no DSN: nothing tells the server of NOTIFY
}

std::unique_ptr<Delivery> HttpRoute::begin(Envelope& envelope) {
  return std::make_unique<Transaction>(*this, envelope);
}

}  // namespace postern::deliver
