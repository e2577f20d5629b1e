#include <postern/deliver/answers.hpp>
#include <postern/smtp/replies.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::deliver {
namespace {

bool is_positive(const smtp::Reply& reply) { return reply.is_positive(); }
bool is_transient(const smtp::Reply& reply) { return reply.is_transient(); }

}  // namespace

Agreement agreement(const std::vector<smtp::Reply>& each) {
  const auto count = [&](auto which) {
    return static_cast<std::size_t>(std::count_if(each.begin(), each.end(), which));
  };
  const std::size_t taken = count(is_positive), later = count(is_transient);
  if (taken == each.size()) return Agreement::taken;
  if (taken > 0 || (later > 0 && later < each.size())) return Agreement::mixed;
  return Agreement::refused;
}

smtp::Reply one_reply(const std::vector<smtp::Reply>& each) {
  if (each.size() == 1) return each.front();
  if (agreement(each) == Agreement::taken)
    return {250, {2, 0, 0}, fmt::format("Taken for {} recipients", each.size())};
  if (std::any_of(each.begin(), each.end(), is_positive)) return smtp::replies::split_recipients();
  const auto later = std::find_if(each.begin(), each.end(), is_transient);
  return later == each.end() ? each.front() : *later;
}

}  // namespace postern::deliver
