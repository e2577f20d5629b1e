// The suite `smtp-dialogues`: what other servers' tests say and hear, end-to-end through a session.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "suite_file.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {

// Where we answer otherwise, and why.
struct Deviation {
  const char* dialogue;
  const char* wanted;  // as the suite has it
  const char* ours;
  const char* why;
};
constexpr Deviation deviations[] = {
    {"mailfrom.at-sign", "ok", "501 5.1.7", "RFC 5321 section 4.1.2: a path has a mailbox"},
    {"mailfrom.src-route", "ok", "501 5.1.7",
     "RFC 5321 section 4.1.2: a source route begins with @"},
    {"mailfrom.option-size", "ok", "555 5.5.4",
     "RFC 5321 section 4.1.1.1: no parameters after HELO"},
    {"mailfrom.option-7bit", "ok", "555 5.5.4",
     "RFC 5321 section 4.1.1.1: no parameters after HELO"},
    {"mailfrom.option-8bitmime", "ok", "555 5.5.4", "RFC 5321 section 4.1.1.1: as above"},
    {"mailfrom.option-8bitmime-size", "ok", "555 5.5.4", "RFC 5321 section 4.1.1.1: as above"},
    {"mailfrom.option-auth", "ok", "555 5.5.4", "RFC 5321 section 4.1.1.1: as above"},
    {"bad_data", "554", "250 2.0.0",
     "RFC 5322 is the author's to hold to; we refuse it where a site asks"},
    {"bad_data_dot", "521", "550 5.6.11",
     "RFC 5321 section 2.3.8: refused, and the session goes on"},
    {"line_too_long", "554", "500 5.5.2", "RFC 5321 section 4.5.3.1.9: 500 line too long"},
    {"bad_mail_from", "500", "501 5.5.4",
     "RFC 5321 section 4.2.2: 501 is for parameters and arguments"},
};

class Dialogue {
 public:
  explicit Dialogue(std::string name) : name_(std::move(name)) {
    for (const char* mailbox : {"root@localhost", "eric@localhost", "user@testserver"})
      world_.recipients.add_recipient(mailbox);
    world_.settings.message_octets = 1 << 20;
    world_.deliver_to_maildir();
  }

  void connect() { client_ = std::make_unique<test::Client>(world_); }
  void step(const Json& step);
  void end() {
    client_.reset();
    CHECK(world_.end() == "");
  }
  testing::Tree stored() const { return world_.files.tree(); }
  const std::set<const Deviation*>& met() const { return met_; }

 private:
  std::string next_reply();  // its code; "" when none comes
  void expect(const std::string& wanted, const std::string& got, bool good);

  test::World world_;
  std::string name_;
  std::unique_ptr<test::Client> client_;
  std::string heard_;
  std::set<const Deviation*> met_;
};

std::string Dialogue::next_reply() {
  heard_ += client_->read(5s);
  std::size_t end = 0;
  while (true) {
    const auto line_end = heard_.find("\r\n", end);
    if (line_end == std::string::npos) return "";
    const bool last = line_end < end + 4 || heard_[end + 3] != '-';
    end = line_end + 2;
    if (last) break;
  }
  const std::string reply = test::codes(heard_.substr(0, end));
  heard_.erase(0, end);
  return reply;
}

void Dialogue::expect(const std::string& wanted, const std::string& got, bool good) {
  if (good) return;
  for (const Deviation& each : deviations) {
    if (name_ != each.dialogue || wanted != each.wanted || got != each.ours) continue;
    met_.insert(&each);
    return;
  }
  FAIL_CHECK(fmt::format("{}: expected {}, heard \"{}\"", name_, wanted, got));
}

bool is_of_class(const std::string& reply, const std::string& wanted) {
  const char first = reply.empty() ? '0' : reply.front();
  if (wanted == "ok") return first == '2' || first == '3';
  if (wanted == "permfail") return first == '5';
  if (wanted == "tempfail") return first == '4';
  return wanted == "any" && first != '0';
}

void Dialogue::step(const Json& step) {
  const std::string what = step.at(0);
  if (what == "connect") return connect();
  if (what == "close") return client_->close();
  if (what == "send") return client_->send(step.at(1).get<std::string>() + "\r\n");
  if (what == "send_raw") return client_->send(step.at(1).get<std::string>());
  if (what == "send_together") {
    std::string all;
    for (const auto& line : step.at(1)) all += line.get<std::string>() + "\r\n";
    return client_->send(all);
  }
  if (what == "send_raw_repeat") {
    for (int i = 0; i < step.at(1).at("count"); ++i)
      client_->send(step.at(1).at("unit").get<std::string>());
    return;
  }
  const std::string wanted = step.at(1);
  if (wanted == "disconnect") {
    CHECK(next_reply() == "");
    CHECK(client_->ended());
    return;
  }
  const std::string got = next_reply();
  if (what == "expect") return expect(wanted, got, is_of_class(got, wanted));
  REQUIRE((what == "expect_code" || what == "expect_until"));
  expect(wanted, got, got.substr(0, wanted.size()) == wanted);
}

std::vector<Json> dialogues(const char* file) {
  const auto text = suites::suite_file(std::string("smtp-dialogues/") + file);
  if (!text) return {};
  return Json::parse(*text).get<std::vector<Json>>();
}

// The message behind the fields that we put before it, with LF for CRLF as the suite writes it.
std::string message_of(std::string stored) {
  const auto trace = stored.find("\r\nReceived: ");
  auto end = stored.find("\r\n", trace + 2) + 2;
  while (stored[end] == '\t' || stored[end] == ' ') end = stored.find("\r\n", end) + 2;
  stored.erase(0, end);
  std::erase(stored, '\r');
  return stored;
}

}  // namespace

TEST_CASE("smtp-dialogues: OpenSMTPD's and chasquid's tests", "[suite][dialogues]") {
  const auto opensmtpd = dialogues("opensmtpd.json"), chasquid = dialogues("chasquid.json");
  if (opensmtpd.empty() || chasquid.empty()) return;
  std::set<const Deviation*> met;
  const auto run = [&](const Json& each, bool connected) {
    Dialogue dialogue(each.at("name"));
    if (connected) dialogue.connect();
    for (const Json& step : each.at("steps")) dialogue.step(step);
    dialogue.end();
    met.insert(dialogue.met().begin(), dialogue.met().end());
    return dialogue.stored();
  };
  for (const Json& each : opensmtpd) run(each, true);
  for (const Json& each : chasquid) {
    const auto stored = run(each, false);
    const std::string name = each.at("name");
    CAPTURE(name);
    const bool delivers = name == "sendmail" || name == "bad_data" || name == "data_dot_stuffing";
    CHECK(stored.size() == (delivers ? 1u : 0u));
    if (name != "data_dot_stuffing" || stored.empty()) continue;
    const auto wanted = suites::suite_file("smtp-dialogues/data_dot_stuffing.expected");
    REQUIRE(wanted);
    CHECK(message_of(stored.begin()->second) == *wanted);
  }
  for (const Deviation& each : deviations) {
    CAPTURE(each.dialogue, each.wanted, each.why);
    CHECK(met.count(&each) == 1);  // or the row is no longer true
  }
}
