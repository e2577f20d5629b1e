// recipient_limits: how large a message a mailbox takes, and in whose company.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class RecipientLimits final : public PluginOf<RecipientLimits> {
 public:
  static constexpr const char* summary =
      "Limits what a recipient takes: the size of a message, and how many others it is for.";
  struct Settings {
    std::optional<policy::ByteCount> size;
    std::optional<std::size_t> recipients;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("size", &Settings::size, "octets of a message; not set: as many as the site takes")
        .per_domain();
    schema
        .key("recipients", &Settings::recipients,
             "recipients that a message may have with this one; he is put off when there are more, "
             "so that he gets it in a message of its own")
        .at_least(1)
        .per_domain();
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &RecipientLimits::decide);
    hooks.on_message(this, &RecipientLimits::weigh);
  }

 private:
  // Before it is sent, as far as the client tells (RFC 1870 section 6.1).
  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    if (mine.size && to.transaction().parameters().size.value_or(0) > mine.size->octets)
      return too_big();
    if (mine.recipients && to.transaction().recipients().size() > *mine.recipients)
      return Verdict::verbatim({452, {4, 5, 3}, "Too many recipients for this one among them"});
    return Verdict::next();
  }
  Verdict weigh(Message& message, Recipient& to) {
    const auto& size = settings(to).size;
    return size && message.size() > size->octets ? too_big() : Verdict::next();
  }

  // RFC 3463 section 3.3: the mailbox's limit, not the system's.
  static Verdict too_big() {
    return Verdict::verbatim({552, {5, 2, 3}, "The message is larger than this mailbox takes"});
  }
};

}  // namespace

POSTERN_PLUGIN(RecipientLimits, "recipient_limits")

}  // namespace postern::plugins
