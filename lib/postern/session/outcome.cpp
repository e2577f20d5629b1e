#include <postern/session/outcome.hpp>
#include <postern/smtp/replies.hpp>

#include <fmt/core.h>

#include <algorithm>

namespace postern::session {
namespace {

using policy::Mixed;

// X-Postern-Tag is ours alone: what the client put in is no finding of ours.
constexpr std::string_view tag_field = "X-Postern-Tag";

void add_tags(std::vector<std::string>& out, const Marks& marks, const plugin::Lineup& lineup) {
  for (const Marks::Tag& tag : marks.tags) {
    std::string value = fmt::format("{} {}", lineup.instance_name(tag.instance), tag.text);
    std::replace(value.begin(), value.end(), '\n', ' ');
    if (std::find(out.begin(), out.end(), value) == out.end()) out.push_back(std::move(value));
  }
}

std::vector<std::string> tags_of(const Transaction& transaction, const Hearing& hearing) {
  std::vector<std::string> tags;
  const plugin::Lineup& lineup = transaction.lineup();
  add_tags(tags, hearing.client_marks(), lineup);
  add_tags(tags, hearing.hello_marks(), lineup);
  add_tags(tags, transaction.marks, lineup);
  for (const Party& party : transaction.parties) add_tags(tags, *party.marks, lineup);
  return tags;
}

}  // namespace

std::optional<Refusal> refusal_of_all(const std::vector<Party>& parties) {
  std::optional<Refusal> refusal;
  for (const Party& party : parties) {
    if (!party.refusal) return {};
    if (!refusal || party.refusal->reply.is_transient()) refusal = party.refusal;
  }
  return refusal;
}

std::optional<Refusal> outcome_of(Transaction& transaction) {
  std::optional<Refusal> strictest;
  Mixed mixed = Mixed::lenient;
  std::size_t refused = 0;
  for (const Party& party : transaction.parties) {
    if (!party.refusal) continue;
    ++refused;
    if (!strictest || party.refusal->reply.is_transient()) strictest = party.refusal;
    mixed = std::min(mixed, party.policy().mixed());  // in the order of the enumeration
  }
  if (refused == 0) return {};
  if (refused == transaction.parties.size()) return strictest;
  switch (mixed) {
    case Mixed::lenient:
      return {};
    case Mixed::strictest:
      return strictest;
    case Mixed::split:
      break;
  }
  return Refusal{smtp::replies::split_recipients(), by_mixed};
}

std::vector<deliver::Recipient> recipients_of(const Transaction& transaction) {
  const plugin::Edits& edits = transaction.content->message.edits();
  std::vector<deliver::Recipient> wanted;
  for (const Party& party : transaction.parties)
    if (!party.dropped)
      for (deliver::Recipient& to : party.recipient->delivered()) wanted.push_back(std::move(to));
  std::erase_if(wanted, [&](const deliver::Recipient& to) {
    return std::find(edits.removed().begin(), edits.removed().end(), to.path) !=
           edits.removed().end();
  });
  for (const smtp::Path& path : edits.added()) wanted.push_back({path, {}});
  return wanted;
}

bool same_paths(const std::vector<deliver::Recipient>& a,
                const std::vector<deliver::Recipient>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.path == y.path; });
}

Result<deliver::Message> prepare(Transaction& transaction, const Hearing& hearing,
                                 std::string trace, deliver::Spool& edited) {
  plugin::Message& received = transaction.content->message;
  const plugin::Edits& edits = received.edits();
  const std::vector<std::string> tags = tags_of(transaction, hearing);
  const bool false_tags =
      transaction.lineup().ever_tags() && received.header().count(tag_field) > 0;
  if (edits.body()) edited.tail() = *edits.body();
  deliver::Message message(edits.body() ? edited : transaction.content->spool);
  message.eight_bit_header = received.header().has(mail::Oddity::eight_bit);
  message.trace = std::move(trace);
  if (!edits.change_content() && tags.empty() && !false_tags) return message;
  mail::HeaderSection header = received.header();
  if (false_tags) header.remove_all(tag_field);
  if (auto applied = edits.apply(header); !applied) return fail(applied.error());
  for (const std::string& tag : tags)
    if (auto added = header.add_top(tag_field, tag); !added) return fail(added.error());
  header.append_to(message.trace);
  message.begin = edits.body() ? 0 : received.body_offset();
  return message;
}

}  // namespace postern::session
