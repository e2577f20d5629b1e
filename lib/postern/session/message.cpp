// DATA: receiving a message, looking at what it is, handing it over.
#include <postern/mail/header_section.hpp>
#include <postern/mail/trace.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>

#include <algorithm>

namespace postern::session {

namespace replies = smtp::replies;

Session::Step Session::data(const smtp::Command& command) {
  return command.argument.empty() ? Step::receive_message : refuse_command(replies::bad_argument());
}

coro::Task<void> Session::receive_message() {
  Transaction& transaction = *transaction_;
  const Settings& settings = services_.settings;
  transaction.early_data = !stream_->input().empty();
  reply(replies::start_data());
  transaction.delivery->body_begins();

  deliver::Spool spool(services_.files, settings.spool_directory, settings.memory_octets);
  smtp::DotDecoder decoder(settings.bare_newline, settings.message_octets);
  auto received = co_await receive_body(spool, decoder);
  transaction.octets = decoder.traits().octets;
  if (!decoder.done()) {
    input_ended(received.error());
    co_return;
  }
  deliver::Message message(spool);
  message.eight_bit = decoder.traits().eight_bit;
  std::optional<smtp::Reply> refusal = refuse_body(decoder);
  if (!received) {
    const bool full = received.error().code == Errc::no_space;
    refusal = full ? replies::no_space() : replies::local_error();
    services_.log.error("session {}: spooling a message in {}: {}", id_, settings.spool_directory,
                        received.error().describe());
  }
  if (!refusal) refusal = co_await judge(message);
  if (refusal) {
    conclude(*refusal, Decider::core, false);
  } else {
    message.trace = trace_field();
    auto handover = co_await transaction.delivery->commit(message);
    conclude(handover.reply, Decider::downstream, handover.uncertain);
  }
  after_data_ = false;
}

// Reads to the end of data, come what may: the client gets its answer there. Errors of the client
// (closed, timed_out, cancelled) leave the decoder not done; errors of the spool come after the
// end.
coro::Task<Result<void>> Session::receive_body(deliver::Spool& spool, smtp::DotDecoder& decoder) {
  const Settings& settings = services_.settings;
  const coro::TimePoint due = services_.scheduler.now() + settings.data_timeout;
  Result<void> spooled;
  std::string thrown_away;
  while (true) {
    decoder.feed(stream_->input(), spooled ? spool.tail() : thrown_away);
    stream_->consume(decoder.consumed());
    thrown_away.clear();
    after_data_ = decoder.done();
    if (spooled && spool.must_settle()) spooled = co_await spool.settle();
    if (decoder.done()) co_return spooled;
    if (!stream_->input().empty()) continue;  // came while the spool was busy
    send_replies();
    const net::Duration left = due - services_.scheduler.now();
    const net::Duration limit = std::min<net::Duration>(settings.block_timeout, left);
    auto more = co_await stream_->more(std::max(limit, net::Duration::zero()));
    if (!more) co_return fail(more.error());
  }
}

// What the octets themselves forbid.
std::optional<smtp::Reply> Session::refuse_body(const smtp::DotDecoder& decoder) const {
  if (decoder.too_big()) return replies::message_too_big();
  if (!decoder.must_be_refused()) return {};
  return decoder.traits().nul ? replies::nul_in_message() : replies::bare_newline();
}

// What the header section forbids.
coro::Task<std::optional<smtp::Reply>> Session::judge(deliver::Message& message) {
  const Settings& settings = services_.settings;
  auto head = co_await message.content.read(0, settings.header_octets + 1);
  if (!head) co_return replies::local_error();
  const mail::HeaderLimits limits{settings.header_octets, settings.header_fields};
  auto section = mail::HeaderSection::parse(*head, limits);
  if (!section) co_return replies::header_too_big();
  if (mail::count_received(*section) > settings.received_fields) co_return replies::mail_loop();
  message.eight_bit_header = section->has(mail::Oddity::eight_bit);
  co_return std::nullopt;
}

std::string Session::trace_field() const {
  const deliver::Envelope& envelope = transaction_->envelope;
  mail::Trace trace;
  trace.helo = client_.helo;
  trace.client = client_.remote.ip;
  trace.hostname = services_.settings.hostname;
  trace.id = envelope.id;
  trace.extended = client_.esmtp;
  trace.utf8 = envelope.parameters.smtputf8;
  if (envelope.recipients.size() == 1) trace.recipient = envelope.recipients.front().path.text;
  trace.when = services_.scheduler.wall();
  return mail::received_field(trace);
}

void Session::conclude(const smtp::Reply& answer, Decider by, bool uncertain) {
  if (context_.stopped() && !answer.is_positive() && !uncertain) return;  // given up: "aborted"
  if (answer.is_positive()) ++messages_;
  reply(answer);
  const char* outcome = answer.is_positive() ? "accepted" : uncertain ? "uncertain" : "refused";
  record_transaction(outcome, &answer, by);
  transaction_.reset();
  state_ = greeted;
}

void Session::end_transaction(std::string_view outcome) {
  if (!transaction_) return;
  record_transaction(transaction_->accepted > 0 ? outcome : "refused", nullptr, Decider::core);
  transaction_.reset();
  state_ = greeted;
}

}  // namespace postern::session
