// Messages that come again because their recipients could not have one reply: what is remembered,
// and what is done with it (docs/adr/0004).
#include <postern/coro/deadline.hpp>
#include <postern/deliver/answers.hpp>
#include <postern/session/outcome.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/timeouts.hpp>

#include <algorithm>
#include <map>

namespace postern::session {
namespace {

// In place of a message's sum: that there is one at all. It spares all others the making of theirs.
constexpr std::uint64_t anything = 0;

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
    services_.splits.remember(services_.lineup.store(), key, outcome, services_.scheduler.now());
  }
}

// Those who wanted, or got, different answers to this message the last time go apart, unless each
// gets a reply.
bool Session::follows_split(const plugin::Recipient& recipient) {
  if (transaction_->parameters().prdr) return true;
  const auto key =
      who_to_whom(client_.remote.ip, transaction_->reverse_path().text, recipient.key());
  const auto wanted =
      services_.splits.find(services_.lineup.store(), key, services_.scheduler.now());
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
  const std::vector<Way*> ways = transaction.ways();
  const auto now = services_.scheduler.now();
  const auto has = [&](std::uint64_t content, const deliver::Recipient& to) {
    const auto key = message_to(content, transaction.reverse_path().text, to.path.text);
    return services_.delivered.find(services_.lineup.store(), key, now).has_value();
  };
  const auto has_any = [&](const Way* way) {
    return std::any_of(way->wanted.begin(), way->wanted.end(),
                       [&](const deliver::Recipient& to) { return has(anything, to); });
  };
  if (std::none_of(ways.begin(), ways.end(), has_any)) co_return Result<void>();
  auto sum = co_await sum_of_message();
  if (!sum) co_return fail(sum.error());
  for (Way* way : ways) {
    std::erase_if(way->wanted, [&](const deliver::Recipient& to) {
      if (!has(*sum, to)) return false;
      transaction.have_it.push_back(to.path.text);
      return true;
    });
  }
  co_return Result<void>();
}

// The recipients ended differently: whoever has the message is not sent it again, and each comes
// with those who heard the same.
coro::Task<void> Session::remember_answers() {
  Transaction& transaction = *transaction_;
  auto sum = co_await sum_of_message();
  if (!sum)
    services_.log.error("session {}: {}; who has it already may get it twice", id_,
                        sum.error().describe());
  const auto now = services_.scheduler.now();
  const std::string& sender = transaction.reverse_path().text;
  std::map<std::string_view, std::uint64_t> outcomes;  // of those it was handed over for
  for (const Way* way : transaction.ways()) {
    const auto& recipients = way->envelope.recipients;
    for (std::size_t i = 0; way->handover && i < recipients.size(); ++i) {
      const std::string& path = recipients[i].path.text;
      std::uint64_t& outcome = outcomes[path];
      outcome = std::max(outcome, outcome_of(way->answer(i)));
      if (!sum || !way->answer(i).is_positive()) continue;
      for (const std::uint64_t content : {anything, *sum})
        services_.delivered.remember(services_.lineup.store(), message_to(content, sender, path), 0,
                                     now);
    }
  }
  for (const Party& party : transaction.parties) {
    std::uint64_t outcome = party.refusal ? outcome_of(party.refusal->reply) : 0;
    for (const deliver::Recipient& to : party.recipient->delivered())
      if (const auto found = outcomes.find(to.path.text); found != outcomes.end())
        outcome = std::max(outcome, found->second);
    services_.splits.remember(services_.lineup.store(),
                              who_to_whom(client_.remote.ip, sender, party.recipient->key()),
                              outcome, now);
  }
}

// The message is taken and the client has gone: it will send it again. A message without a name of
// its own may be another that looks the same.
bool Session::goes_unheard() const {
  return stream_->ended() && transaction_->content->message.header().value("Message-Id");
}

// What the client hears of a message that was handed over.
coro::Task<smtp::Reply> Session::answer_for_all() {
  Transaction& transaction = *transaction_;
  const deliver::Handover& handover = *transaction.way.handover;
  const smtp::Reply& reply = handover.reply;
  const bool some_have_it = !transaction.have_it.empty();
  const bool mixed = deliver::agreement(handover.each) == deliver::Agreement::mixed ||
                     (some_have_it && !reply.is_positive());
  if (mixed)
    for (std::size_t i = 0; i < transaction.envelope().recipients.size(); ++i)
      transaction.answers.push_back(transaction.way.answer(i));
  if (mixed || (reply.is_positive() && goes_unheard()))
    co_await coro::shielded(smtp::timeouts::end_of_data, remember_answers());
  if (some_have_it && reply.is_permanent()) co_return smtp::replies::split_recipients();
  co_return reply;
}

}  // namespace postern::session
