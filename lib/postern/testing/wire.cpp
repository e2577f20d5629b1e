#include <postern/base/text.hpp>
#include <postern/testing/wire.hpp>

namespace postern::testing {

std::string WireReply::text() const {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

coro::Task<Result<void>> Wire::fill(Duration limit) {
  if (stream_->input().empty()) {
    auto more = co_await stream_->more(limit);
    if (!more) co_return fail(more.error());
  }
  input_.append(stream_->input());
  stream_->consume(stream_->input().size());
  if (input_.size() > most_octets) co_return fail(Errc::too_long, "script input");
  co_return Result<void>();
}

std::string Wire::take(std::size_t octets) {
  std::string taken = input_.substr(0, octets);
  input_.erase(0, octets);
  return taken;
}

coro::Task<Result<std::string>> Wire::line(Duration limit) {
  std::size_t looked = 0;
  while (true) {
    const auto end = input_.find('\n', looked);
    if (end != std::string::npos) {
      std::string line = take(end + 1);
      line.pop_back();
      if (!line.empty() && line.back() == '\r') line.pop_back();
      co_return line;
    }
    looked = input_.size();
    auto filled = co_await fill(limit);
    if (!filled) co_return fail(filled.error());
  }
}

coro::Task<Result<std::string>> Wire::exactly(std::size_t octets, Duration limit) {
  while (input_.size() < octets) {
    auto filled = co_await fill(limit);
    if (!filled) co_return fail(filled.error());
  }
  co_return take(octets);
}

coro::Task<Result<WireReply>> Wire::reply(Duration limit) {
  WireReply reply;
  while (true) {
    auto line = co_await this->line(limit);
    if (!line) co_return fail(line.error());
    const auto code = to_number<int>(std::string_view(*line).substr(0, 3));
    const char mark = line->size() > 3 ? (*line)[3] : ' ';
    const bool same = reply.lines.empty() || code == reply.code;
    const bool right = code && *code >= 200 && *code <= 599 && same && (mark == ' ' || mark == '-');
    if (!right) co_return fail(Errc::malformed, *line);
    reply.code = *code;
    reply.lines.push_back(line->size() > 4 ? line->substr(4) : std::string());
    if (mark == ' ') co_return reply;
  }
}

coro::Task<Result<std::string>> Wire::message(Duration limit) {
  std::size_t looked = 0;
  while (true) {
    if (input_.rfind(".\r\n", 0) == 0) {
      take(3);
      co_return std::string();
    }
    const auto end = input_.find("\r\n.\r\n", looked);
    if (end != std::string::npos) {
      std::string message = take(end + 2);
      take(3);
      co_return message;
    }
    looked = input_.size() < 4 ? 0 : input_.size() - 4;
    auto filled = co_await fill(limit);
    if (!filled) co_return fail(filled.error());
  }
}

coro::Task<Result<std::string>> Wire::some(Duration limit) {
  if (input_.empty()) {
    auto filled = co_await fill(limit);
    if (!filled) co_return fail(filled.error());
  }
  co_return take(input_.size());
}

coro::Task<Result<std::string>> Wire::rest(Duration limit) {
  while (true) {
    auto filled = co_await fill(limit);
    if (filled) continue;
    if (filled.error().code != Errc::closed) co_return fail(filled.error());
    co_return take(input_.size());
  }
}

coro::Task<Result<void>> Wire::flush(Duration limit) {
  auto flushed = co_await stream_->flush(limit);
  co_return flushed;
}

std::string unstuff(std::string_view wire) {
  std::string out;
  bool at_start = true;
  for (std::size_t at = 0; at < wire.size(); ++at) {
    if (!(at_start && wire[at] == '.')) out += wire[at];
    at_start = wire[at] == '\n' && at > 0 && wire[at - 1] == '\r';
  }
  return out;
}

std::string stuff(std::string_view content) {
  std::string out;
  bool at_start = true;
  for (std::size_t at = 0; at < content.size(); ++at) {
    if (at_start && content[at] == '.') out += '.';
    out += content[at];
    at_start = content[at] == '\n' && at > 0 && content[at - 1] == '\r';
  }
  if (!at_start) out += "\r\n";
  out += ".\r\n";
  return out;
}

}  // namespace postern::testing
