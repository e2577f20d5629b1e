#include <postern/coro/deadline.hpp>
#include <postern/deliver/answers.hpp>
#include <postern/deliver/smtp_delivery.hpp>
#include <postern/smtp/dot_codec.hpp>
#include <postern/smtp/replies.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::deliver {
namespace {

constexpr std::size_t most_tries = 3;  // for a connection where all that there may be are in use

}  // namespace

// --- The envelope

coro::Task<smtp::Reply> SmtpDelivery::rcpt(std::size_t index) {
  coro::ListHook<LenderTag>::unlink();
  if (refusal_) co_return *refusal_;
  const bool opened_for_this = !lease_;
  auto reply = co_await ask(index);
  // A place that is of no use to this transaction goes to others.
  if (opened_for_this && phase_ == Phase::clean) lease_.give_back();
  co_return reply;
}

// Asks about the recipients that are new: those from `accepted` on. A kept connection may have been
// closed by the downstream just now: nothing has been promised on it yet, so a fresh one is tried
// once.
coro::Task<smtp::Reply> SmtpDelivery::ask(std::size_t accepted) {
  for (bool again = true;; again = false) {
    auto unreachable = co_await connect();
    if (unreachable) co_return *unreachable;
    const bool stale = connection().reused && phase_ == Phase::clean;
    connection().reused = false;
    auto reply = co_await attempt(accepted);
    const bool lost_at_once = !lease_.connection && stale;
    if (!lost_at_once || !again) co_return reply;
    refusal_.reset();  // it spoke for the connection that is gone
  }
}

coro::Task<SmtpDelivery::Refusal> SmtpDelivery::connect() {
  for (std::size_t tries = 1; !lease_.connection; ++tries) {
    if (!lease_) {
      auto turn = co_await pool_.turn();
      if (!turn) {
        if (turn.error().code == Errc::timed_out)
          pool_.log().warning(
              "no downstream connection was free in time (forward.max_connections)");
        co_return smtp::replies::downstream_closing();
      }
      lease_ = std::move(*turn);
      if (lease_.connection) break;
    }
    auto opened = co_await pool_.open(envelope_);
    if (opened) {
      lease_.connection = std::move(*opened);
      break;
    }
    // It takes no more connections than it has: one of those may become free.
    if (!opened.error().crowded || tries == most_tries) co_return std::move(opened.error().reply);
    lease_.give_back();
  }
  target_ = connection().address().text();
  protection_ = connection().protection;
  co_return Refusal();
}

// Where the connection that knew them is gone, the recipients accepted before are named once more:
// they were told 250, so whatever is delivered is delivered to them too.
coro::Task<smtp::Reply> SmtpDelivery::attempt(std::size_t accepted) {
  if (auto refusal = cannot_carry_envelope(accepted)) co_return *refusal;
  const std::size_t first = phase_ == Phase::envelope ? accepted : 0;
  const std::size_t last = envelope_.recipients.size();
  std::vector<std::string> group = lines(first, last);
  const std::size_t introduction = group.size() - (last - first);
  phase_ = Phase::unsettled;
  auto settled = co_await connection().settle(timeouts().rcpt);
  if (!settled) co_return lost("RSET", settled.error());
  auto replies = co_await connection().commands(std::move(group), timeouts().rcpt);
  if (!replies) co_return lost(introduction > 0 ? "MAIL" : "RCPT", replies.error());
  co_return judge(*replies, introduction, accepted - first);
}

// XFORWARD, MAIL where they are due, then RCPT.
std::vector<std::string> SmtpDelivery::lines(std::size_t first, std::size_t last) const {
  const smtp::Capabilities& offers = lease_.connection->offers;
  std::vector<std::string> group;
  if (phase_ != Phase::envelope) {
    if (pool_.settings().identity == Identity::xforward)
      group = xforward_lines(envelope_.client, offers.xforward);
    group.push_back(fmt::format("MAIL FROM:<{}>{}\r\n", envelope_.reverse_path.text,
                                smtp::parameters_for(envelope_.parameters.text, offers)));
  }
  for (std::size_t index = first; index < last; ++index) {
    const Recipient& to = envelope_.recipients[index];
    group.push_back(fmt::format("RCPT TO:<{}>{}\r\n", to.path.text,
                                smtp::parameters_for(to.parameters.text, offers)));
  }
  return group;
}

// `introduction` replies are to XFORWARD and MAIL, `repeated` to RCPTs that were accepted before,
// and the last to the RCPT that is new, if there is one.
smtp::Reply SmtpDelivery::judge(const std::vector<smtp::Reply>& replies, std::size_t introduction,
                                std::size_t repeated) {
  for (const smtp::Reply& reply : replies) {
    if (reply.is_intermediate()) {  // nobody knows what it takes next
      drop_connection();
      return smtp::replies::downstream_malformed();
    }
    if (reply.code() != 421) continue;
    drop_connection();
    return refused_for_good(smtp::replies::downstream_closing());
  }
  for (std::size_t i = 0; i < introduction; ++i) {
    if (replies[i].is_positive()) continue;
    phase_ = Phase::clean;
    if (i + 1 == introduction)
      return refused_for_good(smtp::relayable(replies[i], smtp::ReplyClass::completion));
    pool_.log().error("downstream {} refused XFORWARD: {} {}", target_, replies[i].code(),
                      replies[i].text());
    drop_connection();
    return refused_for_good(smtp::replies::local_error());
  }
  phase_ = Phase::envelope;
  return judge_recipients(replies, introduction, repeated);
}

smtp::Reply SmtpDelivery::judge_recipients(const std::vector<smtp::Reply>& replies,
                                           std::size_t introduction, std::size_t repeated) {
  const auto first = replies.begin() + static_cast<std::ptrdiff_t>(introduction);
  const auto behind =
      first + std::min(static_cast<std::ptrdiff_t>(repeated), replies.end() - first);
  const auto refused = [](const smtp::Reply& reply) { return !reply.is_positive(); };
  const auto again = std::count_if(first, behind, refused);
  if (again == 0) return smtp::relayable(replies.back(), smtp::ReplyClass::completion);
  // Our client heard 250 for each of them. Where none is accepted any more, that is the answer;
  // else it comes again, and then each gets an answer of its own. This transaction is not to be
  // used.
  const bool none_is_new = envelope_.recipients.size() == repeated;
  const bool none_left = none_is_new && static_cast<std::size_t>(again) == repeated;
  smtp::Reply answer = none_left ? smtp::relayable(*first, smtp::ReplyClass::completion)
                                 : smtp::replies::local_error();
  end_transaction();
  return answer;
}

// Asked about recipients from `accepted` on; none of them is new where a message is on its way.
SmtpDelivery::Refusal SmtpDelivery::cannot_carry_envelope(std::size_t accepted) const {
  const smtp::Capabilities& offers = lease_.connection->offers;
  const smtp::MailParameters& parameters = envelope_.parameters;
  const auto& recipients = envelope_.recipients;
  const bool utf8_mailbox =
      std::any_of(recipients.begin(), recipients.end(),
                  [](const Recipient& to) { return to.path.needs_smtputf8(); });
  if (envelope_.reverse_path.needs_smtputf8() && !offers.smtputf8)
    return smtp::replies::downstream_no_smtputf8();
  if (utf8_mailbox && !offers.smtputf8)
    return accepted < recipients.size() ? smtp::replies::downstream_no_utf8_mailbox()
                                        : smtp::replies::downstream_no_smtputf8();
  if (is_binary() && !(offers.binarymime && offers.chunking))
    return smtp::replies::downstream_no_binary();
  if (parameters.requiretls && !offers.requiretls) return smtp::replies::tls_required();
  if (offers.size_limit > 0 && parameters.size.value_or(0) > offers.size_limit)
    return smtp::replies::message_too_big();
  return {};
}

// --- The content

void SmtpDelivery::pauses() {
  if (lease_ && !linked()) pool_.park(*this);
}

Lease SmtpDelivery::lend() {
  end_transaction();
  if (lease_.connection) lease_.connection->reused = true;
  if (pool_.per_client()) lease_.connection.reset();
  return std::move(lease_);
}

coro::Task<Handover> SmtpDelivery::commit(Message& message) {
  coro::ListHook<LenderTag>::unlink();
  if (lease_.connection && connection().stream().ended()) drop_connection();
  if (phase_ != Phase::envelope) {
    // Lent to others, or lost while the body arrived: the envelope once more.
    auto reply = co_await ask(envelope_.recipients.size());
    if (!reply.is_positive()) co_return Handover(std::move(reply));
  }
  if (auto refusal = cannot_carry(message)) co_return Handover(std::move(*refusal));
  auto handover = co_await send(message);
  if (phase_ == Phase::envelope) co_return handover;  // DATA was refused: it is still open
  if (lease_.connection) {
    ++connection().messages;
    if (handover.reply.is_positive()) connection().refusals = 0;
  }
  lease_.give_back();
  co_return handover;
}

SmtpDelivery::Refusal SmtpDelivery::cannot_carry(const Message& message) const {
  const smtp::Capabilities& offers = lease_.connection->offers;
  if (message.eight_bit_header && envelope_.parameters.smtputf8 && !offers.smtputf8)
    return smtp::replies::downstream_no_smtputf8();
  if (message.eight_bit && envelope_.parameters.body == smtp::Body::eight_bit_mime &&
      !offers.eight_bit_mime)
    return smtp::replies::downstream_no_8bit();
  if (offers.size_limit > 0 && message.content.size() - message.begin > offers.size_limit)
    return smtp::replies::message_too_big();
  return {};
}

coro::Task<SmtpDelivery::Refusal> SmtpDelivery::begin_data() {
  phase_ = Phase::unsettled;
  auto reply = co_await connection().command("DATA\r\n", timeouts().data);
  if (!reply) co_return lost("DATA", reply.error());
  if (reply->code() == 354) co_return Refusal();
  phase_ = Phase::envelope;
  auto refusal = smtp::relayable(*reply, smtp::ReplyClass::intermediate);
  // After 421, or a positive reply that is not 354, nobody knows what it takes next.
  if (reply->code() == 421 || reply->code() < 400) drop_connection();
  co_return refusal;
}

// Until the last piece is written the message may still be given up: then the connection closes
// without an end of data.
coro::Task<Handover> SmtpDelivery::send(Message& message) {
  if (is_binary()) {
    auto handover = co_await send_chunk(message);
    co_return handover;
  }
  auto refused = co_await begin_data();
  if (refused) co_return Handover(std::move(*refused));
  auto handover = co_await send_lines(message);
  co_return handover;
}

// Body and end of data leave in one write where the message is small.
coro::Task<Handover> SmtpDelivery::send_lines(Message& message) {
  smtp::DotEncoder encoder;
  std::string wire;
  encoder.encode(message.trace, wire);
  std::uint64_t offset = message.begin;
  while (true) {
    auto octets = co_await message.content.read(offset, Spool::piece);
    if (!octets) co_return unread(octets.error());
    if (octets->empty()) break;
    offset += octets->size();
    encoder.encode(*octets, wire);
    if (wire.size() < Spool::piece) continue;
    auto early = co_await send_piece(std::move(wire));
    if (early) co_return std::move(*early);
    wire.clear();
  }
  encoder.finish(wire);
  auto handover = co_await commit_with(std::move(wire));
  co_return handover;
}

// One chunk, the last: the octets as they are (RFC 3030 section 4.2). Its last octet is the end of
// data, so that the last piece is written only when all the others are.
coro::Task<Handover> SmtpDelivery::send_chunk(Message& message) {
  phase_ = Phase::unsettled;
  const std::uint64_t end = message.content.size();
  std::uint64_t offset = message.begin;
  std::string wire =
      fmt::format("BDAT {} LAST\r\n", message.trace.size() + end - offset) + message.trace;
  while (offset < end) {
    auto octets = co_await message.content.read(offset, Spool::piece);
    if (octets && octets->empty()) octets = fail(Errc::io, "it is shorter than it was");
    if (!octets) co_return unread(octets.error());
    if (wire.size() >= Spool::piece) {
      auto early = co_await send_piece(std::move(wire));
      if (early) co_return std::move(*early);
      wire.clear();
    }
    offset += octets->size();
    wire += *octets;
  }
  auto handover = co_await commit_with(std::move(wire));
  co_return handover;
}

Handover SmtpDelivery::unread(const Error& error) {
  pool_.log().error("reading the spooled message: {}", error.describe());
  drop_connection();
  return Handover(smtp::replies::local_error());
}

// Nothing: it goes on.
coro::Task<std::optional<Handover>> SmtpDelivery::send_piece(std::string octets) {
  connection().stream().write(octets);
  auto flushed = co_await connection().stream().flush(timeouts().block);
  const bool goes_on =
      flushed && connection().stream().input().empty() && !connection().stream().ended();
  if (goes_on) co_return std::nullopt;
  if (!flushed && flushed.error().code == Errc::timed_out)
    co_return Handover(lost("body", flushed.error()));
  auto early = co_await answer_before_time();
  co_return early;
}

// The last piece: nothing has been said against the others.
coro::Task<Handover> SmtpDelivery::commit_with(std::string last) {
  if (!connection().stream().input().empty()) {
    auto early = co_await answer_before_time();
    co_return early;
  }
  const auto limit = timeouts().block + timeouts().final;
  auto handover = co_await coro::shielded(limit, finish(std::move(last)));
  co_return handover;
}

// The commit: from the last octet on, nothing but its own deadline stops the wait for the answer.
coro::Task<Handover> SmtpDelivery::finish(std::string last) {
  connection().stream().write(last);
  auto flushed = co_await connection().stream().flush(timeouts().block);
  // After that time no answer may be waited for: the octets still go out as soon as it reads again.
  if (!flushed && flushed.error().code == Errc::timed_out)
    co_return Handover(lost("end of data", flushed.error()));
  if (!flushed) {
    auto early = co_await answer_before_time();
    co_return early;
  }
  if (pool_.settings().protocol == Protocol::lmtp) {
    auto each = co_await hear_each();
    co_return each;
  }
  auto reply = co_await connection().reply(timeouts().final);
  if (!reply) {
    Handover handover(lost("end of data", reply.error()));
    handover.uncertain = true;
    co_return handover;
  }
  phase_ = Phase::clean;
  Handover handover(smtp::relayable(*reply, smtp::ReplyClass::completion));
  handover.uncertain = reply->is_intermediate();
  if (reply->code() == 421 || reply->is_intermediate()) drop_connection();
  co_return handover;
}

// LMTP: an answer for each recipient, in their order. Of whom none is heard any more, nobody knows.
coro::Task<Handover> SmtpDelivery::hear_each() {
  coro::Context* context = co_await coro::current_context();
  const auto due = context->scheduler().now() + timeouts().final;
  std::vector<smtp::Reply> each;
  bool uncertain = false, closing = false;
  while (each.size() < envelope_.recipients.size()) {
    if (closing) {  // nothing follows 421, and what was not answered was not taken
      each.push_back(smtp::replies::downstream_closing());
      continue;
    }
    if (uncertain) {
      each.push_back(each.back());
      continue;
    }
    const auto left = std::max(due - context->scheduler().now(), net::Duration::zero());
    auto reply = co_await connection().reply(left);
    if (!reply) {
      uncertain = true;
      each.push_back(lost("end of data", reply.error()));
    } else {
      uncertain = reply->is_intermediate();
      closing = reply->code() == 421;
      each.push_back(smtp::relayable(*reply, smtp::ReplyClass::completion));
    }
  }
  phase_ = Phase::clean;
  if (uncertain || closing) drop_connection();
  Handover handover(one_reply(each));
  handover.uncertain = uncertain;
  if (each.size() > 1) handover.each = std::move(each);
  co_return handover;
}

// The downstream spoke, or went, before it had the whole message: it has not accepted anything,
// whatever it says. The connection closes without an end of data.
coro::Task<Handover> SmtpDelivery::answer_before_time() {
  auto reply = co_await connection().reply(timeouts().data);
  if (!reply) co_return Handover(lost("body", reply.error()));
  drop_connection();
  if (reply->code() < 400) co_return Handover(smtp::replies::downstream_malformed());
  co_return Handover(smtp::relayable(*reply, smtp::ReplyClass::completion));
}

// --- Endings

// Leaves the connection ready for a next message, if it is still good.
void SmtpDelivery::end_transaction() {
  coro::ListHook<LenderTag>::unlink();
  if (!lease_.connection) return;
  if (phase_ == Phase::unsettled) return drop_connection();
  if (phase_ == Phase::envelope) lease_.connection->send_and_forget("RSET\r\n");
  phase_ = Phase::clean;
}

smtp::Reply SmtpDelivery::lost(std::string_view phase, const Error& error) {
  if (error.code != Errc::cancelled)
    pool_.log().warning("downstream {}: {}: {}", target_, phase, error.describe());
  drop_connection();
  return reply_for(error);
}

smtp::Reply SmtpDelivery::refused_for_good(smtp::Reply reply) {
  refusal_ = reply;
  return reply;
}

}  // namespace postern::deliver
