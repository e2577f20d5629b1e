// badmailfrom: refuse listed reverse-paths.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class BadMailFrom final : public PluginOf<BadMailFrom> {
 public:
  static constexpr const char* summary = "Refuses listed senders.";
  struct Settings {
    PatternList list;
    DomainList domains;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "senders that are refused: an address, @domain or a pattern, and the text to say")
        .per_domain();
    schema.key("domains", &Settings::domains, "domains whose senders are refused, and all below")
        .per_domain();
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_mail(this, &BadMailFrom::look).judge(&BadMailFrom::judge);
  }

 private:
  // Found once; listed or not is each recipient's own business where it takes effect at rcpt.
  struct Sender : Fact<> {
    std::string address;  // empty: the null reverse-path, which is never refused
  };
  Sender look(Transaction& tx) {
    Sender sender;
    sender.address = tx.reverse_path().mailbox_key();
    return sender;
  }

  Verdict judge(const Sender& sender, const Settings& settings) const {
    if (sender.address.empty()) return Verdict::next();
    const auto* entry = settings.list.match(sender.address);
    if (!entry) return judge_domain(sender.address, settings);
    const bool silent = entry->reply.empty();
    return Verdict::reject({5, 7, 1},
                           std::string(silent ? "This sender is not welcome here" : entry->reply));
  }

  static Verdict judge_domain(std::string_view address, const Settings& settings) {
    const auto domain = settings.domains.find(address.substr(address.rfind('@') + 1));
    if (domain.empty()) return Verdict::next();
    return Verdict::reject({5, 7, 1}, fmt::format("Mail from {} is not accepted here", domain));
  }
};

}  // namespace

POSTERN_PLUGIN(BadMailFrom, "badmailfrom")

}  // namespace postern::plugins
