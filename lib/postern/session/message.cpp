// DATA and BDAT: receiving a message, looking at what it is, handing it over.
#include <postern/facts/client_name.hpp>
#include <postern/mail/header_section.hpp>
#include <postern/mail/trace.hpp>
#include <postern/session/outcome.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>

#include <algorithm>

namespace postern::session {

namespace replies = smtp::replies;

Session::Step Session::data(const smtp::Command& command) {
  if (!command.argument.empty()) return refuse_command(replies::bad_argument());
  if (transaction_->is_binary()) return refuse_command(replies::bad_sequence());  // RFC 3030
  after_ = [](Session& session) { return session.answer_data(); };
  return hearing_->data(*transaction_) ? answer_data() : Step::wait_for_plugins;
}

// Refused for all: nothing is received. Refused for some: their reply follows the message.
Session::Step Session::answer_data() {
  auto refusal = refusal_of_all(transaction_->parties);
  const std::optional<smtp::Bdat> chunk = transaction_->chunk;
  if (!refusal && !chunk) return Step::receive_message;
  if (!refusal) {
    begin_message(transaction_->is_binary() ? smtp::Framing::octets : smtp::Framing::chunks);
    state_ = chunks_given;
    return Step::receive_chunk;
  }
  tell_rejected(plugin::Hook::data, refusal->reply, refusal->by, {}, refusal->closes);
  conclude(refusal->reply, refusal->by);
  if (chunk)
    unwanted_ = smtp::ChunkCounter(*chunk);
  else if (!stream_->input().empty())
    unsolicited_ = true;
  if (refusal->closes) close(Ending::refused);
  return Step::next;
}

void Session::begin_message(smtp::Framing framing) {
  Transaction& transaction = *transaction_;
  for (const Way* way : transaction.ways())
    if (way->delivery) way->delivery->pauses();
  transaction.content.emplace(transaction, services_.files, services_.settings, framing);
  transaction.set_message(&transaction.content->message);
}

coro::Task<void> Session::receive_message() {
  transaction_->early_data = !stream_->input().empty();
  reply(replies::start_data());
  begin_message(smtp::Framing::dots);
  auto received = co_await receive_octets();
  if (received)
    co_await finish_message();
  else
    cut_message(received.error());
}

// Every chunk has its reply (RFC 3030 section 2); that to the last is the message's.
coro::Task<void> Session::receive_chunk() {
  Transaction::Content& content = *transaction_->content;
  const smtp::Bdat chunk = *transaction_->chunk;
  content.chunk = smtp::ChunkCounter(chunk);
  auto received = co_await receive_octets();
  if (!received) {
    cut_message(received.error());
    co_return;
  }
  if (chunk.last) {
    content.finish();
    co_await finish_message();
    co_return;
  }
  auto refusal = refuse_octets();
  if (refusal) {
    content.message.set_complete(false);
    transaction_->octets = content.decoder.traits().octets;
    tell_rejected(plugin::Hook::message, *refusal, by_core);
    conclude(*refusal, by_core);
  } else {
    reply(replies::chunk_ok());
  }
}

// Reads to the end of what is at hand, come what may: the client gets its answer there. Errors:
// those of the client (closed, timed_out, cancelled).
coro::Task<Result<void>> Session::receive_octets() {
  const Settings& settings = services_.settings;
  Transaction::Content& content = *transaction_->content;
  const coro::TimePoint due = services_.scheduler.now() + settings.data_timeout;
  while (true) {
    stream_->consume(content.take(stream_->input()));
    after_data_ = content.whole() && (!transaction_->chunk || transaction_->chunk->last);
    if (!content.looked_at_header && content.spool.in_memory() &&
        !services_.lineup.empty(plugin::Hook::headers) &&
        mail::HeaderSection::complete(content.spool.tail(), content.searched)) {
      content.looked_at_header = true;
      co_await look_at_header();
      if (context_.stopped()) co_return fail(context_.why());
    }
    content.message.more_arrived();
    if (content.spooled && content.spool.must_settle())
      content.spooled = co_await content.spool.settle();
    if (content.whole()) co_return Result<void>();
    if (!stream_->input().empty()) continue;  // came while the spool was busy
    send_replies();
    const net::Duration left = due - services_.scheduler.now();
    const net::Duration limit = std::min<net::Duration>(settings.block_timeout, left);
    auto more = co_await stream_->more(std::max(limit, net::Duration::zero()));
    if (!more) co_return fail(more.error());
  }
}

// The client has gone before the end.
void Session::cut_message(const Error& error) {
  transaction_->octets = transaction_->content->decoder.traits().octets;
  transaction_->content->message.set_complete(false);
  input_ended(error);
}

// All has been received: what it is, and whoever takes it over.
coro::Task<void> Session::finish_message() {
  Transaction& transaction = *transaction_;
  Transaction::Content& content = *transaction.content;
  transaction.octets = content.decoder.traits().octets;
  content.message.set_complete(content.spooled.has_value());
  if (context_.stopped()) co_return;
  std::optional<smtp::Reply> refusal = refuse_octets();
  if (!refusal) refusal = co_await parse_header();
  if (refusal) {
    tell_rejected(plugin::Hook::message, *refusal, by_core);
    conclude(*refusal, by_core);
  } else {
    co_await hand_over(content.decoder.traits().eight_bit);
  }
  after_data_ = false;
}

// The header section is whole while the body still arrives: what it tells can be looked into.
coro::Task<void> Session::look_at_header() {
  Transaction& transaction = *transaction_;
  const Settings& settings = services_.settings;
  const mail::HeaderLimits limits{settings.header_octets, settings.header_fields};
  auto section = mail::HeaderSection::parse(transaction.content->spool.tail(), limits);
  if (!section) co_return;  // parse_header() tells the client
  transaction.header_seen = true;
  transaction.content->message.set_header(std::move(*section));
  if (!hearing_->headers(transaction)) co_await hearing_->finish();
}

// What the octets themselves forbid, or our not having them.
std::optional<smtp::Reply> Session::refuse_octets() const {
  const Transaction::Content& content = *transaction_->content;
  if (!content.spooled) {
    const Error& error = content.spooled.error();
    services_.log.error("session {}: spooling a message in {}: {}", id_,
                        services_.settings.spool_directory, error.describe());
    return error.code == Errc::no_space ? replies::no_space() : replies::local_error();
  }
  if (content.decoder.too_big()) return replies::message_too_big();
  if (!content.decoder.must_be_refused()) return {};
  return content.decoder.traits().nul ? replies::nul_in_message() : replies::bare_newline();
}

// What the header section forbids.
coro::Task<std::optional<smtp::Reply>> Session::parse_header() {
  const Settings& settings = services_.settings;
  Transaction& transaction = *transaction_;
  if (!transaction.header_seen) {
    auto head = co_await transaction.content->spool.read(0, settings.header_octets + 1);
    if (!head) co_return replies::local_error();
    const mail::HeaderLimits limits{settings.header_octets, settings.header_fields};
    auto section = mail::HeaderSection::parse(*head, limits);
    if (!section) co_return replies::header_too_big();
    transaction.header_seen = true;
    transaction.content->message.set_header(std::move(*section));
    if (!hearing_->headers(transaction)) co_await hearing_->finish();
  }
  // What is binary has a header section of lines all the same.
  const mail::HeaderSection& header = transaction.content->message.header();
  if (transaction.is_binary() && header.has(mail::Oddity::nul)) co_return replies::nul_in_message();
  if (transaction.is_binary() && header.has(mail::Oddity::bare_newline))
    co_return replies::bare_newline();
  if (mail::count_received(header) > settings.received_fields) co_return replies::mail_loop();
  co_return std::nullopt;
}

// The last decisions; then whoever takes the message over.
coro::Task<void> Session::hand_over(bool eight_bit) {
  Transaction& transaction = *transaction_;
  if (!hearing_->message(transaction)) co_await hearing_->finish();
  if (context_.stopped()) co_return;
  if (transaction.wants_each()) {
    co_await hand_over_for_each(eight_bit);
    co_return;
  }
  if (auto refusal = outcome_of(transaction)) {
    if (refusal->by == by_mixed) remember_split();
    tell_rejected(plugin::Hook::message, refusal->reply, refusal->by, {}, refusal->closes);
    conclude(refusal->reply, refusal->by);
    if (refusal->closes) close(Ending::refused);
    co_return;
  }
  const bool anybody = co_await find_wanted();
  if (!anybody) co_return;
  const coro::TimePoint handed_over = services_.scheduler.now();
  co_await deliver_by(transaction.way, eight_bit);
  transaction.handover = services_.scheduler.now() - handed_over;
  if (!transaction.way.handover) co_return;
  const bool uncertain = transaction.way.handover->uncertain;
  auto answer = co_await answer_for_all();
  tell_accepted(transaction.way);
  if (!answer.is_positive() && !uncertain && !context_.stopped())
    tell_rejected(plugin::Hook::message, answer, transaction.way.by);
  conclude(answer, transaction.way.by, uncertain);
}

// False: nobody is left; the client has its reply.
coro::Task<bool> Session::find_wanted() {
  Way& way = transaction_->way;
  way.wanted = recipients_of(*transaction_);
  if (way.wanted.empty()) {
    way.delivery.reset();
    conclude(replies::ok(), "dropped");
    co_return false;
  }
  auto looked = co_await leave_out_those_who_have_it();
  if (looked && !way.wanted.empty()) co_return true;
  way.delivery.reset();
  conclude(looked ? replies::taken_before() : replies::local_error(), by_core);
  co_return false;
}

// Hands over what goes this way. What it came to stands in `way`; nothing does when the client went
// before it began.
coro::Task<void> Session::deliver_by(Way& way, bool eight_bit) {
  const bool agreed = co_await rebuild_envelope(way);
  if (context_.stopped()) co_return;
  if (!agreed) {
    way.handover.emplace(replies::downstream_lost());
    co_return;
  }
  deliver::Spool edited(services_.files, {}, SIZE_MAX);
  auto outgoing = prepare(*transaction_, *hearing_, trace_field(way.envelope), edited);
  if (!outgoing) {
    services_.log.error("session {}: editing a message: {}", id_, outgoing.error().describe());
    way.by = by_core;
    way.handover.emplace(replies::local_error());
    co_return;
  }
  outgoing->eight_bit = eight_bit;
  auto handover = co_await way.delivery->commit(*outgoing);
  way.handover = std::move(handover);
}

// Where recipients have changed since they were asked about, the downstream hears the envelope
// anew. False: it would not have them.
coro::Task<bool> Session::rebuild_envelope(Way& way) {
  deliver::Envelope& envelope = way.envelope;
  std::vector<deliver::Recipient> wanted = std::move(way.wanted);
  if (!way.rebuild && same_paths(wanted, envelope.recipients)) co_return true;
  if (!way.route) way.route = &services_.route;
  way.delivery.reset();
  envelope.recipients.clear();
  way.delivery = way.route->begin(envelope);
  for (deliver::Recipient& to : wanted) {
    envelope.recipients.push_back(std::move(to));
    auto answer = co_await way.delivery->rcpt(envelope.recipients.size() - 1);
    if (context_.stopped() || !answer.is_positive()) co_return false;
  }
  co_return true;
}

std::string Session::trace_field(const deliver::Envelope& envelope) const {
  mail::Trace trace;
  // Whom XFORWARD tells spoke to the peer, whose own field says so.
  const bool forwarded = peer_ && peer_->forwarding;
  const deliver::Client& sender = forwarded ? peer_->own : client_;
  trace.helo = sender.helo;
  const auto* client = transaction_->facts().find<facts::ClientName>();
  if (client && !forwarded) trace.rdns = client->name;
  trace.client = sender.remote.ip;
  trace.hostname = services_.settings.hostname;
  trace.id = envelope.id;
  trace.authenticated = !sender.login.empty();
  trace.extended = sender.esmtp;
  if (const facts::Tls* known = tls()) {
    trace.tls = true;
    trace.tls_version = known->version;
    trace.tls_cipher = known->cipher;
  }
  trace.utf8 = envelope.parameters.smtputf8;
  if (envelope.recipients.size() == 1) trace.recipient = envelope.recipients.front().path.text;
  trace.when = services_.scheduler.wall();
  return mail::received_field(trace);
}

void Session::conclude(const smtp::Reply& answer, std::string_view by, bool uncertain) {
  if (context_.stopped() && !answer.is_positive() && !uncertain) return;  // given up: "aborted"
  if (answer.is_positive()) ++messages_;
  if (after_data_ && transaction_->wants_each()) say_each(answer, by);
  reply(answer);
  const char* outcome = uncertain                      ? "uncertain"
                        : transaction_->partly_taken() ? "partly"
                        : answer.is_positive()         ? "accepted"
                                                       : "refused";
  record_transaction(outcome, &answer, by);
  Hearing::end(std::move(transaction_));
  state_ = greeted;
  forget_forwarded();
}

void Session::end_transaction(std::string_view outcome) {
  if (!transaction_) return forget_forwarded();
  record_transaction(transaction_->accepted > 0 ? outcome : "refused", nullptr, by_core);
  hearing_->notify(plugin::Hook::reset, plugin::Reset{id_, transaction_->id(), client_.remote.ip});
  Hearing::end(std::move(transaction_));
  state_ = greeted;
  forget_forwarded();
}

}  // namespace postern::session
