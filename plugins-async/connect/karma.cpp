// karma: clients are remembered by how they behaved. Who was naughty stays outside for a while.
//
// In the store, for a client or its network: "nice" and "naughty" sessions are counted in a window,
// "penalty" is there as long as it stays outside, and holds since when, in seconds.
#include <postern/facts/client_name.hpp>
#include <postern/facts/karma.hpp>

#include <algorithm>
#include <charconv>
#include <map>

#include "../client_network.hpp"

namespace postern::plugins {
namespace {

struct Award {
  std::string by;
  std::int64_t points = -1;

  bool operator==(const Award&) const = default;
  static void describe(Schema<Award>& schema) {
    schema.key("by", &Award::by, "the plugin, or its instance's name").required();
    schema.key("points", &Award::points, "for each refusal").at_least(-100).at_most(100);
  }
  // "dnsbl" is also meant by "dnsbl:strict".
  bool is_for(std::string_view name) const {
    return name == by || (name.starts_with(by) && name.substr(by.size()).starts_with(':'));
  }
};

struct Tld {
  std::string name;
  std::int64_t points = 0;

  bool operator==(const Tld&) const = default;
  static void describe(Schema<Tld>& schema) {
    schema.key("name", &Tld::name, "a top-level domain: \"work\"").required();
    schema.key("points", &Tld::points, "for a sender in it").required().at_least(-100).at_most(100);
  }
};

// What the plugins of qpsmtpd gave, where it was not the usual -1.
std::int64_t usual_award(std::string_view by, std::int64_t refused) {
  if (by == "badrcptto") return 2 * refused;
  if (by == "dmarc") return 3 * refused;
  return refused;
}

class Karma final : public PluginOf<Karma>, public facts::Karma {
 public:
  static constexpr const char* summary =
      "Remembers how clients behaved, and turns away those that were naughty.";
  struct Settings {
    std::size_t strikes = 3;
    std::size_t negative = 1;
    std::chrono::milliseconds penalty = 24h;
    std::chrono::milliseconds remember = 60 * 24h;
    std::int64_t refused = -1;
    std::int64_t accepted = 2;
    std::int64_t named = 1;
    std::int64_t reject_below = -4;
    std::size_t recipients = 0;
    std::vector<Award> awards;
    std::vector<Tld> tlds;
    NetworkBits networks{32, 64};
  };
  static void describe(Schema<Settings>& schema) {
    using S = Settings;
    schema
        .key("strikes", &S::strikes,
             "a session that ends with so many points was nice, with so many below 0 naughty")
        .at_least(1)
        .at_most(1000);
    schema
        .key("negative", &S::negative,
             "a client stays outside whose naughty sessions exceed the nice ones by so many")
        .at_least(1)
        .at_most(1000);
    schema
        .key("penalty", &S::penalty,
             "how long; longer for clients that were naughty six times and never nice: that many "
             "times")
        .at_least(1s)
        .at_most(30 * 24h);
    schema.key("remember", &S::remember, "how long a session counts")
        .at_least(1h)
        .at_most(400 * 24h);
    schema
        .key("refused", &S::refused,
             "points for what is refused for good: a recipient, a sender, a message, the client; "
             "twice that by `badrcptto`, thrice by `dmarc`")
        .at_least(-100)
        .at_most(0);
    schema.key("accepted", &S::accepted, "points for an accepted message").at_least(0).at_most(100);
    schema
        .key("named", &S::named, "points for a client with a confirmed name, as `fcrdns` finds it")
        .at_least(0)
        .at_most(100);
    schema
        .key("reject_below", &S::reject_below,
             "data is refused in a session with fewer points than these")
        .at_least(-1000)
        .at_most(0);
    schema.key("recipients", &S::recipients,
               "most recipients of a message from a client of whom nothing good is known; 0: any "
               "number");
    schema.list("awards", &S::awards, "Other points for what some plugins refuse.");
    schema.list("tlds", &S::tlds, "Points for senders by their top-level domain.");
    schema.table("networks", &S::networks, "Which clients are one: so many leading bits.");
    schema.defaults().enforce_at = policy::Stage::rcpt;
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
    schema.defaults().exempt.authenticated = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Karma::decide);
    hooks.on_mail(this, &Karma::look_at_sender);
    hooks.on_rcpt(this, &Karma::limit_recipients);
    hooks.on_data(this, &Karma::decide_message);
    hooks.on_rejected(this, &Karma::punish);
    hooks.on_accepted(this, &Karma::reward);
    hooks.on_disconnect(this, &Karma::conclude);
    hooks.on_tick(this, &Karma::sweep);
    hooks.provide<facts::Karma>("karma", *this);
  }

  // ---- For other plugins ----

  void award(const Session& session, int points) override { add(session.id(), points); }
  int points(const Session& session) const override {
    return static_cast<int>(points_of(session.id()));
  }

 private:
  static constexpr std::int64_t good_history = 10;  // earns a point at once
  static constexpr std::int64_t hardened = -5;      // below that the penalty grows

  // Of a session.
  struct Standing {
    std::int64_t points = 0;
    bool is_ours = false;
    bool is_seen = false;  // what is given once has been
    std::chrono::system_clock::time_point since = std::chrono::system_clock::time_point::max();
  };
  struct History {
    std::int64_t nice = 0;
    std::int64_t naughty = 0;
    std::int64_t sum() const { return nice - naughty; }
  };

  Verdict decide(Session& session) {
    const State known = state();
    const auto found = known.get("penalty " + who(session.client_address()));
    if (!found) return Verdict::failed(found.error());
    if (!*found) return Verdict::next();
    std::int64_t until = 0;
    std::from_chars((*found)->data(), (*found)->data() + (*found)->size(), until);
    const auto left = std::chrono::seconds(until) - known.now().time_since_epoch();
    const double days = std::chrono::duration<double, std::ratio<86400>>(left).count();
    return Verdict::reject({5, 7, 1},
                           fmt::format("You were naughty. You cannot connect for {:.2f} more days.",
                                       std::max(days, 0.01)));
  }

  // A client that sends for us is not judged.
  void look_at_sender(Transaction& tx) {
    const Session& session = tx.session();
    if (session.may_relay() || session.authenticated())
      return void(sessions_[std::string(session.id())].is_ours = true);
    look_at_client(tx);
    const std::string domain = lower(tx.reverse_path().domain);
    const std::string_view tld = std::string_view(domain).substr(domain.rfind('.') + 1);
    for (const Tld& each : site().tlds)
      if (lower(each.name) == tld) add(session.id(), each.points);
  }

  void look_at_client(Transaction& tx) {
    const Session& session = tx.session();
    Standing& standing = sessions_[std::string(session.id())];
    if (std::exchange(standing.is_seen, true)) return;
    const auto* client = session.facts().find<facts::ClientName>();
    if (client && !client->name.empty()) standing.points += site().named;
    if (history_of(session.client_address()).sum() > good_history) ++standing.points;
  }

  Verdict limit_recipients(Recipient& to) {
    const std::size_t most = settings(to).recipients;
    if (most == 0 || to.transaction().recipients().size() <= most) return Verdict::next();
    const std::int64_t points = points_of(to.session().id());
    const std::int64_t history = history_of(to.session().client_address()).sum();
    if (points > 0 || history > 0) return Verdict::next();
    return Verdict::reject(
        {5, 7, 1}, fmt::format("too many recipients for karma {} (h: {})", points, history));
  }

  Verdict decide_message(Transaction& tx) {
    const std::int64_t points = points_of(tx.session().id());
    if (points >= settings(tx).reject_below) return Verdict::next();
    return Verdict::reject({5, 7, 1}, fmt::format("very bad karma: {}", points));
  }

  void punish(Rejected what) {
    if (what.reply.is_transient() || what.by == instance_name()) return;
    const auto own = std::find_if(site().awards.begin(), site().awards.end(),
                                  [&](const Award& award) { return award.is_for(what.by); });
    add(what.session,
        own != site().awards.end() ? own->points : usual_award(what.by, site().refused));
  }

  void reward(Accepted message) { add(message.session, site().accepted); }

  // A store that fails here fails for decide() too, which tells.
  void conclude(Disconnected gone) {
    const auto found = sessions_.find(gone.session);
    if (found == sessions_.end()) return;
    const Standing standing = found->second;
    sessions_.erase(found);
    const auto strikes = static_cast<std::int64_t>(site().strikes);
    if (standing.is_ours) return;
    if (standing.points >= strikes)
      (void)state().count("nice " + who(gone.client), site().remember);
    if (standing.points <= -strikes) condemn(gone.client);
  }

  void condemn(const IpAddress& client) {
    const State known = state();
    if (!known.count("naughty " + who(client), site().remember)) return;
    const History history = history_of(client);
    if (history.sum() > -static_cast<std::int64_t>(site().negative)) return;
    const bool worse = history.nice == 0 && history.sum() < hardened;
    const auto length = site().penalty * (worse ? -history.sum() : 1);
    const auto until =
        std::chrono::ceil<std::chrono::seconds>(known.now().time_since_epoch() + length);
    (void)known.put("penalty " + who(client), std::to_string(until.count()), length);
    log().info("{}: {} stays outside until {}", instance_name(), who(client), until.count());
  }

  History history_of(const IpAddress& client) const {
    const auto counted = [&](const char* what) {
      return static_cast<std::int64_t>(
          state().counted(what + who(client), site().remember).value_or(0));
    };
    return {counted("nice "), counted("naughty ")};
  }

  void add(std::string_view session, std::int64_t points) {
    if (points != 0) sessions_[std::string(session)].points += points;
  }
  std::int64_t points_of(std::string_view session) const {
    const auto found = sessions_.find(session);
    return found == sessions_.end() ? 0 : found->second.points;
  }
  std::string who(const IpAddress& client) const { return network_of(client, site().networks); }

  // A peer's look whether we live ends without a word.
  void sweep(Tick tick) {
    for (auto& [session, standing] : sessions_)
      standing.since = std::min(standing.since, tick.when);
    std::erase_if(sessions_, [&](const auto& each) { return each.second.since < tick.when - 24h; });
  }

  // By id: what is told when it is over knows nothing else of the session. Until it ends.
  std::map<std::string, Standing, std::less<>> sessions_;
};

}  // namespace

POSTERN_PLUGIN(Karma, "karma")

}  // namespace postern::plugins
