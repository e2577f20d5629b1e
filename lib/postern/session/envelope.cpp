// MAIL and RCPT: from the client's words to an envelope.
#include <postern/session/outcome.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace postern::session {

namespace replies = smtp::replies;

namespace {

smtp::Reply parameter_reply(const Error& error) {
  return error.code == Errc::unsupported ? replies::unknown_parameter() : replies::bad_parameter();
}

}  // namespace

// What both we and whoever takes the message over can do.
smtp::Capabilities Session::offers() const {
  const smtp::Capabilities route = services_.domains.offers(services_.route);
  smtp::Capabilities offers;
  offers.pipelining = true;
  offers.enhanced_status_codes = true;
  offers.eight_bit_mime = route.eight_bit_mime;
  offers.smtputf8 = route.smtputf8;
  offers.dsn = route.dsn;
  offers.chunking = true;  // who takes the message over need not: it is handed over whole
  offers.prdr = true;
  // No way leads around a server that lacks these (RFC 3030 section 3, RFC 8689 section 4.2.1).
  offers.binarymime = route.binarymime && route.chunking;
  offers.requiretls = route.requiretls && tls() != nullptr;
  offers.size = true;
  offers.size_limit = services_.settings.message_octets;
  offers.limit_mail = static_cast<std::uint32_t>(services_.settings.messages);
  offers.limit_rcpt = static_cast<std::uint32_t>(services_.settings.recipients);
  if (route.size_limit > 0) offers.size_limit = std::min(offers.size_limit, route.size_limit);
  offers.starttls = offers_tls();
  offers.auth = auth_offers();
  offers.auth_parameter = !offers.auth.empty() || hearing_->session().authenticated();
  if (peer_ && peer_->may_xclient) offers.xclient = smtp::xclient_attributes();
  if (peer_ && peer_->may_xforward) offers.xforward = smtp::xforward_attributes();
  return offers;
}

Session::Step Session::mail(const smtp::Command& command) {
  if (unsolicited_) return refuse_command(replies::bad_sequence());
  auto argument = smtp::parse_mail_argument(command.argument, smtp::Brackets::optional);
  if (!argument) {
    const bool no_from = argument.error().code == Errc::not_found;
    return refuse_command(no_from ? replies::bad_argument() : replies::bad_reverse_path());
  }
  auto parameters = smtp::parse_mail_parameters(argument->rest, offered_);
  if (!parameters) return refuse_command(parameter_reply(parameters.error()));
  if (messages_ >= services_.settings.messages) {
    close(Ending::errors, replies::too_many_messages());
    return Step::next;
  }
  if (!hearing_->session().authenticated() && !is_trusted_peer()) smtp::distrust_auth(*parameters);
  if (auto refusal = refuse_sender(argument->path, *parameters)) {
    reply(*refusal);
    return Step::next;
  }
  transaction_ = std::make_unique<Transaction>(*hearing_->hello(), client_);
  transaction_->set_reverse_path(std::move(argument->path));
  transaction_->envelope().parameters = std::move(*parameters);
  transaction_->envelope().id = fmt::format("{}.{}", id_, ++transactions_);
  transaction_->began = services_.scheduler.now();
  if (peer_ && peer_->refusal) return refuse_late();
  after_ = [](Session& session) { return session.answer_mail(); };
  return hearing_->mail(*transaction_) ? answer_mail() : Step::wait_for_plugins;
}

Session::Step Session::answer_mail() {
  if (const auto& refusal = transaction_->judged->refusal) {
    const Refusal heard = *refusal;
    tell_rejected(plugin::Hook::mail, heard.reply, heard.by, {}, heard.closes);
    conclude(heard.reply, heard.by);
    if (heard.closes) close(Ending::refused);
    return Step::next;
  }
  state_ = mail_given;
  reply(transaction_->parameters().prdr ? replies::prdr_ok() : replies::mail_ok());
  return Step::next;
}

std::optional<smtp::Reply> Session::refuse_sender(const smtp::Path& reverse_path,
                                                  const smtp::MailParameters& parameters) const {
  if (listener_auth_ == Listener::Auth::require && !hearing_->session().authenticated())
    return replies::authentication_needed();
  if (reverse_path.needs_smtputf8() && !parameters.smtputf8) return replies::needs_smtputf8();
  if (parameters.requiretls && !offered_.requiretls) return replies::tls_required();
  const std::uint64_t most =
      offered_.size ? offered_.size_limit : services_.settings.message_octets;
  if (parameters.size.value_or(0) > most) return replies::message_too_big();
  return {};
}

Session::Step Session::rcpt(const smtp::Command& command) {
  auto argument = smtp::parse_rcpt_argument(command.argument, smtp::Brackets::optional);
  if (!argument) {
    const bool no_to = argument.error().code == Errc::not_found;
    return refuse_command(no_to ? replies::bad_argument() : replies::bad_forward_path());
  }
  auto parameters = smtp::parse_rcpt_parameters(argument->rest, offered_);
  if (!parameters) return refuse_command(parameter_reply(parameters.error()));
  // Said twice, it counts once, yet each gets its reply.
  if (const smtp::Reply* before = transaction_->accepted_before(argument->path.text)) {
    const bool too_many = transaction_->replies_due.size() >= services_.settings.recipients;
    if (!too_many) transaction_->count_reply_due(argument->path.text);
    reply(too_many ? replies::too_many_recipients() : *before);
    return Step::next;
  }
  if (auto refusal = refuse_path(argument->path)) {
    ++refused_;
    reply(*refusal);
    tell_rejected(plugin::Hook::rcpt, *refusal, by_core, argument->path.text);
    transaction_->hear(std::move(argument->path.text), *refusal, by_core);
    return Step::next;
  }
  transaction_->ask_about({std::move(argument->path), std::move(*parameters)});
  after_ = [](Session& session) { return session.judge_recipient(); };
  return hearing_->rcpt(*transaction_) ? judge_recipient() : Step::wait_for_plugins;
}

// What no plugin need be asked about.
std::optional<smtp::Reply> Session::refuse_path(const smtp::Path& forward_path) const {
  if (forward_path.needs_smtputf8() && !transaction_->parameters().smtputf8)
    return replies::needs_smtputf8();
  if (transaction_->accepted >= services_.settings.recipients)
    return replies::too_many_recipients();
  return {};
}

// When the plugins have been heard: nobody refuses and one accepts, or it is not ours.
Session::Step Session::judge_recipient() {
  Party& party = transaction_->parties.back();
  plugin::Recipient& recipient = *party.recipient;
  if (party.refusal) {
    const Refusal refusal = *party.refusal;
    const Step next = refuse_recipient(refusal.reply, refusal.by, refusal.closes);
    if (refusal.closes) close(Ending::refused);
    return next;
  }
  const bool is_in = party.accepted || hearing_->session().may_relay() ||
                     (party.claimed && recipient.is_postmaster());
  if (party.dropped) {
    transaction_->hear(recipient.path().text, replies::rcpt_ok(), party.accepted_by);
    transaction_->count_reply_due(recipient.path().text);
    reply(replies::rcpt_ok());
    state_ = rcpt_given;
    return Step::next;
  }
  if (!is_in && party.claimed) return refuse_recipient(replies::unknown_user(), "core:unknown");
  if (!is_in) return refuse_recipient(replies::no_relaying(), "core:relaying");
  party.way = way_of(recipient);
  if (!party.way) return refuse_recipient(replies::another_route(), "core:route");
  if (!follows_split(recipient)) return refuse_recipient(replies::another_route(), by_mixed);
  return Step::ask_about_recipient;
}

Session::Step Session::refuse_recipient(const smtp::Reply& refusal, std::string_view by,
                                        bool closes) {
  ++refused_;
  tell_rejected(plugin::Hook::rcpt, refusal, by,
                transaction_->parties.back().recipient->path().text, closes);
  transaction_->hear(transaction_->drop_last(), refusal, by);
  reply(refusal);
  return Step::next;
}

// All recipients of a transaction go the way of the first that is in, unless each gets a reply.
Way* Session::way_of(plugin::Recipient& recipient) {
  Transaction& transaction = *transaction_;
  deliver::Route* route = hearing_->route(recipient);
  if (!route) route = services_.domains.find(recipient.domain());
  if (!route) route = &services_.route;
  const std::vector<Way*> ways = transaction.ways();
  for (Way* way : ways)
    if (way->route == route) return way;
  for (Way* way : ways) {
    if (!way->envelope.recipients.empty()) continue;
    way->delivery.reset();
    way->route = route;
    return way;
  }
  return transaction.parameters().prdr ? &transaction.add_way(*route) : nullptr;
}

// He is in when the downstream takes all of what he stands for.
coro::Task<void> Session::ask_about_recipient() {
  Transaction& transaction = *transaction_;
  Way& way = *transaction.parties.back().way;
  deliver::Envelope& envelope = way.envelope;
  // Who waits for a connection holds none that others may wait for.
  for (const Way* other : transaction.ways())
    if (other != &way && other->delivery) other->delivery->pauses();
  if (!way.delivery) {
    learn_local();
    way.delivery = way.route->begin(envelope);
  }
  const std::size_t before = envelope.recipients.size();
  smtp::Reply answer = replies::rcpt_ok();
  std::vector<deliver::Recipient> wanted = transaction.parties.back().recipient->delivered();
  for (deliver::Recipient& to : wanted) {
    envelope.recipients.push_back(std::move(to));
    answer = co_await way.delivery->rcpt(envelope.recipients.size() - 1);
    if (context_.stopped()) co_return;
    if (!answer.is_positive()) break;
  }
  const plugin::Recipient& asked = *transaction.parties.back().recipient;
  const std::string_view by = way.delivery->answered_by();
  if (answer.is_positive()) {
    state_ = rcpt_given;
    settle_policy();
    transaction.hear(asked.path().text, answer, by);
    transaction.count_reply_due(asked.path().text);
  } else {
    ++refused_;
    envelope.recipients.pop_back();
    // Those before him that the downstream took are not wanted: it hears the envelope anew.
    way.rebuild = way.rebuild || envelope.recipients.size() > before;
    envelope.recipients.erase(envelope.recipients.begin() + static_cast<std::ptrdiff_t>(before),
                              envelope.recipients.end());
    tell_rejected(plugin::Hook::rcpt, answer, by, asked.path().text);
    transaction.hear(transaction.drop_last(), answer, by);
  }
  reply(answer);
}

// What the settings of the transaction are: its recipients', where all have the same.
void Session::settle_policy() {
  const auto& recipients = transaction_->recipients();
  const policy::Policy& first = recipients.front()->policy();
  const bool same = std::all_of(recipients.begin(), recipients.end(),
                                [&](const auto& each) { return &each->policy() == &first; });
  transaction_->set_policy(same ? first : transaction_->snapshot().site());
}

}  // namespace postern::session
