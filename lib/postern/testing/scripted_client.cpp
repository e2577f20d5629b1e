#include <postern/base/text.hpp>
#include <postern/testing/memory_stream.hpp>
#include <postern/testing/scripted_client.hpp>

#include <fmt/format.h>

namespace postern::testing {

void ScriptedClient::send(std::string_view octets) {
  transcript_ += fmt::format("C: {}\n", printable(octets, 200));
  wire_.send(octets);
}

coro::Task<Result<WireReply>> ScriptedClient::reply() {
  auto reply = co_await wire_.reply(limit_);
  if (!reply)
    transcript_ += fmt::format("S: ({})\n", reply.error().describe());
  else
    transcript_ += fmt::format("S: {} {}\n", reply->code, printable(reply->text(), 200));
  co_return reply;
}

coro::Task<WireReply> ScriptedClient::expect(int code) {
  auto got = co_await reply();
  if (!got || got->code != code)
    throw ScriptFailed(fmt::format("expected {}, in:\n{}", code, transcript_));
  co_return std::move(*got);
}

coro::Task<WireReply> ScriptedClient::command(std::string line, int code) {
  line += "\r\n";
  send(line);
  auto got = co_await expect(code);
  co_return got;
}

coro::Task<WireReply> ScriptedClient::message(std::string content, int code) {
  send(stuff(content));
  auto got = co_await expect(code);
  co_return got;
}

coro::Task<Result<std::string>> ScriptedClient::until_end() {
  auto rest = co_await wire_.rest(limit_);
  transcript_ += fmt::format("S: ({})\n", rest ? "end" : rest.error().describe());
  co_return rest;
}

void ScriptedClient::vanish() {
  transcript_ += "C: (vanishes)\n";
  MemoryStream::of(wire_.stream()).hang();
}

}  // namespace postern::testing
