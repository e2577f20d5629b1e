// hosts_allow: who may connect, and how often at the same time.
#include <postern/plugin.hpp>

#include <algorithm>
#include <optional>

#include "../client_network.hpp"

namespace postern::plugins {
namespace {

struct Crowd {
  Network network;
  std::size_t most = 0;

  static void describe(Schema<Crowd>& schema) {
    schema.key("network", &Crowd::network, "whose connections are counted together").required();
    schema.key("most", &Crowd::most, "connections at the same time, of all its clients")
        .required()
        .at_least(1);
  }
};

// The connection's places among those that all workers count; given back when its session ends.
struct Places : Fact<> {
  std::vector<store::Place> taken;
};

struct Guest : Fact<"hosts_allow.guest", 1> {
  IpAddress client;
  std::string crowded;           // who has too many connections; empty: nobody
  std::optional<Error> unknown;  // why nobody could count
  void record(Fields& out) const {
    if (!crowded.empty()) out.add("crowded", crowded);
  }
};

class HostsAllow final : public PluginOf<HostsAllow> {
 public:
  static constexpr const char* summary =
      "Refuses listed clients, and those with too many connections at the same time.";
  struct Settings {
    NetworkList list;
    NetworkList deny;
    std::size_t per_client = 5;
    unsigned v6_prefix = 64;
    std::vector<Crowd> networks;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "an address or network, behind it OK, DENY or DENYSOFT, and the text to say; the "
             "first that fits counts")
        .per_domain();
    schema.key("deny", &Settings::deny, "addresses and networks that are refused").per_domain();
    schema.key("per_client", &Settings::per_client,
               "connections of one client at the same time; 0: any number");
    schema
        .key("v6_prefix", &Settings::v6_prefix,
             "the first bits of an IPv6 address: who shares them is one client")
        .at_least(1)
        .at_most(128);
    schema.list("networks", &Settings::networks, "connections of whole networks at the same time");
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &HostsAllow::look).judge(&HostsAllow::judge);
  }

 private:
  static constexpr const char* unwelcome = "Your address is not welcome here";

  struct Limit {
    std::string who;
    std::size_t most;
  };

  static std::vector<Limit> limits_of(const IpAddress& client, const Settings& here) {
    std::vector<Limit> limits;
    if (here.per_client > 0)
      limits.push_back({client.is_v4() ? client.text() : network_of(client, {32, here.v6_prefix}),
                        here.per_client});
    for (const Crowd& crowd : here.networks)
      if (crowd.network.contains(client)) limits.push_back({crowd.network.text(), crowd.most});
    return limits;
  }

  Task<Guest> look(Session& session) {
    Guest guest;
    guest.client = session.client_address();
    Places places;
    const std::vector<Limit> limits = limits_of(guest.client, settings(session));
    for (const Limit& limit : limits) {
      auto place = co_await state().hold(limit.who, limit.most);
      if (!place) {
        guest.unknown = place.error();
        break;
      }
      if (!*place) {
        guest.crowded = limit.who;
        break;
      }
      places.taken.push_back(std::move(*place));
    }
    session.facts().put(std::move(places));
    co_return guest;
  }

  Verdict judge(const Guest& guest, const Settings& settings) const {
    if (!guest.crowded.empty())
      return Verdict::defer(
          {4, 7, 0}, fmt::format("Too many connections from {}, try again later", guest.crowded));
    if (const auto* entry = settings.list.match(guest.client)) return judge_entry(*entry);
    if (const auto* entry = settings.deny.match(guest.client)) return refuse(entry->text);
    if (guest.unknown) return Verdict::failed(*guest.unknown);
    return Verdict::next();
  }

  static Verdict refuse(std::string text) {
    if (text.empty()) text = unwelcome;
    return Verdict::reject({5, 7, 1}, std::move(text));
  }

  // The words are qpsmtpd's; one that is none of them has no effect there either, but is told here.
  Verdict judge_entry(const NetworkList::Entry& entry) const {
    const std::string_view all = entry.text;
    const auto blank = std::min(all.find_first_of(" \t"), all.size());
    const std::string_view word = all.substr(0, blank);
    std::string text(trim(all.substr(blank)));
    if (iequals(word, "OK")) return Verdict::next().vouch(entry.network);
    if (iequals(word, "DENY") || iequals(word, "DENY_DISCONNECT")) return refuse(std::move(text));
    if (iequals(word, "DENYSOFT") || iequals(word, "DENYSOFT_DISCONNECT"))
      return Verdict::defer({4, 7, 1}, text.empty() ? unwelcome : std::move(text));
    if (!iequals(word, "DECLINED"))
      log().warning("{}: behind {} stands neither OK, DENY nor DENYSOFT", instance_name(),
                    entry.network);
    return Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(HostsAllow, "hosts_allow")

}  // namespace postern::plugins
