// p0f: which system a client runs, by a p0f that the test plays (README of p0f 3.09, section 4).
#include <algorithm>
#include <cstring>
#include <deque>
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

const ServerAddress there = ServerAddress::local("/run/p0f");

template <typename Number>
void put(std::string& out, std::size_t at, Number value) {
  std::memcpy(out.data() + at, &value, sizeof value);
}
void put(std::string& out, std::size_t at, const char* text) {
  out.replace(at, strlen(text), text);
}

std::string answer(std::uint32_t status) {
  std::string out(232, '\0');
  put(out, 0, std::uint32_t{0x50304602});
  put(out, 4, status);
  put(out, 36, std::int16_t{-1});
  return out;
}
std::string windows() {
  std::string out = answer(0x10);
  put(out, 20, std::uint32_t{90});
  put(out, 36, std::int16_t{12});
  out[39] = 1;
  put(out, 40, "Windows");
  put(out, 72, "XP");
  put(out, 104, "IE");
  put(out, 168, "DSL");
  put(out, 200, "English");
  return out;
}
const std::string unknown = answer(0x20);

// Answers each question with the next of `answers`, and the last of them again; then keeps silent,
// or hangs up.
struct P0f {
  std::deque<std::string> answers;
  bool hangs_up = false;
  std::size_t connections = 0;
  std::vector<std::string> questions;

  explicit P0f(Harness& h, std::deque<std::string> a = {windows()}) : answers(std::move(a)) {
    h.network.listen(there, [this](net::StreamPtr stream) { return serve(std::move(stream)); });
  }
  coro::Task<void> serve(net::StreamPtr stream) {
    ++connections;
    while (true) {
      while (stream->input().size() < 21) {
        auto more = co_await stream->more(coro::forever);
        if (!more) co_return;
      }
      questions.emplace_back(stream->input().substr(0, 21));
      stream->consume(21);
      if (!answers.empty()) stream->write(answers.front());
      if (answers.size() > 1) answers.pop_front();
      if (hangs_up) co_return;
    }
  }
};

void load(Harness& h, const std::string& keys = "") {
  h.load("p0f", "socket = \"/run/p0f\"\n" + keys);
}

std::string send(Harness& h, const char* client = "192.0.2.1",
                 const char* content = "Subject: s\r\n\r\n") {
  test::Letter letter;
  letter.client = client;
  letter.content = content;
  const std::string heard = in_one_line(test::whole_dialogue(h, letter));
  h.client.close();
  h.run_for(1s);
  return heard.starts_with("nowhere 250") ? "taken" : heard;
}

}  // namespace

TEST_CASE("p0f: refuses systems by what p0f calls them", "[plugins][p0f]") {
  struct Row {
    const char* why;
    const char* blocked;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"a phrase with a blank", "\"/windows xp/\"", "rcpt 550 5.7.1 OS Blocked"},
      {"the very phrase", "\"/^Windows XP$/\"", "rcpt 550 5.7.1 OS Blocked"},
      {"with a text", "\"/windows (xp|2000)/ Get a newer one\"", "rcpt 550 5.7.1 Get a newer one"},
      {"another system", "\"/linux/\", \"/^windows$/\"", "taken"},
      {"none", "", "taken"},
  }));
  CAPTURE(row.why);
  Harness h;
  const P0f p0f(h);
  load(h, std::string("blocked = [") + row.blocked + "]");
  CHECK(send(h) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("p0f: the question has 21 octets, of IPv4 and of IPv6", "[plugins][p0f]") {
  Harness h;
  const P0f p0f(h);
  load(h);
  CHECK(send(h, "192.0.2.1") == "taken");
  CHECK(send(h, "2001:db8::7") == "taken");
  CHECK(h.end() == "");
  REQUIRE(p0f.questions.size() == 2);
  std::string magic(4, '\0');
  put(magic, 0, std::uint32_t{0x50304601});
  CHECK(p0f.questions[0] == magic + std::string("\4\xc0\0\2\1", 5) + std::string(12, '\0'));
  CHECK(p0f.questions[1] ==
        magic + std::string("\6\x20\1\x0d\xb8", 5) + std::string(11, '\0') + '\7');
}

TEST_CASE("p0f: the record tells what was found out", "[plugins][p0f]") {
  Harness h;
  const P0f p0f(h);
  load(h);
  CHECK(send(h) == "taken");
  CHECK(h.end() == "");
  const std::string records = test::all_records(h);
  for (const char* part : {"\"system\":\"Windows XP\"", "\"link\":\"DSL\"", "\"distance\":12",
                           "\"uptime_minutes\":90", "\"match\":1"})
    CHECK(test::contains(records, part));
  CHECK_FALSE(test::contains(records, "English"));
}

TEST_CASE("p0f: a client whose packets p0f has not seen yet is asked about again",
          "[plugins][p0f]") {
  Harness h;
  const P0f p0f(h, {unknown, unknown, windows()});
  load(h, "blocked = [\"/windows/\"]");
  CHECK(send(h) == "rcpt 550 5.7.1 OS Blocked");
  CHECK(h.end() == "");
  CHECK(p0f.questions.size() == 3);
  CHECK(p0f.connections == 1);
}

TEST_CASE(
    "p0f: a client that it never sees is let in, and after a tenth of a second it is not asked",
    "[plugins][p0f]") {
  Harness h;
  const P0f p0f(h, {unknown});
  load(h, "blocked = [\"/./\"]\non_error = \"reject\"\nenforce_at = \"now\"");
  CHECK(send(h) == "taken");
  CHECK(h.end() == "");
  CHECK(p0f.questions.size() == 5);
  CHECK(test::contains(test::all_records(h), "\"seen\":false"));
}

TEST_CASE("p0f: a system that p0f does not know is no system", "[plugins][p0f]") {
  Harness h;
  const P0f p0f(h, {answer(0x10)});
  load(h, "blocked = [\"/^/\"]");
  CHECK(send(h) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("p0f: what is no answer is an error, in time, and on_error decides", "[plugins][p0f]") {
  const std::string kind =
      GENERATE("nobody", "connects not", "silence", "short", "short and silent", "magic", "bad");
  const std::string on_error = GENERATE("", "on_error = \"reject\"");
  CAPTURE(kind, on_error);
  Harness h;
  std::string wrong_magic = windows();
  wrong_magic[0] = 'x';
  P0f p0f(h);
  if (kind == "nobody") h.network.fail(there, Errc::not_found);
  if (kind == "connects not") h.network.silence(there);
  if (kind == "silence") p0f.answers = {};
  if (kind.starts_with("short")) p0f.answers = {windows().substr(0, 231)};
  if (kind == "short") p0f.hangs_up = true;
  if (kind == "magic") p0f.answers = {wrong_magic};
  if (kind == "bad") p0f.answers = {answer(0)};
  load(h, "blocked = [\"/windows/\"]\nenforce_at = \"now\"\n" + on_error);
  const auto begun = h.sim.elapsed();
  test::arrive(h);
  CHECK(h.sim.elapsed() - begun <= 101ms);
  h.client.close();
  CHECK(send(h) == (on_error.empty() ? "taken" : "connect 554 5.3.0 This cannot be checked here"));
  CHECK(h.end() == "");
}

TEST_CASE("p0f: octets that are no text do not get into replies and fields", "[plugins][p0f]") {
  Harness h;
  std::string hostile = windows();
  put(hostile, 40, "Win\r\nX-Evil: 1\xff");
  put(hostile, 168, "12345678901234567890123456789012");  // without a NUL
  const P0f p0f(h, {hostile});
  load(h, "add_headers = true");
  CHECK(send(h) == "taken");
  CHECK(h.end() == "");
  REQUIRE(h.downstream.ledger().size() == 1);
  const std::string content = h.downstream.ledger()[0].content;
  CHECK(test::contains(content, "X-P0F-Genre: Win??X-Evil: 1?\r\n"));
  CHECK(test::contains(content, "X-P0F-Link-Type: 12345678901234567890123456789012\r\n"));
}

TEST_CASE("p0f: messages tell it on request, and no client can forge it", "[plugins][p0f]") {
  const bool adds = GENERATE(false, true);
  Harness h;
  const P0f p0f(h);
  load(h, adds ? "add_headers = true" : "");
  CHECK(send(h, "192.0.2.1", "X-P0F-Genre: ZZ\r\nSubject: s\r\n\r\n") == "taken");
  CHECK(h.end() == "");
  REQUIRE(h.downstream.ledger().size() == 1);
  const std::string content = h.downstream.ledger()[0].content;
  CHECK(test::contains(content, "ZZ") == !adds);
  for (const char* field : {"X-P0F-Genre: Windows\r\n", "X-P0F-Detail: XP\r\n",
                            "X-P0F-Link-Type: DSL\r\n", "X-P0F-Distance: 12\r\n"})
    CHECK(test::contains(content, field) == adds);
}

TEST_CASE("p0f: some systems cost a point with karma", "[plugins][p0f][karma]") {
  const bool naughty = GENERATE(false, true);
  Harness h;
  const P0f p0f(h);
  h.load("karma", "strikes = 1\naccepted = 0");
  load(h, naughty ? "naughty = [\"/windows/\"]" : "naughty = [\"/linux/\"]");
  CHECK(send(h) == "taken");
  CHECK(send(h) == (naughty
                        ? "rcpt 550 5.7.1 You were naughty. You cannot connect for 1.00 more days."
                        : "taken"));
  CHECK(h.end() == "");
}

TEST_CASE("p0f: clients of one address are asked about once at a time", "[plugins][p0f]") {
  Harness h;
  const P0f p0f(h, {unknown});
  load(h);
  std::vector<net::StreamPtr> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(h.connect());
  SECTION("all wait for the first") {
    h.run_for(1s);
    CHECK(p0f.connections == 1);
  }
  SECTION("who asked goes, another asks") {
    h.run_for(30ms);
    clients.erase(clients.begin());
    h.run_for(1s);
    CHECK(p0f.connections == 2);
    CHECK(p0f.questions.size() > 5);
  }
  clients.clear();
  CHECK(h.end() == "");
}
