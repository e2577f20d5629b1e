#include <postern/session/transaction.hpp>

#include <algorithm>

namespace postern::session {

void Transaction::hear(std::string path, const smtp::Reply& reply, std::string_view by) {
  if (reply.is_positive()) ++accepted;
  if (heard.size() < most_heard || reply.is_positive())
    heard.push_back({std::move(path), reply, by});
  else
    ++unlisted;
}

const smtp::Reply* Transaction::accepted_before(std::string_view path) const {
  for (const Heard& each : heard) {
    if (each.reply.is_positive() && each.path == path) return &each.reply;
  }
  return nullptr;
}

void Transaction::ask_about(deliver::Recipient received) {
  plugin::Recipient& recipient =
      add(std::make_unique<plugin::Recipient>(*this, std::move(received)));
  Party& party = parties.emplace_back(recipient, recipient_marks.emplace_back(), trail);
  party.recipient = &recipient;
  if (heard.size() < most_heard) party.number = static_cast<std::uint16_t>(heard.size() + 1);
}

void Transaction::drop_last() {
  parties.pop_back();
  recipient_marks.pop_back();
  remove_last();
}

bool Transaction::partly_taken() const {
  return std::any_of(answers.begin(), answers.end(),
                     [](const smtp::Reply& answer) { return answer.is_positive(); });
}

}  // namespace postern::session
