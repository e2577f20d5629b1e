// hosts_allow: who may connect, and how often at the same time.
#include <postern/plugin.hpp>

#include <algorithm>
#include <map>

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

using Table = std::map<std::string, std::size_t>;

// One connection in the table, as long as its session lives.
class Place {
 public:
  Place(Table& table, std::string key) : table_(&table), at_(table.try_emplace(key, 0).first) {
    ++at_->second;
  }
  Place(Place&& other) noexcept : table_(std::exchange(other.table_, nullptr)), at_(other.at_) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (table_ && --at_->second == 0) table_->erase(at_);
  }
  std::size_t connections() const { return at_->second; }

 private:
  Table* table_;
  Table::iterator at_;
};

struct Places : Fact<> {
  std::vector<Place> taken;
};

// The clients of one place: an IPv4 address, or a network of IPv6, of which each customer has one.
std::string key_of(const IpAddress& client, std::size_t v6_bits) {
  if (client.is_v4()) return client.text();
  auto octets = client.octets();
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const std::size_t kept = v6_bits > i * 8 ? std::min<std::size_t>(v6_bits - i * 8, 8) : 0;
    octets[i] = static_cast<std::uint8_t>(octets[i] & (0xff00U >> kept));
  }
  return IpAddress::v6(octets).text();
}

struct Guest : Fact<"hosts_allow.guest", 1> {
  IpAddress client;
  std::size_t connections = 0;  // of this client, with this one
  std::string crowded;          // the network that has too many; empty: none
  void record(Fields& out) const { out.add("connections", connections); }
};

class HostsAllow final : public PluginOf<HostsAllow> {
 public:
  static constexpr const char* summary =
      "Refuses listed clients, and those with too many connections at the same time.";
  struct Settings {
    NetworkList list;
    NetworkList deny;
    std::size_t per_client = 5;
    std::size_t v6_prefix = 64;
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
               "connections of one client at the same time, to each worker; 0: any number");
    schema
        .key("v6_prefix", &Settings::v6_prefix,
             "the first bits of an IPv6 address: who shares them is one client")
        .at_least(1)
        .at_most(128);
    schema.list("networks", &Settings::networks,
                "connections of whole networks at the same time, to each worker");
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &HostsAllow::look).judge(&HostsAllow::judge);
  }

 private:
  static constexpr const char* unwelcome = "Your address is not welcome here";

  Guest look(Session& session) {
    const Settings& here = settings(session);
    Guest guest;
    guest.client = session.client_address();
    Places places;
    const auto count = [&](std::string key) {
      return places.taken.emplace_back(table_, std::move(key)).connections();
    };
    guest.connections = count(key_of(guest.client, here.v6_prefix));
    for (const Crowd& crowd : here.networks)
      if (crowd.network.contains(guest.client))
        if (count(crowd.network.text()) > crowd.most) guest.crowded = crowd.network.text();
    session.facts().put(std::move(places));
    return guest;
  }

  Verdict judge(const Guest& guest, const Settings& settings) const {
    if (settings.per_client > 0 && guest.connections > settings.per_client)
      return Verdict::defer({4, 7, 0}, fmt::format("Too many connections from {}, try again later",
                                                   guest.client.text()));
    if (!guest.crowded.empty())
      return Verdict::defer({4, 7, 0}, "Too many connections from your network, try again later");
    if (const auto* entry = settings.list.match(guest.client)) return judge_entry(*entry);
    if (const auto* entry = settings.deny.match(guest.client)) return refuse(entry->text);
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

  Table table_;  // the worker's own
};

}  // namespace

POSTERN_PLUGIN(HostsAllow, "hosts_allow")

}  // namespace postern::plugins
