// verybadrcptto: one recipient that only spammers know spoils the message for all of them.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

enum class Scope : std::uint8_t { transaction, connection };
constexpr auto names_of(Scope) {
  return std::array<std::string_view, 2>{"transaction", "connection"};
}

struct Trap : Fact<> {
  explicit Trap(std::string_view a) : address(a) {}
  std::string address;
  void record(Fields& out) const { out.add("trap", address); }
};

class VeryBadRcptTo final : public PluginOf<VeryBadRcptTo> {
 public:
  static constexpr const char* summary = "Refuses a message for all when one recipient is a trap.";
  struct Settings {
    AddressList list;
    Scope scope = Scope::transaction;
    std::chrono::milliseconds delay = 1s;
    bool unsolicited = false;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("list", &Settings::list, "recipients that only spammers write to").per_domain();
    schema.key("scope", &Settings::scope,
               "how long a trap spoils what the client sends: a client that sends each recipient a "
               "message of its own escapes \"transaction\"");
    schema.key("delay", &Settings::delay, "pause before the refusal").at_most(30s).per_domain();
    schema.key("unsolicited", &Settings::unsolicited,
               "refuse with 5.6.1 and an apology for taking it as unsolicited, not with 5.7.1");
  }
  // The observer sees each recipient, whoever refuses or accepts him and whatever the order.
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &VeryBadRcptTo::note);
    hooks.on_data(this, &VeryBadRcptTo::decide);
  }

 private:
  void note(Recipient& to) {
    if (to.domain().empty() || !settings(to).list.contains(to.path())) return;
    const bool for_all = settings(to).scope == Scope::connection;
    (for_all ? to.session().facts() : to.transaction().facts()).put(Trap(to.key()));
  }

  Verdict decide(Transaction& tx) {
    if (!tx.facts().find<Trap>()) return Verdict::next();
    tx.session().slow_down(settings(tx).delay);
    if (settings(tx).unsolicited)
      return Verdict::reject({5, 6, 1},
                             "Sorry, a recipient has flagged this message as unsolicited bulk mail "
                             "- spam score exceeded threshold");
    return Verdict::reject({5, 7, 1},
                           "A recipient of this message takes no mail; it is refused for all");
  }
};

}  // namespace

POSTERN_PLUGIN(VeryBadRcptTo, "verybadrcptto")

}  // namespace postern::plugins
