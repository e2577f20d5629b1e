// p0f: which system a client runs, as p0f (version 3) tells by how its packets look.
#include <postern/facts/karma.hpp>
#include <postern/facts/p0f.hpp>
#include <postern/plugin.hpp>

#include <algorithm>
#include <cstring>

#include "../shared/joined.hpp"

namespace postern::plugins {
namespace {

// p0f's README, section 4: numbers are in the order of this machine.
constexpr std::uint32_t question_magic = 0x50304601;
constexpr std::uint32_t answer_magic = 0x50304602;
constexpr std::uint32_t status_ok = 0x10;
constexpr std::uint32_t status_no_match = 0x20;
constexpr std::size_t answer_octets = 232;
constexpr std::size_t text_octets = 32;

// Magic, 4 or 6, and 16 octets of address, of which IPv4 has the first four.
std::string question_about(const IpAddress& client) {
  std::string question(21, '\0');
  std::memcpy(question.data(), &question_magic, 4);
  question[4] = client.is_v4() ? 4 : 6;
  const std::size_t from = client.is_v4() ? 12 : 0;
  std::memcpy(question.data() + 5, client.octets().data() + from, 16 - from);
  return question;
}

template <typename Number>
Number number_at(std::string_view answer, std::size_t offset) {
  Number number{};
  std::memcpy(&number, answer.data() + offset, sizeof number);
  return number;
}

// Up to its NUL. p0f's own texts are ASCII; those of a client's HTTP are not asked for.
std::string text_at(std::string_view answer, std::size_t offset) {
  const std::string_view field = answer.substr(offset, text_octets);
  std::string text(field.substr(0, field.find('\0')));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return is_control(c) || !is_ascii(c); }, '?');
  return text;
}

// `answer` has answer_octets. Errors: malformed.
Result<facts::P0f> read_answer(std::string_view answer) {
  if (number_at<std::uint32_t>(answer, 0) != answer_magic)
    return fail(Errc::malformed, "what answers is not p0f 3");
  facts::P0f found;
  const auto status = number_at<std::uint32_t>(answer, 4);
  if (status == status_no_match) return found;
  if (status != status_ok) return fail(Errc::malformed, "p0f does not understand the question");
  found.seen = true;
  const auto up = number_at<std::uint32_t>(answer, 20);
  if (up != 0) found.uptime = std::chrono::minutes(up);
  const auto distance = number_at<std::int16_t>(answer, 36);
  if (distance >= 0) found.distance = static_cast<std::uint16_t>(distance);
  found.lies = answer[38] != 0;
  found.match = static_cast<std::uint8_t>(answer[39]);
  found.genre = text_at(answer, 40);
  found.flavor = text_at(answer, 72);
  found.link = text_at(answer, 168);
  return found;
}

class P0f final : public PluginOf<P0f> {
 public:
  static constexpr const char* summary =
      "Asks p0f which system a client runs, and refuses mail from some.";
  struct Settings {
    FilePath socket;
    PatternList blocked;
    PatternList naughty;
    std::chrono::milliseconds patience = 100ms;
    bool add_headers = false;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("socket", &Settings::socket,
             "where p0f answers: what its -s says; it must let the daemon's user in")
        .required();
    schema
        .key("blocked", &Settings::blocked,
             "systems whose mail is refused, by regular expressions for what p0f calls them, as "
             "\"Windows XP\": \"/windows (xp|2000)/ Get a newer one\"")
        .per_domain();
    schema.key("naughty", &Settings::naughty,
               "systems that cost a point where the plugin karma is loaded; likewise");
    schema
        .key("patience", &Settings::patience,
             "how long p0f may take, and for how long it is asked again while it has not yet seen "
             "the client: its packets reach p0f later than us")
        .at_least(1ms)
        .at_most(4s);
    schema.key("add_headers", &Settings::add_headers,
               "add X-P0F-Genre, -Detail, -Link-Type and -Distance to messages");
    schema.defaults().enforce_at = policy::Stage::rcpt;
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
    schema.defaults().exempt.authenticated = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &P0f::look).judge(&P0f::judge);
    hooks.on_message(this, &P0f::add_fields);
  }

 private:
  Task<Result<facts::P0f>> look(Session& session) {
    const IpAddress client = session.client_address();
    Asked asked{settings(session).socket.text, client, settings(session).patience};
    auto found = co_await joined_.ask(asked, *this, &P0f::ask, asked);
    if (found && settings(session).naughty.match(found->system()))
      if (auto* karma = services().find<facts::Karma>("karma")) karma->award(session, -1);
    co_return found;
  }

  static constexpr auto pause = 20ms;  // on an idle machine p0f has seen a client after that

  struct Asked {
    std::string socket;
    IpAddress client;
    std::chrono::milliseconds patience;
    auto operator<=>(const Asked&) const = default;
  };

  Task<Result<facts::P0f>> ask(Asked asked) {
    const auto until = scheduler().now() + asked.patience;
    auto* network = services().find<plugin::Network>("postern");
    ServerAddress there = ServerAddress::local(asked.socket);
    auto stream = co_await network->connect(std::move(there), asked.patience);
    if (!stream) co_return fail(stream.error());
    net::Stream& p0f = **stream;
    while (true) {
      p0f.write(question_about(asked.client));
      auto heard = co_await hear(p0f, until);
      if (!heard) co_return fail(heard.error());
      auto found = read_answer(p0f.input().substr(0, answer_octets));
      p0f.consume(answer_octets);
      if (!found || found->seen || scheduler().now() + pause >= until) co_return found;
      auto slept = co_await coro::sleep(pause);
      if (!slept) co_return fail(slept.error());
    }
  }

  // Until an answer is there.
  Task<Result<void>> hear(net::Stream& p0f, coro::TimePoint until) {
    while (p0f.input().size() < answer_octets) {
      auto more = co_await p0f.more(until - scheduler().now());
      if (more) continue;
      if (more.error().code == Errc::closed)
        co_return fail(Errc::malformed, "p0f's answer is short");
      co_return fail(more.error());
    }
    co_return Result<void>();
  }

  Verdict judge(const facts::P0f& found, const Settings& settings) const {
    if (found.genre.empty()) return Verdict::next();
    const auto* entry = settings.blocked.match(found.system());
    if (!entry) return Verdict::next();
    return Verdict::reject({5, 7, 1},
                           entry->reply.empty() ? "OS Blocked" : std::string(entry->reply));
  }

  // A client cannot bring such fields of its own.
  void add_fields(Message& message) {
    if (!settings(message).add_headers) return;
    const auto* found = message.facts().find<facts::P0f>();
    const auto set = [&](const char* name, const std::string& value) {
      message.edits().remove_field(name);
      if (!value.empty()) (void)message.edits().add_field(name, value);
    };
    set("X-P0F-Distance", found && found->distance ? std::to_string(*found->distance) : "");
    set("X-P0F-Link-Type", found ? found->link : "");
    set("X-P0F-Detail", found ? found->flavor : "");
    set("X-P0F-Genre", found ? found->genre : "");
  }

  Joined<Asked, facts::P0f> joined_;
};

}  // namespace

POSTERN_PLUGIN(P0f, "p0f")

}  // namespace postern::plugins
