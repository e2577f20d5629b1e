#include <postern/session/transaction.hpp>

namespace postern::session {

std::string_view name(Decider decider) {
  switch (decider) {
    case Decider::core:
      return "core";
    case Decider::recipients:
      return "core:recipients";
    case Decider::downstream:
      return "downstream";
  }
  return "core";
}

void Transaction::hear(std::string path, const smtp::Reply& reply, Decider by) {
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

}  // namespace postern::session
