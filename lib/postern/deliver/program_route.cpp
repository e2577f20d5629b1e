#include <postern/base/text.hpp>
#include <postern/coro/deadline.hpp>
#include <postern/deliver/program_route.hpp>
#include <postern/smtp/dot_codec.hpp>
#include <postern/smtp/replies.hpp>

#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <utility>

namespace postern::deliver {
namespace {

// How long a program that stopped reading has to end by itself.
constexpr coro::Duration last_words = std::chrono::seconds(5);

// What a program reads: lines that end with LF, as its kind writes them; a batch is SMTP.
class Content {
 public:
  explicit Content(Manner manner) : batch_(manner == Manner::bsmtp) {}

  void add(std::string_view octets, std::string& out) {
    if (batch_) return encoder_.encode(octets, out);
    for (const char octet : octets) {
      if (held_ && octet != '\n') out += '\r';
      held_ = octet == '\r';
      if (!held_) out += octet;
    }
  }
  void finish(std::string& out) {
    if (batch_) {
      encoder_.finish(out);
      out += "QUIT\r\n";
    }
    if (held_) out += '\r';
  }

 private:
  bool batch_;
  bool held_ = false;  // a CR, until what follows is known
  smtp::DotEncoder encoder_;
};

std::string batch_envelope(const Envelope& envelope) {
  std::string out = fmt::format("MAIL FROM:<{}>\r\n", envelope.reverse_path.text);
  for (const Recipient& to : envelope.recipients)
    out += fmt::format("RCPT TO:<{}>\r\n", to.path.text);
  return out + "DATA\r\n";
}

// Each text ends with NUL, and so does the list (qmail-queue(8)).
std::string qmail_envelope(const Envelope& envelope) {
  std::string out = "F" + envelope.reverse_path.text + '\0';
  for (const Recipient& to : envelope.recipients) out += "T" + to.path.text + '\0';
  return out + '\0';
}

// "  550 Unrouteable address" of what a batch wrote; empty: there is none.
std::string_view refusal_in(std::string_view output) {
  while (!output.empty()) {
    const auto end = std::min(output.find('\n'), output.size());
    const std::string_view line = trim(output.substr(0, end));
    output.remove_prefix(std::min(end + 1, output.size()));
    const bool coded = line.size() > 4 && (line[0] == '4' || line[0] == '5') && is_digit(line[1]) &&
                       is_digit(line[2]) && (line[3] == ' ' || line[3] == '-');
    if (coded) return line;
  }
  return {};
}

smtp::Reply refused() { return {554, {5, 3, 0}, "The message was refused"}; }

bool refuses(Manner manner, int status) {
  if (manner == Manner::qmail_queue) return status >= 11 && status <= 40;
  return status == EX_DATAERR || status == EX_NOUSER || status == EX_NOHOST;
}

}  // namespace

smtp::Reply reply_to_end(Manner manner, const net::ProgramEnd& end, bool whole,
                         const std::string& id) {
  constexpr std::size_t most_text = 400;
  if (end.kind != net::ProgramEnd::Kind::exited) return smtp::replies::local_error();
  if (manner == Manner::bsmtp) {
    // Whatever its status: Exim's is 0 where it mails the error to the sender.
    const std::string_view said = refusal_in(end.output);
    const std::string text =
        printable(trim(said.substr(std::min<std::size_t>(said.size(), 4))), most_text);
    if (!said.empty() && said[0] == '4') return {451, {4, 3, 0}, text};
    if (!said.empty()) return {550, {5, 3, 0}, text};
  }
  if (end.code == 0 && whole) return {250, {2, 0, 0}, fmt::format("queued as {}", id)};
  return refuses(manner, end.code) ? refused() : smtp::replies::local_error();
}

class ProgramRoute::Transaction final : public Delivery {
 public:
  Transaction(ProgramRoute& route, Envelope& envelope) : route_(route), envelope_(envelope) {}

  // It can be asked nothing; but what cannot be said to it is refused now.
  coro::Task<smtp::Reply> rcpt(std::size_t) override {
    auto call = message_call(route_.settings_, envelope_);
    if (call) co_return smtp::replies::rcpt_ok();
    if (call.error().code == Errc::too_long) co_return smtp::replies::too_many_recipients();
    co_return smtp::replies::bad_forward_path();
  }
  void pauses() override {}
  std::string target() const override { return "pipe:" + route_.settings_.command.front(); }

  coro::Task<Handover> commit(Message& message) override {
    coro::Context* context = co_await coro::current_context();
    due_ = context->scheduler().now() + route_.settings_.timeout;
    auto slot = co_await route_.slots_.acquire(route_.settings_.timeout);
    if (!slot) co_return Handover(smtp::replies::downstream_closing());
    auto call = message_call(route_.settings_, envelope_);
    if (!call) co_return failed(call.error());
    net::ProgramCall asked = std::move(*call);
    auto started = co_await route_.programs_.start(std::move(asked), left(*context));
    if (!started) co_return failed(started.error());
    running_ = std::move(*started);
    auto handover = co_await feed(message);
    running_ = {};
    co_return handover;
  }

 private:
  // Until the last piece is written the message may still be given up: the program is killed before
  // its input ends.
  coro::Task<Handover> feed(Message& message) {
    coro::Context* context = co_await coro::current_context();
    Content content(route_.settings_.manner);
    std::string out;
    if (route_.settings_.manner == Manner::bsmtp) out = batch_envelope(envelope_);
    content.add(message.trace, out);
    std::uint64_t offset = message.begin;
    while (true) {
      auto octets = co_await message.content.read(offset, Spool::piece);
      if (!octets) co_return failed(octets.error());
      if (octets->empty()) break;
      offset += octets->size();
      content.add(*octets, out);
      if (out.size() < Spool::piece) continue;
      running_.talk->write(std::exchange(out, {}));
      auto flushed = co_await running_.talk->flush(left(*context));
      if (!flushed && flushed.error().code == Errc::reset) break;  // it has stopped reading
      if (!flushed) co_return failed(flushed.error());
    }
    content.finish(out);
    auto handover = co_await coro::shielded(left(*context) + last_words, finish(std::move(out)));
    co_return handover;
  }

  // The commit: with the end of its input the program has the message.
  coro::Task<Handover> finish(std::string last) {
    coro::Context* context = co_await coro::current_context();
    running_.talk->write(last);
    auto flushed = co_await running_.talk->flush(left(*context));
    if (!flushed && flushed.error().code != Errc::reset) co_return failed(flushed.error());
    const bool whole = flushed.has_value();
    if (whole) running_.talk->end_output();
    if (whole && running_.second) {
      running_.second->write(qmail_envelope(envelope_));
      running_.second->end_output();
    }
    coro::Duration patience = last_words;
    if (whole) patience = left(*context);
    auto end = co_await net::read_program_end(*running_.end, patience);
    if (!end) {
      Handover handover = failed(end.error());
      handover.uncertain = whole;
      co_return handover;
    }
    Handover handover(reply_to_end(route_.settings_.manner, *end, whole, envelope_.id));
    if (!handover.reply.is_positive()) route_.log_.warning("{}: {}", target(), net::describe(*end));
    handover.uncertain = whole && end->kind != net::ProgramEnd::Kind::exited &&
                         end->kind != net::ProgramEnd::Kind::refused;
    co_return handover;
  }

  Handover failed(const Error& error) {
    if (error.code != Errc::cancelled) route_.log_.error("{}: {}", target(), error.describe());
    return Handover(error.code == Errc::busy ? smtp::replies::downstream_closing()
                                             : smtp::replies::local_error());
  }
  coro::Duration left(coro::Context& context) const {
    return std::max(due_ - context.scheduler().now(), coro::Duration::zero());
  }

  ProgramRoute& route_;
  Envelope& envelope_;
  coro::TimePoint due_{};
  net::RunningProgram running_;
};

smtp::Capabilities ProgramRoute::offers() const {
  smtp::Capabilities offers;
  offers.eight_bit_mime = true;
  // No DSN: nothing tells a program of NOTIFY. No SMTPUTF8: neither do we of that.
  return offers;
}

std::unique_ptr<Delivery> ProgramRoute::begin(Envelope& envelope) {
  return std::make_unique<Transaction>(*this, envelope);
}

}  // namespace postern::deliver
