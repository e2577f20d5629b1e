// shed: networks that guess addresses, or do not speak SMTP, are answered before anything else for
// a while: a read of the state store, a line, and that was it.
//
// In the store: "points NETWORK" and "good NETWORK" are counted in a window; "known NETWORK
// ADDRESS" are clients whose errors are forgiven; "ban NETWORK" is a Ban.
#include <charconv>
#include <optional>

#include "../client_network.hpp"
#include "nftables_file.hpp"

namespace postern::plugins {
namespace {

enum class Answer : std::uint8_t { close, unknown };
constexpr auto names_of(Answer) { return std::array<std::string_view, 2>{"close", "unknown"}; }

struct Weights {
  std::size_t recipient = 1;
  std::size_t sender = 0;
  std::size_t client = 0;
  std::size_t content = 0;
  std::size_t command = 1;
  std::size_t login = 1;
  std::size_t early = 5;
  std::size_t accepted = 5;

  static void describe(Schema<Weights>& schema) {
    using W = Weights;
    schema.key("recipient", &W::recipient, "points of a recipient that is refused for good");
    schema.key("sender", &W::sender, "... of a sender");
    schema.key("client", &W::client, "... of a client, when it connects or greets");
    schema.key("content", &W::content, "... of a message, at DATA or its end");
    schema.key("command", &W::command, "... of a command that is wrong or does not exist");
    schema.key("login", &W::login, "... of an authentication that fails");
    schema.key("early", &W::early, "... of speaking early, where `earlytalker` listens for it");
    schema.key("accepted", &W::accepted, "points that an accepted message makes up for");
  }

  std::size_t of(const Rejected& what) const {
    if (what.by == "earlytalker" || what.by.starts_with("earlytalker:")) return early;
    switch (what.hook) {
      case Hook::rcpt:
        return recipient;
      case Hook::mail:
        return sender;
      case Hook::admit:
      case Hook::connect:
      case Hook::helo:
        return client;
      case Hook::data:
      case Hook::message:
        return content;
      case Hook::auth_password:
      case Hook::auth_secret:
        return login;
      default:
        return command;
    }
  }
};

// "1767225600 20 192.0.2.9 192.0.2.10": until when, points, clients that are let in nevertheless.
struct Ban {
  std::chrono::seconds until{0};
  std::uint64_t points = 0;
  std::string_view spared;

  static std::optional<Ban> parse(std::string_view text) {
    std::int64_t until = 0;
    std::uint64_t points = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, wrong] = std::from_chars(text.data(), end, until);
    if (wrong != std::errc() || behind == end || *behind != ' ') return {};
    const auto [rest, bad] = std::from_chars(behind + 1, end, points);
    if (bad != std::errc() || (rest != end && *rest != ' ')) return {};
    return Ban{std::chrono::seconds(until), points, {rest, static_cast<std::size_t>(end - rest)}};
  }
  bool spares(const std::string& client) const {
    for (std::size_t at = 0; (at = spared.find(client, at)) != spared.npos; ++at) {
      const std::string_view behind = spared.substr(at + client.size());
      if (spared[at - 1] == ' ' && (behind.empty() || behind.front() == ' ')) return true;
    }
    return false;
  }
};

// Why recipients are unknown who are known.
struct Shedding : Fact<"shed.ban", 1> {
  std::string network;
  std::uint64_t points = 0;
  void record(Fields& out) const { out.add("network", network).add("points", points); }
};

class Shed final : public PluginOf<Shed> {
 public:
  static constexpr const char* summary =
      "Turns networks away that guess recipients or talk nonsense, before the greeting.";
  struct Settings {
    std::size_t threshold = 20;
    std::chrono::milliseconds within = 10min;
    std::chrono::milliseconds ban_for = 1h;
    NetworkBits networks;
    Weights weights;
    Answer answer = Answer::close;
    FilePath nftables;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("threshold", &Settings::threshold, "points from which a network is shed")
        .at_least(1)
        .at_most(1'000'000);
    schema.key("within", &Settings::within, "how long a point counts")
        .at_least(10s)
        .at_most(30 * 24h);
    schema.key("ban_for", &Settings::ban_for, "how long a network is shed")
        .at_least(1s)
        .at_most(30 * 24h);
    schema.table("networks", &Settings::networks, "Which clients are one: so many leading bits.");
    schema.table("weights", &Settings::weights,
                 "What counts, and how much. Clients that may relay or have authenticated are not "
                 "counted.");
    schema.key("answer", &Settings::answer,
               "the connection is closed with 554 (mode \"defer\": 421), and those that are open "
               "at their next RCPT; or every recipient is unknown, those that exist too, and "
               "nobody is asked: for that it stands before all plugins that know recipients");
    schema.key("nftables", &Settings::nftables,
               "a file for `nft -f`, written once a minute: what is shed, as sets of the table "
               "inet postern");
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
    schema.defaults().exempt.authenticated = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_admit(this, &Shed::at_the_door);
    hooks.on_helo(this, &Shed::note_early);
    hooks.on_mail(this, &Shed::note_known);
    hooks.on_rcpt(this, &Shed::decide).makes<Shedding>();
    hooks.on_rejected(this, &Shed::count_refusal);
    hooks.on_accepted(this, &Shed::forgive);
    hooks.on_disconnect(this, &Shed::count_commands);
    hooks.on_tick(this, &Shed::write_nftables);
  }

 private:
  struct Early : Fact<> {
    bool counted = false;
  };

  // ---- Judging: one read ----

  Verdict at_the_door(Arrival& arrival) {
    if (site().answer == Answer::unknown) return Verdict::next();
    return judge(arrival.client.ip, settings(arrival), nullptr);
  }

  // Who came before the ban, or is let in to hear nothing.
  Verdict decide(Recipient& to) {
    Session& session = to.session();
    return judge(session.client_address(), settings(to), &session);
  }

  Verdict judge(const IpAddress& client, const Settings& wanted, Session* session) {
    const State known = state();
    const std::string network = network_of(client, wanted.networks);
    const auto found = known.get("ban " + network);
    if (!found) return Verdict::failed(found.error());
    const auto ban = *found ? Ban::parse(**found) : std::nullopt;
    if (!ban || ban->spares(client.text())) return Verdict::next();
    if (wanted.answer == Answer::unknown) {
      if (session) explain(*session, network, ban->points);
      return Verdict::reject_as_unknown();
    }
    const auto left = std::chrono::ceil<std::chrono::minutes>(ban->until - seconds_of(known));
    return Verdict::reject({5, 7, 1},
                           fmt::format("Too many errors from {}: try again in {} minute{}", network,
                                       left.count(), left == 1min ? "" : "s"))
        .and_close();
  }

  // Once is enough: it holds for all who are asked for.
  static void explain(Session& session, const std::string& network, std::uint64_t points) {
    if (session.facts().find<Shedding>()) return;
    Shedding fact;
    fact.network = network;
    fact.points = points;
    session.facts().put(std::move(fact));
  }

  // ---- Counting ----

  // Where the client was refused for it, it never gets here.
  void note_early(Hello& hello) {
    Session& session = hello.session();
    if (!session.spoke_early() || session.facts().mine<Early>().counted) return;
    session.facts().mine<Early>().counted = true;
    count(session.client_address(), site().weights.early);
  }

  void count_refusal(Rejected what) {
    if (what.reply.is_transient() || what.by == instance_name()) return;
    count(what.client, site().weights.of(what));
  }

  void count_commands(Disconnected gone) {
    count(gone.client, site().weights.command * gone.errors);
  }

  // A store that fails here fails for those who judge too, and they tell.
  void count(const IpAddress& client, std::size_t points) {
    if (points == 0 || is_known(client)) return;
    const State known = state();
    const std::string network = network_of(client, site().networks);
    const auto sum = known.count("points " + network, site().within, points);
    if (!sum || *sum < site().threshold) return;
    const auto good = known.counted("good " + network, site().within);
    const std::uint64_t made_up = good.value_or(0) * site().weights.accepted;
    if (*sum >= site().threshold + std::min(made_up, most_made_up * site().threshold))
      ban(network, *sum);
  }

  void ban(const std::string& network, std::uint64_t points) {
    const State known = state();
    const auto until = seconds_of(known) + std::chrono::ceil<std::chrono::seconds>(site().ban_for);
    std::string text = fmt::format("{} {}", until.count(), points);
    const std::string prefix = fmt::format("known {} ", network);
    if (const auto clients = known.scan(prefix, most_known))
      for (const store::Item& client : *clients) text += ' ' + client.key.substr(prefix.size());
    if (!known.put("ban " + network, std::move(text), site().ban_for)) return;
    (void)known.erase("points " + network);  // behind the ban it begins anew
    log().info("{}: {} is shed until {} with {} points", instance_name(), network, until.count(),
               points);
  }

  // ---- The good ones ----

  std::string key_of_known(const IpAddress& client) const {
    return fmt::format("known {} {}", network_of(client, site().networks), client.text());
  }

  bool is_known(const IpAddress& client) const {
    const auto found = state().get(key_of_known(client));
    return found && found->has_value();
  }

  // One update a day is enough for what is kept for weeks.
  void note_known(Transaction& tx) {
    const Session& session = tx.session();
    if (!session.may_relay() && !session.authenticated()) return;
    const State known = state();
    const std::string key = key_of_known(session.client_address());
    const std::string today = std::to_string(
        std::chrono::floor<std::chrono::days>(known.now()).time_since_epoch().count());
    const auto found = known.get(key);
    if (found && *found != today) (void)known.put(key, today, known_for);
  }

  // Only those who have points need be forgiven.
  void forgive(Accepted message) {
    if (site().weights.accepted == 0) return;
    const std::string network = network_of(message.client, site().networks);
    const auto points = state().counted("points " + network, site().within);
    if (points.value_or(0) > 0) (void)state().count("good " + network, site().within);
  }

  // ---- For the kernel ----

  // One worker writes it. Networks that somebody known shares stay with us.
  Task<void> write_nftables(Tick) {
    if (site().nftables.empty()) co_return;
    const std::string path = site().nftables.text;
    const State known = state();
    const auto mine = co_await known.lease("nftables", 150s);
    if (!mine || !*mine || replacer_.busy()) co_return;
    const std::string problem = replacer_.problem();
    if (!problem.empty()) log().error("{}: {}", instance_name(), problem);
    std::vector<Blocked> blocked;
    std::string last;
    for (std::size_t found = page; found == page && blocked.size() < most_blocked;) {
      const auto items = known.scan("ban ", page, last);
      if (!items) co_return;
      found = items->size();
      for (const store::Item& item : *items) add_blocked(item, known, blocked);
      if (found > 0) last = items->back().key;
      co_await coro::sleep(1ms);  // others have their turn
    }
    std::string name(instance_name());
    std::replace_if(
        name.begin(), name.end(), [](char c) { return !is_word(c); }, '_');
    replacer_.replace(path, nftables_text(name, blocked));
  }

  // Networks of other sizes, from other settings, would overlap.
  void add_blocked(const store::Item& item, const State& known, std::vector<Blocked>& out) const {
    const std::string network = item.key.substr(std::string_view("ban ").size());
    const auto address = IpAddress::parse(network.substr(0, network.find('/')));
    const auto ban = Ban::parse(item.entry.content);
    if (!address || !ban || !ban->spared.empty()) return;
    if (network_of(*address, site().networks) != network) return;
    const auto left = ban->until - seconds_of(known);
    if (left > 0s) out.push_back({network, left});
  }

  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  static std::chrono::seconds seconds_of(const State& known) {
    return std::chrono::floor<std::chrono::seconds>(known.now()).time_since_epoch();
  }

  static constexpr std::uint64_t most_made_up = 9;  // times the threshold: no licence to guess
  static constexpr std::size_t most_known = 64;     // clients of one network
  static constexpr auto known_for = std::chrono::milliseconds(36 * 24h);
  static constexpr std::size_t page = 500;
  static constexpr std::size_t most_blocked = 65536;  // what is in the file

  FileReplacer replacer_;
};

}  // namespace

POSTERN_PLUGIN(Shed, "shed")

}  // namespace postern::plugins
