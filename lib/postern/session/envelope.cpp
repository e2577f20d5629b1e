// MAIL and RCPT: from the client's words to an envelope.
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
  const smtp::Capabilities route = services_.route.offers();
  smtp::Capabilities offers;
  offers.pipelining = true;
  offers.enhanced_status_codes = true;
  offers.eight_bit_mime = route.eight_bit_mime;
  offers.smtputf8 = route.smtputf8;
  offers.dsn = route.dsn;
  offers.size = true;
  offers.size_limit = services_.settings.message_octets;
  if (route.size_limit > 0) offers.size_limit = std::min(offers.size_limit, route.size_limit);
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
  auto transaction = std::make_unique<Transaction>(client_);
  transaction->envelope.reverse_path = std::move(argument->path);
  transaction->envelope.parameters = std::move(*parameters);
  if (auto refusal = refuse_sender(transaction->envelope)) {
    reply(*refusal);
    return Step::next;
  }
  transaction->envelope.id = fmt::format("{}.{}", id_, ++transactions_);
  transaction->began = services_.scheduler.now();
  transaction_ = std::move(transaction);
  state_ = mail_given;
  reply(replies::mail_ok());
  return Step::next;
}

std::optional<smtp::Reply> Session::refuse_sender(const deliver::Envelope& envelope) const {
  if (envelope.reverse_path.needs_smtputf8() && !envelope.parameters.smtputf8)
    return replies::needs_smtputf8();
  const std::uint64_t most =
      offered_.size ? offered_.size_limit : services_.settings.message_octets;
  if (envelope.parameters.size.value_or(0) > most) return replies::message_too_big();
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
    reply(*before);
    return Step::next;
  }
  deliver::Recipient to{std::move(argument->path), std::move(*parameters)};
  if (auto refusal = refuse_recipient(to)) {
    ++refused_;
    reply(*refusal);
    transaction_->hear(std::move(to.path.text), *refusal, Decider::recipients);
    return Step::next;
  }
  transaction_->envelope.recipients.push_back(std::move(to));
  return Step::ask_about_recipient;
}

std::optional<smtp::Reply> Session::refuse_recipient(const deliver::Recipient& to) const {
  using Answer = policy::RecipientTable::Answer;
  if (to.path.needs_smtputf8() && !transaction_->envelope.parameters.smtputf8)
    return replies::needs_smtputf8();
  if (transaction_->accepted >= services_.settings.recipients)
    return replies::too_many_recipients();
  const std::string key = to.path.mailbox_key();
  const auto at = key.rfind('@');
  const std::string_view mailbox(key);
  const std::string_view domain =
      at == std::string::npos ? std::string_view() : mailbox.substr(at + 1);
  switch (services_.recipients.look(mailbox.substr(0, at), domain)) {
    case Answer::accepted:
      return {};
    case Answer::unknown_recipient:
      return replies::unknown_user();
    case Answer::relaying_denied:
      return replies::no_relaying();
  }
  return replies::no_relaying();
}

coro::Task<void> Session::ask_about_recipient() {
  Transaction& transaction = *transaction_;
  if (!transaction.delivery) {
    client_.local = stream_->local();
    transaction.delivery = services_.route.begin(transaction.envelope);
  }
  const std::size_t index = transaction.envelope.recipients.size() - 1;
  auto answer = co_await transaction.delivery->rcpt(index);
  if (context_.stopped()) co_return;
  std::string path = transaction.envelope.recipients.back().path.text;
  if (answer.is_positive()) {
    state_ = rcpt_given;
  } else {
    ++refused_;
    transaction.envelope.recipients.pop_back();
  }
  reply(answer);
  transaction.hear(std::move(path), answer, Decider::downstream);
}

}  // namespace postern::session
