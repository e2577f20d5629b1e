// The keys that every instance of every plugin has.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/policy/lists.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

template <typename Settings>
class Schema;

// What a refusal becomes.
enum class Mode : std::uint8_t { on, off, observe, tag, score, defer };
constexpr auto names_of(Mode) {
  return std::array<std::string_view, 6>{"on", "off", "observe", "tag", "score", "defer"};
}

// Stages of a session in their order. As `enforce_at`, `now` is the hook's own stage; as the stage
// of a hook, it is the one of connect.
enum class Stage : std::uint8_t { now, helo, mail, rcpt, data, message };
constexpr auto names_of(Stage) {
  return std::array<std::string_view, 6>{"now", "helo", "mail", "rcpt", "data", "message"};
}

std::string_view step_of(Stage stage);  // "connect" for now, else the stage's name

// What a plugin's failure becomes.
enum class OnError : std::uint8_t { next, defer, reject };
constexpr auto names_of(OnError) {
  return std::array<std::string_view, 3>{"next", "defer", "reject"};
}

// Whose mail an instance does not refuse: whoever fits one of these.
struct Exempt {
  std::vector<Network> clients;
  std::vector<DomainPattern> rdns;
  std::vector<DomainPattern> helo;
  AddressList senders;
  AddressList recipients;
  std::vector<std::string> passed;  // instances that vouched
  bool authenticated = false;
  bool relay = false;

  bool empty() const;
  static void describe(Schema<Exempt>& schema);
};

// What stands for the placeholders of a reply.
struct ReplyValues {
  std::string_view reason;  // the plugin's own text
  std::string_view instance;
  std::string_view client;  // its address
  std::string_view helo;
  std::string_view sender;
  std::string_view recipient;
  std::string_view id;  // by which the record is found
};

// The text of a refusal, with {reason}, {instance}, {client}, {helo}, {sender}, {recipient} and
// {id}; "{{" and "}}" are braces. Several lines are separated by '\n'.
struct ReplyTemplate {
  std::string text;  // well-formed

  bool empty() const { return text.empty(); }
  std::string fill(const ReplyValues& values) const;
};
// Why `text` is no template; empty when it is one.
std::string fault_of_reply(std::string_view text);
Codec codec(std::type_identity<ReplyTemplate>);

struct Common {
  Mode mode = Mode::on;
  Stage enforce_at = Stage::now;
  Exempt exempt;
  OnError on_error = OnError::defer;
  std::chrono::milliseconds timeout{5000};
  std::size_t parallel = 0;  // 0: no cap
  ReplyTemplate reply;       // empty: the plugin's text
  std::size_t points = 1;    // in mode score
  bool may_drop = false;

  static void describe(Schema<Common>& schema);
};

}  // namespace postern::policy
