// relay: which clients may send to anybody. Whoever is in both lists may not.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Relay final : public PluginOf<Relay> {
 public:
  static constexpr const char* summary = "Lets the clients of these networks send to anybody.";
  struct Settings {
    NetworkList clients;
    NetworkList not_clients;
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
    if (here.not_clients.contains(session.client_address()))
      session.forbid_relay("not_clients");
    else if (here.clients.contains(session.client_address()))
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
