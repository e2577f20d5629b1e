#include "matrix_client.hpp"

#include <postern/base/text.hpp>
#include <postern/testing/memory_stream.hpp>

#include <fmt/format.h>

#include "support/client.hpp"

namespace postern::simulation {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 24h;  // longer than any limit of ours

std::string rcpt_line(std::size_t index) {
  return fmt::format("RCPT TO:<{}>\r\n", recipients.at(index));
}

Step rcpt_step(std::size_t index) {
  return static_cast<Step>(static_cast<std::size_t>(Step::rcpt) + index);
}

}  // namespace

const std::array<std::string, 3> recipients{"a@example.net", "b@example.net", "c@example.net"};

std::string reverse_path(std::size_t message) { return fmt::format("m{}@client.example", message); }

// Dots at every place where one could be taken for something, lines of all lengths.
std::string content(const Cell& cell, std::size_t message) {
  testing::Random dice(cell.seed * MatrixClient::messages + message);
  std::string out = fmt::format("Subject: message {} of {}\r\n\r\n", message, cell.seed);
  const std::size_t least = cell.size == Size::memory ? 400 : 70'000;
  std::string letters(998, ' ');
  for (char& letter : letters) letter = static_cast<char>(' ' + dice.below(95));
  out += ".\r\n..\r\n.a\r\n\r\n";
  while (out.size() < least) {
    const std::size_t length = dice.below(dice.below(16) == 0 ? 998 : 78);
    if (dice.below(8) == 0) out += '.';
    out.append(letters, 0, length).append("\r\n");
  }
  if (dice.coin()) out += ".\r\n";
  return out;
}

void MatrixClient::send(std::string_view octets) {
  if (gone_) return;
  transcript_ += fmt::format("C: {}\n", printable(octets.substr(0, 120)));
  wire_.send(octets);
}

// True: the client's time has come, and it has done what it does.
bool MatrixClient::leave(Step step, bool heard) {
  const Leaving& leaving = cell_.leaving;
  const bool now = message_ == 0 && !gone_ && leaving.action != Action::stays &&
                   leaving.step == step && leaving.heard == heard;
  if (!now) return gone_;
  gone_ = true;
  transcript_ += "C: (leaves)\n";
  switch (leaving.action) {
    case Action::stays:
      break;
    case Action::half_closes:
      wire_.stream().end_output();
      break;
    case Action::closes:
      wire_.close();
      break;
    case Action::resets:
      wire_.stream().reset();
      break;
    case Action::vanishes:
      testing::MemoryStream::of(wire_.stream()).hang();
      break;
  }
  return true;
}

coro::Task<std::string> MatrixClient::hear() {
  if (ended_ || !wire_.open()) co_return "";
  auto reply = co_await wire_.reply(patience);
  if (!reply) {
    ended_ = true;
    transcript_ += fmt::format("S: ({})\n", reply.error().describe());
    co_return "";
  }
  const std::string line = fmt::format("{} {}\r\n", reply->code, reply->lines.back());
  transcript_ += "S: " + printable(line, 120) + "\n";
  co_return test::codes(line);
}

coro::Task<std::string> MatrixClient::step(Step step, std::string octets) {
  send(octets);
  leave(step, false);
  std::string heard = co_await hear();
  leave(step, true);
  co_return heard;
}

coro::Task<void> MatrixClient::talk() {
  co_await greet();
  for (message_ = 0; message_ < messages && !gone_ && !ended_; ++message_)
    co_await send_message(message_);
  if (!gone_ && !ended_) {
    send("QUIT\r\n");
    co_await hear();
  }
  // Whoever has vanished or half-closed still holds its end.
  while (!ended_ && wire_.open()) co_await hear();
  wire_.close();
}

coro::Task<void> MatrixClient::greet() {
  co_await step(Step::connect, "");
  co_await step(Step::ehlo, "EHLO client.example\r\n");
}

coro::Task<void> MatrixClient::send_message(std::size_t message) {
  Told& told = told_[message];
  if (cell_.client_pipelines)
    co_await send_group(message);
  else
    co_await send_envelope(message);
  if (told.data == "354") co_await send_content(message);
  if (gone_ || ended_ || told.data == "354") co_return;
  send("RSET\r\n");
  co_await hear();
}

coro::Task<void> MatrixClient::send_envelope(std::size_t message) {
  Told& told = told_[message];
  if (gone_) co_return;
  told.begun = true;
  std::string line = fmt::format("MAIL FROM:<{}>\r\n", reverse_path(message));
  told.mail = co_await step(Step::mail, std::move(line));
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    line = rcpt_line(i);
    told.rcpt[i] = co_await step(rcpt_step(i), std::move(line));
  }
  told.data = co_await step(Step::data, "DATA\r\n");
}

// One write, then all the replies; the client leaves at DATA if it leaves before.
coro::Task<void> MatrixClient::send_group(std::size_t message) {
  Told& told = told_[message];
  if (gone_) co_return;
  told.begun = true;
  std::string group = fmt::format("MAIL FROM:<{}>\r\n", reverse_path(message));
  for (std::size_t i = 0; i < recipients.size(); ++i) group += rcpt_line(i);
  send(group + "DATA\r\n");
  leave(Step::mail, false);
  leave(Step::rcpt, false);
  leave(Step::data, false);
  told.mail = co_await hear();
  leave(Step::mail, true);
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    told.rcpt[i] = co_await hear();
    leave(rcpt_step(i), true);
  }
  told.data = co_await hear();
  leave(Step::data, true);
}

// `body`: half of it is sent; "heard" is then half of its end.
coro::Task<void> MatrixClient::send_content(std::size_t message) {
  Told& told = told_[message];
  const std::string wire = testing::stuff(content(cell_, message));
  const std::size_t half = wire.size() / 2;
  send(std::string_view(wire).substr(0, half));
  if (leave(Step::body, false)) co_return;
  send(std::string_view(wire).substr(half, wire.size() - half - 2));
  if (leave(Step::body, true)) co_return;
  told.sent_all = true;
  std::string end = wire.substr(wire.size() - 2);
  told.final = co_await step(Step::end_of_data, std::move(end));
}

}  // namespace postern::simulation
