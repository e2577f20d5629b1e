// whitelist: vouch for clients and senders, so that other plugins spare them.
//
// It accepts nobody and opens no relay: what it says is heard where a plugin has it in `exempt`:
//   exempt = { passed = ["whitelist"] }
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Whitelist final : public PluginOf<Whitelist> {
 public:
  static constexpr const char* summary =
      "Vouches for listed clients, senders and recipients, for exempt.passed of other plugins.";
  struct Settings {
    NetworkList hosts;
    DomainList helo;
    AddressList senders;
    AddressList recipients;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("hosts", &Settings::hosts, "clients, by address or network").per_domain();
    schema
        .key("helo", &Settings::helo,
             "names that a client gives in its greeting: exact ones, and anybody can give them")
        .per_domain();
    schema
        .key("senders", &Settings::senders,
             "reverse-paths, which anybody can forge; never the null one")
        .per_domain();
    schema.key("recipients", &Settings::recipients, "recipients who want everything").per_domain();
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Whitelist::connect);
    hooks.on_helo(this, &Whitelist::helo);
    hooks.on_mail(this, &Whitelist::mail);
    hooks.on_rcpt(this, &Whitelist::rcpt);
  }

 private:
  // As early as it is known, with the site's lists ...
  Verdict connect(Session& session) { return of_client(settings(session), session); }
  Verdict helo(Hello& hello) { return of_greeting(settings(hello), hello.name()); }
  Verdict mail(Transaction& tx) { return of_sender(settings(tx), tx); }

  // ... and again with those of the recipient, for what refuses from here on.
  Verdict rcpt(Recipient& to) {
    const Settings& his = settings(to);
    if (his.recipients.contains(to.path())) return Verdict::next().vouch("recipient");
    Verdict verdict = of_client(his, to.session());
    if (!verdict.vouches()) verdict = of_greeting(his, to.session().helo());
    if (!verdict.vouches()) verdict = of_sender(his, to.transaction());
    return verdict;
  }

  static Verdict of_client(const Settings& settings, const Session& session) {
    const auto* entry = settings.hosts.match(session.client_address());
    return entry ? Verdict::next().vouch("host " + entry->network) : Verdict::next();
  }
  static Verdict of_greeting(const Settings& settings, std::string_view name) {
    if (!settings.helo.contains(name)) return Verdict::next();
    return Verdict::next().vouch(fmt::format("helo {}", name));
  }
  static Verdict of_sender(const Settings& settings, const Transaction& tx) {
    if (tx.is_null_sender() || !settings.senders.contains(tx.reverse_path()))
      return Verdict::next();
    return Verdict::next().vouch("sender " + tx.reverse_path().text);
  }
};

}  // namespace

POSTERN_PLUGIN(Whitelist, "whitelist")

}  // namespace postern::plugins
