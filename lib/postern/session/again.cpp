// Messages that come again because their recipients could not have one reply: what is remembered,
// and what is done with it (docs/adr/0004).
#include <postern/deliver/answers.hpp>
#include <postern/session/outcome.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>

#include <algorithm>

namespace postern::session {
namespace {

// What stays the same when a client sends a message once more; trace fields and signatures may not.
constexpr std::string_view lasting_fields[] = {"Message-Id", "Date", "From", "Subject"};

std::uint64_t outcome_of(const smtp::Reply& reply) {
  return reply.is_positive() ? 0 : static_cast<std::uint64_t>(reply.code());
}

}  // namespace

void Session::remember_split() {
  for (const Party& party : transaction_->parties) {
    const auto key =
        who_to_whom(client_.remote.ip, transaction_->reverse_path().text, party.recipient->key());
    const auto outcome = party.refusal ? std::hash<std::string_view>()(party.refusal->by) : 0;
    services_.splits.remember(key, outcome, services_.scheduler.now());
  }
}

// Those who wanted, or got, different answers to this message the last time go apart.
bool Session::follows_split(const plugin::Recipient& recipient) {
  const auto key =
      who_to_whom(client_.remote.ip, transaction_->reverse_path().text, recipient.key());
  const auto wanted = services_.splits.find(key, services_.scheduler.now());
  if (!wanted) return true;
  if (!transaction_->split) transaction_->split = wanted;
  return transaction_->split == wanted;
}

// A sum of the message as it was received.
coro::Task<Result<std::uint64_t>> Session::sum_of_message() {
  const plugin::Message& message = transaction_->content->message;
  std::uint64_t sum = 0;
  for (const std::string_view name : lasting_fields)
    sum = hash(sum, message.header().value(name).value_or(std::string()));
  std::uint64_t offset = message.body_offset();
  while (true) {
    auto octets = co_await transaction_->content->spool.read(offset, deliver::Spool::piece);
    if (!octets) co_return fail(octets.error());
    if (octets->empty()) co_return sum;
    offset += octets->size();
    sum = hash(sum, *octets);
  }
}

// Takes those out of `wanted` who have this message from the last time.
coro::Task<Result<void>> Session::leave_out_those_who_have_it() {
  Transaction& transaction = *transaction_;
  if (services_.delivered.size() == 0) co_return Result<void>();
  auto sum = co_await sum_of_message();
  if (!sum) co_return fail(sum.error());
  const auto now = services_.scheduler.now();
  const auto have_it = std::erase_if(transaction.wanted, [&](const deliver::Recipient& to) {
    const auto key = message_to(*sum, transaction.reverse_path().text, to.path.text);
    return services_.delivered.find(key, now).has_value();
  });
  transaction.some_have_it = have_it > 0;
  co_return Result<void>();
}

// The recipients ended differently: whoever has the message is not sent it again, and each comes
// with those who heard the same.
coro::Task<void> Session::remember_answers() {
  Transaction& transaction = *transaction_;
  auto sum = co_await sum_of_message();
  const auto now = services_.scheduler.now();
  const auto& recipients = transaction.envelope().recipients;
  const std::string& sender = transaction.reverse_path().text;
  for (std::size_t i = 0; sum && i < recipients.size(); ++i)
    if (transaction.answers[i].is_positive())
      services_.delivered.remember(message_to(*sum, sender, recipients[i].path.text), 0, now);
  if (!sum)
    services_.log.error("session {}: {}; who has it already may get it twice", id_,
                        sum.error().describe());
  for (const Party& party : transaction.parties) {
    std::uint64_t outcome = 0;
    for (const deliver::Recipient& to : party.recipient->delivered())
      for (std::size_t i = 0; i < recipients.size(); ++i)
        if (recipients[i].path == to.path)
          outcome = std::max(outcome, outcome_of(transaction.answers[i]));
    services_.splits.remember(who_to_whom(client_.remote.ip, sender, party.recipient->key()),
                              outcome, now);
  }
}

// What the client hears of a message that was handed over.
coro::Task<smtp::Reply> Session::answer_for_all(deliver::Handover handover) {
  Transaction& transaction = *transaction_;
  transaction.answers = std::move(handover.each);
  const bool mixed =
      !transaction.answers.empty() || (transaction.some_have_it && !handover.reply.is_positive());
  if (!mixed) co_return std::move(handover.reply);
  if (transaction.answers.empty())
    transaction.answers.assign(transaction.envelope().recipients.size(), handover.reply);
  co_await remember_answers();
  if (transaction.some_have_it && handover.reply.is_permanent())
    co_return smtp::replies::split_recipients();
  co_return std::move(handover.reply);
}

}  // namespace postern::session
