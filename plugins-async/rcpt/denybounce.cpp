// denybounce: an address that never sends mail gets no bounces.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class DenyBounce final : public PluginOf<DenyBounce> {
 public:
  static constexpr const char* summary = "Refuses bounces to addresses that send no mail.";
  struct Settings {
    AddressList list;
    AddressList daemons = AddressList::of({"<>"});
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "recipients that send no mail; put off with enforce_at = \"data\", callers that only "
             "ask whether an address exists are not refused")
        .per_domain();
    schema
        .key("daemons", &Settings::daemons,
             "senders of bounces; [\"<>\", \"mailer-daemon\", \"postmaster\"] also catches those "
             "that name themselves")
        .otherwise("[\"<>\"]")
        .per_domain();
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &DenyBounce::decide); }

 private:
  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    if (!mine.list.contains(to.local_part(), to.domain())) return Verdict::next();
    if (!mine.daemons.contains(to.transaction().reverse_path())) return Verdict::next();
    return Verdict::reject({5, 7, 1},
                           fmt::format("{} does not send mail, so it can not bounce", to.key()));
  }
};

}  // namespace

POSTERN_PLUGIN(DenyBounce, "denybounce")

}  // namespace postern::plugins
