// ipblacklist: a client that makes errors faster than its bucket fills is blocked for a while.
//
// In the store: "bucket CLIENT"; "block CLIENT" while it is blocked, with the time of its end in
// seconds. An administrator's own entries may hold anything.
#include <algorithm>

#include "../client_network.hpp"

namespace postern::plugins {
namespace {

enum class Event : std::uint8_t { connect, recipient, sender, content, command, login };
constexpr auto names_of(Event) {
  return std::array<std::string_view, 6>{"connect", "recipient", "sender",
                                         "content", "command",   "login"};
}

class IpBlacklist final : public PluginOf<IpBlacklist> {
 public:
  static constexpr const char* summary = "Blocks clients that make too many errors for a while.";
  struct Settings {
    std::vector<Event> events{Event::recipient};
    std::uint32_t burst = 20;
    std::chrono::milliseconds each = 6s;
    std::chrono::milliseconds block_for = 1h;
    NetworkBits networks{32, 64};
    std::vector<Network> ignore;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key(
        "events", &Settings::events,
        "what costs a token, one or more: a connection, a recipient, sender or message that "
        "is refused for good, a command that is wrong or does not exist, an authentication that "
        "fails");
    schema.key("burst", &Settings::burst, "tokens of a client").at_least(1).at_most(100'000);
    schema.key("each", &Settings::each, "how long until a token comes back")
        .at_least(1ms)
        .at_most(24h);
    schema.key("block_for", &Settings::block_for, "how long a client without tokens is blocked")
        .at_least(1s)
        .at_most(400 * 24h);
    schema.table("networks", &Settings::networks, "Which clients are one: so many leading bits.");
    schema.key("ignore", &Settings::ignore, "networks whose clients are never counted nor blocked");
    schema.defaults().on_error = policy::OnError::next;
  }
  void setup(Hooks& hooks) override {
    hooks.on_admit(this, &IpBlacklist::decide);
    hooks.on_rejected(this, &IpBlacklist::count_refusal);
    hooks.on_disconnect(this, &IpBlacklist::count_commands);
  }

 private:
  Verdict decide(Arrival& arrival) {
    const IpAddress& client = arrival.client.ip;
    if (is_ignored(client)) return Verdict::next();
    const State known = state();
    const auto found = known.get("block " + who(client));
    if (!found) return Verdict::failed(found.error());
    if (*found)
      return Verdict::reject({5, 7, 1}, "Too many errors from " + client.text()).and_close();
    take(client, Event::connect, 1);
    return Verdict::next();
  }

  void count_refusal(Rejected what) {
    if (what.reply.is_transient() || what.by == instance_name()) return;
    switch (what.hook) {
      case Hook::rcpt:
        return take(what.client, Event::recipient, 1);
      case Hook::mail:
        return take(what.client, Event::sender, 1);
      case Hook::data:
      case Hook::message:
        return take(what.client, Event::content, 1);
      case Hook::auth_password:
      case Hook::auth_secret:
        return take(what.client, Event::login, 1);
      case Hook::unrecognized:
        return take(what.client, Event::command, 1);
      default:
        return;
    }
  }

  void count_commands(Disconnected gone) { take(gone.client, Event::command, gone.errors); }

  // A store that fails here fails for decide() too, which tells.
  void take(const IpAddress& client, Event event, std::size_t tokens) {
    const auto& events = site().events;
    if (tokens == 0 || std::find(events.begin(), events.end(), event) == events.end()) return;
    if (is_ignored(client)) return;
    const State known = state();
    const auto left = known.take("bucket " + who(client), {site().burst, site().each}, tokens);
    if (!left || *left) return;
    const auto until =
        std::chrono::ceil<std::chrono::seconds>(known.now().time_since_epoch() + site().block_for);
    (void)known.put("block " + who(client), std::to_string(until.count()), site().block_for);
    log().info("{}: {} is blocked until {}", instance_name(), who(client), until.count());
  }

  bool is_ignored(const IpAddress& client) const {
    return std::any_of(site().ignore.begin(), site().ignore.end(),
                       [&](const Network& network) { return network.contains(client); });
  }
  std::string who(const IpAddress& client) const { return network_of(client, site().networks); }
};

}  // namespace

POSTERN_PLUGIN(IpBlacklist, "ipblacklist")

}  // namespace postern::plugins
