#include <postern/deliver/connection.hpp>

#include <algorithm>

namespace postern::deliver {

coro::Task<Result<smtp::Reply>> Connection::reply(net::Duration limit) {
  coro::Context* context = co_await coro::current_context();
  const coro::TimePoint due = context->scheduler().now() + limit;
  while (true) {
    const auto fed = parser_.feed(stream_->input());
    stream_->consume(fed.consumed);
    if (fed.state == smtp::ReplyParser::State::done) {
      smtp::Reply heard = parser_.reply();
      if (heard.is_transient() || heard.is_permanent()) ++refusals;
      co_return heard;
    }
    if (fed.state == smtp::ReplyParser::State::malformed)
      co_return fail(Errc::malformed, "the downstream's reply");
    const auto left = std::max(due - context->scheduler().now(), net::Duration::zero());
    auto more = co_await stream_->more(left);
    if (!more) co_return fail(more.error());
  }
}

coro::Task<Result<smtp::Reply>> Connection::command(std::string line, net::Duration limit) {
  stream_->write(line);
  return reply(limit);
}

coro::Task<Result<std::vector<smtp::Reply>>> Connection::commands(std::vector<std::string> lines,
                                                                  net::Duration limit) {
  if (offers.pipelining) {
    std::string group;
    for (const std::string& line : lines) group += line;
    stream_->write(group);
  }
  std::vector<smtp::Reply> replies;
  for (const std::string& line : lines) {
    if (!offers.pipelining) stream_->write(line);
    auto answer = co_await reply(limit);
    if (!answer) co_return fail(answer.error());
    replies.push_back(std::move(*answer));
    if (replies.back().code() == 421) break;  // nothing follows it (RFC 5321 section 3.8)
    if (!offers.pipelining && !replies.back().is_positive()) break;
  }
  co_return replies;
}

void Connection::send_and_forget(std::string_view line) {
  stream_->write(line);
  ++owed_;
}

coro::Task<Result<void>> Connection::settle(net::Duration limit) {
  for (; owed_ > 0; --owed_) {
    auto answer = co_await reply(limit);
    if (!answer) co_return fail(answer.error());
    if (!answer->is_positive()) co_return fail(Errc::closed, "the downstream refused RSET");
  }
  const std::string_view unasked = stream_->input();
  if (!unasked.empty() && !unasked.starts_with("421"))
    co_return fail(Errc::malformed, "a reply to nothing");
  co_return Result<void>();
}

}  // namespace postern::deliver
