// dns_whitelist_soft: vouch for clients that DNS white lists name, so that other plugins spare
// them: exempt = { passed = ["dns_whitelist_soft"] }.
#include "../shared/dns_lists.hpp"

namespace postern::plugins {
namespace {

// How dnswl.org tells a resolver that asks too much: no recommendation.
const IpAddress asked_too_much = IpAddress::v4({127, 0, 0, 255});

struct Listings : Fact<"dns_whitelist_soft.listings", 1> {
  Answers answers;
  void record(Fields& out) const { answers.record(out); }
};

class DnsWhitelistSoft final : public PluginOf<DnsWhitelistSoft> {
 public:
  static constexpr const char* summary =
      "Vouches for clients that DNS white lists name, for exempt.passed of other plugins.";
  struct Settings {
    std::vector<Zone> zones;
    std::size_t threshold = 1;
  };
  static void describe(Schema<Settings>& schema) {
    schema.list("zones", &Settings::zones, "DNS white lists to ask").required().per_domain();
    schema.key("threshold", &Settings::threshold, "sum of weights that vouches")
        .at_least(1)
        .per_domain();
    schema.defaults().enforce_at = policy::Stage::rcpt;  // where nobody has waited for it
    schema.defaults().on_error = policy::OnError::next;  // silence is no recommendation
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &DnsWhitelistSoft::look).judge(&DnsWhitelistSoft::judge);
    hooks.on_tick(this, &DnsWhitelistSoft::examine_lists);
  }

 private:
  Task<Result<Listings>> look(Session& session) {
    std::vector<std::string> subjects(1, dns::reverse_name(session.client_address()));
    auto zones = names_of_zones(everywhere(&Settings::zones));
    auto answers =
        co_await ListHealth::ask_all(session.dns(), health_, std::move(subjects), std::move(zones));
    if (!answers) co_return fail(answers.error());
    Listings found;
    found.answers = std::move(*answers);
    for (Answer& answer : found.answers.all)
      if (answer.codes && !answer.codes->empty() && answer.codes->front() == asked_too_much)
        answer.codes = fail(Errc::malformed, "127.0.0.255: the list refuses to tell");
    co_return found;
  }

  Verdict judge(const Listings& found, const Settings& settings) const {
    const Tally sum = tally(settings.zones, found.answers);
    if (sum.score < settings.threshold) return Verdict::next();
    return Verdict::next().vouch("listed in " + sum.zone->name);
  }

  Task<void> examine_lists(Tick) {
    std::string name(instance_name());
    auto zones = names_of_zones(everywhere(&Settings::zones));
    co_await ListHealth::examine_all(dns(), health_, log(), std::move(name), std::move(zones));
  }

  ListHealth health_{"", "1.0.0.127."};
};

}  // namespace

POSTERN_PLUGIN(DnsWhitelistSoft, "dns_whitelist_soft")

}  // namespace postern::plugins
