// PRDR (draft-hall-prdr): after the end of data a reply for each recipient, in the order of their
// RCPTs, and then one for all. Recipients may go different ways (docs/adr/0008).
#include <postern/coro/deadline.hpp>
#include <postern/coro/group.hpp>
#include <postern/deliver/answers.hpp>
#include <postern/session/outcome.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/timeouts.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::session {

namespace replies = smtp::replies;

namespace {

bool contains(const std::vector<smtp::Path>& paths, const smtp::Path& path) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

// What a party stands for, with what plugins changed; nothing: it is refused, or dropped.
std::vector<deliver::Recipient> wanted_by(const Party& party, const plugin::Edits& edits) {
  if (party.refusal || party.dropped) return {};
  std::vector<deliver::Recipient> wanted = party.recipient->delivered();
  std::erase_if(wanted, [&](const auto& to) { return contains(edits.removed(), to.path); });
  return wanted;
}

// Each with his way; those whom plugins added go the first, if anybody is left.
void distribute(Transaction& transaction) {
  const plugin::Edits& edits = transaction.content->message.edits();
  bool all_refused = true;
  for (const Party& party : transaction.parties) {
    all_refused = all_refused && party.refusal;
    for (deliver::Recipient& to : wanted_by(party, edits))
      party.way->wanted.push_back(std::move(to));
  }
  if (all_refused) return;
  for (const smtp::Path& path : edits.added()) transaction.way.wanted.push_back({path, {}});
}

// What became of it for one address.
smtp::Reply answer_to(const Transaction& transaction, const Way& way, const smtp::Path& path) {
  const auto& have_it = transaction.have_it;
  if (std::find(have_it.begin(), have_it.end(), path.text) != have_it.end())
    return replies::taken_before();
  if (!way.handover) return replies::local_error();
  const auto& recipients = way.envelope.recipients;
  for (std::size_t i = 0; i < recipients.size(); ++i)
    if (recipients[i].path == path) return way.answer(i);
  return way.handover->reply;  // the envelope was not taken whole
}

// Of all addresses that a party stands for, and of those whom plugins added: he is not done before
// they are.
std::vector<smtp::Reply> answers_to(Transaction& transaction, const Party& party) {
  const plugin::Edits& edits = transaction.content->message.edits();
  std::vector<smtp::Reply> answers;
  for (const deliver::Recipient& to : wanted_by(party, edits))
    answers.push_back(answer_to(transaction, *party.way, to.path));
  if (answers.empty()) return answers;
  for (const smtp::Path& path : edits.added())
    answers.push_back(answer_to(transaction, transaction.way, path));
  return answers;
}

Transaction::Told told(Transaction& transaction, const Party& party) {
  if (party.refusal) return {party.refusal->reply, party.refusal->by};
  const std::vector<smtp::Reply> answers = answers_to(transaction, party);
  if (answers.empty()) return {replies::ok(), "dropped"};
  if (deliver::agreement(answers) == deliver::Agreement::taken)
    return {answers.front(), party.way->by};
  return {deliver::one_reply(answers), party.way->by};
}

bool is_taken(const Transaction::Told& one) { return one.reply.is_positive(); }

// 250 where it is taken for anybody, in the words of the downstream if they are the same for all.
Transaction::Told overall(const Transaction& transaction) {
  std::vector<smtp::Reply> heard;
  for (const std::size_t party : transaction.replies_due)
    heard.push_back(transaction.outcomes[party].reply);
  const auto& each = transaction.outcomes;
  const auto first = std::find_if(each.begin(), each.end(), is_taken);
  if (first == each.end()) return {deliver::one_reply(heard), each.front().by};
  const bool same = std::all_of(heard.begin(), heard.end(),
                                [&](const smtp::Reply& reply) { return reply == first->reply; });
  if (same) return *first;
  const auto taken = std::count_if(heard.begin(), heard.end(),
                                   [](const smtp::Reply& reply) { return reply.is_positive(); });
  return {{250, {2, 0, 0}, fmt::format("Taken for {} of {} recipients", taken, heard.size())},
          first->by};
}

}  // namespace

// The ways are gone at the same time: none holds a connection while it waits for another's, and the
// client waits for the slowest alone.
coro::Task<void> Session::hand_over_for_each(bool eight_bit) {
  Transaction& transaction = *transaction_;
  distribute(transaction);
  auto looked = co_await leave_out_those_who_have_it();
  if (context_.stopped()) co_return;
  const std::vector<Way*> ways = transaction.ways();
  const coro::TimePoint handed_over = services_.scheduler.now();
  coro::Group<void> handovers;
  for (Way* way : ways) {
    if (looked && !way->wanted.empty())
      handovers.add(deliver_by(*way, eight_bit));
    else
      way->delivery.reset();
  }
  co_await handovers.join();
  transaction.handover = services_.scheduler.now() - handed_over;
  const auto begun = [](const Way* way) { return way->handover.has_value(); };
  if (context_.stopped() && std::none_of(ways.begin(), ways.end(), begun)) co_return;
  bool comes_again = goes_unheard();
  for (const Party& party : transaction.parties) {
    transaction.outcomes.push_back(told(transaction, party));
    // He stands for several, and some of them have it.
    comes_again = comes_again ||
                  (!is_taken(transaction.outcomes.back()) &&
                   deliver::agreement(answers_to(transaction, party)) == deliver::Agreement::mixed);
  }
  if (comes_again) co_await coro::shielded(smtp::timeouts::end_of_data, remember_answers());
  conclude_each();
}

void Session::conclude_each() {
  Transaction& transaction = *transaction_;
  bool uncertain = false, closes = false;
  for (const Way* way : transaction.ways()) {
    tell_accepted(*way);
    uncertain = uncertain || (way->handover && way->handover->uncertain);
  }
  for (std::size_t i = 0; i < transaction.outcomes.size(); ++i) {
    const Party& party = transaction.parties[i];
    const Transaction::Told& one = transaction.outcomes[i];
    closes = closes || (party.refusal && party.refusal->closes);
    if (!is_taken(one))
      tell_rejected(plugin::Hook::message, one.reply, one.by, party.recipient->path().text,
                    party.refusal && party.refusal->closes);
  }
  const Transaction::Told whole = overall(transaction);
  conclude(whole.reply, whole.by, uncertain);
  if (closes) close(Ending::refused);
}

// All of it leaves in one write: a client never waits for the rest of it.
void Session::say_each(const smtp::Reply& same, std::string_view by) {
  Transaction& transaction = *transaction_;
  if (transaction.outcomes.empty())
    transaction.outcomes.assign(transaction.parties.size(), Transaction::Told{same, by});
  reply(replies::prdr_begins());
  for (const std::size_t party : transaction.replies_due) reply(transaction.outcomes[party].reply);
}

}  // namespace postern::session
