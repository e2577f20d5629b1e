#include <postern/session/transaction.hpp>

#include <algorithm>

namespace postern::session {
namespace {

constexpr std::size_t few = 4;  // RCPTs of an ordinary transaction

struct Asked final : plugin::Recipient {
  using plugin::Recipient::Recipient;
  Marks marks;
};

}  // namespace

void Transaction::hear(std::string path, const smtp::Reply& reply, std::string_view by) {
  if (reply.is_positive()) ++accepted;
  if (heard.size() >= most_heard && !reply.is_positive()) {
    ++unlisted;
    return;
  }
  if (heard.empty()) heard.reserve(few);
  heard.push_back({std::move(path), reply, by});
}

const smtp::Reply* Transaction::accepted_before(std::string_view path) const {
  for (const Heard& each : heard) {
    if (each.reply.is_positive() && each.path == path) return &each.reply;
  }
  return nullptr;
}

void Transaction::ask_about(deliver::Recipient received) {
  auto asked = std::make_unique<Asked>(*this, std::move(received));
  Asked& recipient = *asked;
  add(std::move(asked));
  Party& party = parties.emplace_back(recipient, recipient.marks, trail);
  party.recipient = &recipient;
  if (heard.size() < most_heard) party.number = static_cast<std::uint16_t>(heard.size() + 1);
}

std::size_t Transaction::Content::take(std::string_view input) {
  std::string thrown_away;
  decoder.feed(chunk.take(input), spooled ? spool.tail() : thrown_away);
  return decoder.consumed();
}

void Transaction::Content::finish() {
  std::string thrown_away;
  decoder.finish(spooled ? spool.tail() : thrown_away);
}

std::string Transaction::drop_last() {
  plugin::Recipient& last = *parties.back().recipient;
  // Tasks that have not unwound may still look at it.
  std::string path = last.tasks() == 0 ? last.take_text() : last.path().text;
  parties.pop_back();
  remove_last();
  return path;
}

const smtp::Reply& Way::answer(std::size_t index) const {
  return handover->each.empty() ? handover->reply : handover->each[index];
}

void Transaction::count_reply_due(std::string_view path) {
  if (!parameters().prdr) return;
  const auto named = [&](const Party& party) { return party.recipient->path().text == path; };
  const auto party = std::find_if(parties.begin(), parties.end(), named);
  if (party == parties.end()) return;
  replies_due.push_back(static_cast<std::size_t>(party - parties.begin()));
}

Way& Transaction::add_way(deliver::Route& route) {
  const deliver::Envelope& common = envelope();
  OtherWay& added = *other_ways.emplace_back(std::make_unique<OtherWay>(common.client));
  added.envelope.id = common.id;
  added.envelope.reverse_path = common.reverse_path;
  added.envelope.parameters = common.parameters;
  added.way.route = &route;
  return added.way;
}

std::vector<Way*> Transaction::ways() {
  std::vector<Way*> all{&way};
  for (const auto& other : other_ways) all.push_back(&other->way);
  return all;
}

bool Transaction::partly_taken() const {
  const auto taken = [](const smtp::Reply& answer) { return answer.is_positive(); };
  if (outcomes.empty()) return std::any_of(answers.begin(), answers.end(), taken);
  const auto told = [](const Told& one) { return one.reply.is_positive(); };
  return std::any_of(outcomes.begin(), outcomes.end(), told) &&
         !std::all_of(outcomes.begin(), outcomes.end(), told);
}

}  // namespace postern::session
