// relay: which clients may send to anybody. Whoever is in both lists may not.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

bool any_contains(const std::vector<Network>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(address); });
}

class Relay final : public PluginOf<Relay> {
 public:
  static constexpr const char* summary = "Lets the clients of these networks send to anybody.";
  struct Settings {
    std::vector<Network> clients;
    std::vector<Network> not_clients;
    bool only = false;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("clients", &Settings::clients, "networks whose mail is taken, wherever it goes");
    schema.key("not_clients", &Settings::not_clients, "exceptions from clients");
    schema.key(
        "only", &Settings::only,
        "refuse all others: this is a smart host for clients, and takes no mail for domains");
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Relay::look);
    hooks.on_rcpt(this, &Relay::refuse_others);
  }

 private:
  void look(Session& session) {
    const Settings& here = settings(session);
    if (any_contains(here.not_clients, session.client_address()))
      session.forbid_relay("not_clients");
    else if (any_contains(here.clients, session.client_address()))
      session.permit_relay("clients");
  }

  Verdict refuse_others(Recipient& to) {
    if (!settings(to).only || to.session().may_relay()) return Verdict::next();
    return Verdict::reject({5, 7, 1}, "Relaying denied");
  }
};

}  // namespace

POSTERN_PLUGIN(Relay, "relay")

}  // namespace postern::plugins
