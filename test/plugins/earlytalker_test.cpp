// earlytalker: who speaks before his turn does not listen.
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/client.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

TEST_CASE("earlytalker: refuses who speaks before the greeting, and nobody else",
          "[plugins][earlytalker][line:8]") {
  struct Row {
    const char* why;
    net::Duration speaks_at;
    bool refused;
  };
  const auto row = GENERATE(values<Row>({
      {"at once", 0ms, true},
      {"while the greeting waits", 900ms, true},
      {"when it was greeted", 1100ms, false},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load("earlytalker", "wait = \"1s\"");
  test::Client client(h);
  if (row.speaks_at > 0ms) h.run_for(row.speaks_at);
  client.send("EHLO early.example\r\n");
  CHECK(client.hear(5s) == (row.refused ? "554 5.5.1" : "220, 250"));
  CHECK(client.ended() == row.refused);
  client.close();
  CHECK(h.end() == "");
  CHECK(test::contains(test::all_records(h), "\"spoke\":true") == row.refused);
}

TEST_CASE("earlytalker: refuses at once, without the rest of the wait", "[plugins][earlytalker]") {
  Harness h;
  h.load("earlytalker", "wait = \"30s\"");
  h.client.connect();
  h.client.send("EHLO early.example\r\n");
  CHECK(in_one_line(h.client.greeting()) == "554 5.5.1 You spoke before the greeting");
  CHECK(h.sim.elapsed() < 1s);
  CHECK(h.client.rest().empty());
  CHECK(h.end() == "");
}

TEST_CASE("earlytalker: a client that goes during the wait has not spoken",
          "[plugins][earlytalker]") {
  const std::string how = GENERATE("half-close", "close", "reset");
  CAPTURE(how);
  Harness h;
  h.load("earlytalker", "wait = \"10s\"");
  test::Client client(h);
  h.run_for(1s);
  if (how == "half-close") client.half_close();
  if (how == "close") client.close();
  if (how == "reset") client.reset();
  if (how == "half-close") {
    const std::string heard = client.read(20s);
    CHECK(heard.find("554") == std::string::npos);
    CHECK(heard.find("5.5.1") == std::string::npos);
    CHECK(client.ended());
  } else {
    h.run_for(1s);
  }
  CHECK(h.running() == 0);
  CHECK(h.end() == "");
  CHECK_FALSE(test::contains(test::all_records(h), "\"spoke\":true"));
  CHECK_FALSE(test::contains(test::all_records(h), "\"effect\":\"refused\""));
}

TEST_CASE("earlytalker: a client that we relay for does not wait, wherever relay stands",
          "[plugins][earlytalker]") {
  const bool relay_first = GENERATE(true, false);
  Harness h;
  if (relay_first) h.load("relay", "clients = [\"192.0.2.1\"]");
  h.load("earlytalker", "wait = \"30s\"");
  if (!relay_first) h.load("relay", "clients = [\"192.0.2.1\"]");
  CHECK(test::arrive(h).code == 220);
  CHECK(h.sim.elapsed() < 1s);
  CHECK(h.end() == "");
}

TEST_CASE("earlytalker: what was said early is not lost where it is let in",
          "[plugins][earlytalker]") {
  struct Row {
    const char* keys;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"mode = \"observe\"", "220, 250, 250 2.1.0, 250 2.0.0"},
      {"enforce_at = \"mail\"", "220, 250, 550 5.5.1, 503 5.5.1"},
      {"enforce_at = \"rcpt\"", "220, 250, 250 2.1.0, 550 5.5.1"},
      {"mode = \"defer\"", "421 4.5.1"},
      {"mode = \"defer\"\nenforce_at = \"mail\"", "220, 250, 450 4.5.1, 503 5.5.1"},
  }));
  CAPTURE(row.keys);
  Harness h;
  h.load("earlytalker", row.keys);
  test::Client client(h);
  client.send("EHLO early.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n");
  CHECK(client.hear(5s) == row.heard);
  client.close();
  CHECK(h.end() == "");
}

TEST_CASE("earlytalker: a hundred clients wait together", "[plugins][earlytalker]") {
  Harness h;
  h.load("earlytalker", "wait = \"1s\"");
  std::vector<std::unique_ptr<testing::HarnessClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<testing::HarnessClient>(h));
    clients.back()->connect();
  }
  for (auto& client : clients) CHECK(client->greeting().code == 220);
  CHECK(h.sim.elapsed() < 1100ms);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("earlytalker: nobody may send content behind DATA before 354",
          "[plugins][earlytalker][line:8]") {
  struct Row {
    const char* why;
    const char* keys;
    const char* sent;
    const char* heard;
  };
  const std::string envelope = "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n";
  const auto row = GENERATE(values<Row>({
      {"content with DATA", "check_at = [\"data\"]", "DATA\r\nSubject: s\r\n\r\nb\r\n.\r\n",
       "503 5.5.1"},
      {"commands as content", "check_at = [\"data\"]",
       "DATA\r\nRSET\r\nMAIL FROM:<evil@b.example>\r\n", "503 5.5.1"},
      {"DATA last in a group, as RFC 2920 has it", "check_at = [\"data\"]", "DATA\r\n", "354"},
      {"not asked for", "check_at = [\"connect\"]", "DATA\r\nSubject: s\r\n\r\nb\r\n.\r\n",
       "354, 250 2.0.0"},
      {"at both", "check_at = [\"connect\", \"data\"]", "DATA\r\nb\r\n.\r\n", "503 5.5.1"},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load("earlytalker", row.keys);
  test::Client client(h);
  CHECK(client.hear(2s) == "220");
  CHECK(client.say("EHLO client.example\r\n") == "250");
  const std::string heard = client.say(envelope + row.sent, 5s);
  const std::string start = std::string("250 2.1.0, 250 2.0.0, ") + row.heard;
  CHECK(heard.substr(0, start.size()) == start);
  CHECK(h.downstream.promised() == (test::contains(row.heard, "2.0.0") ? 1 : 0));
  client.close();
  CHECK(h.end() == "");
  for (const auto& session : h.downstream.sessions())
    for (const std::string& command : session.commands)
      CHECK_FALSE(test::contains(command, "evil@b.example"));
}

TEST_CASE("earlytalker: looking at DATA alone does not hold the greeting",
          "[plugins][earlytalker]") {
  Harness h;
  h.load("earlytalker", "check_at = [\"data\"]\nwait = \"30s\"");
  h.client.connect();
  h.client.send("EHLO client.example\r\n");
  CHECK(h.client.greeting().code == 220);
  CHECK(h.client.reply().code == 250);
  CHECK(h.sim.elapsed() < 1s);
  CHECK(h.end() == "");
}
