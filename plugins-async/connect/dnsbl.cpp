// dnsbl: refuse clients that DNS block lists name (RFC 5782).
#include "../shared/dns_lists.hpp"

namespace postern::plugins {
namespace {

struct Listings : Fact<"dnsbl.listings", 1> {
  std::string client;
  Answers answers;
  void record(Fields& out) const { answers.record(out); }
};

class Dnsbl final : public PluginOf<Dnsbl> {
 public:
  static constexpr const char* summary = "Refuses clients that DNS block lists name.";
  struct Settings {
    std::vector<Zone> zones;
    std::size_t threshold = 1;
  };
  static void describe(Schema<Settings>& schema) {
    schema.list("zones", &Settings::zones, "DNS block lists to ask").required().per_domain();
    schema.key("threshold", &Settings::threshold, "sum of weights that refuses")
        .at_least(1)
        .per_domain();
    schema.defaults().enforce_at = policy::Stage::rcpt;  // where nobody has waited for it
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Dnsbl::look).judge(&Dnsbl::judge);
    hooks.on_tick(this, &Dnsbl::examine_lists);
  }

 private:
  // Once per client, beside the dialogue: the lists of all domains at the same time.
  Task<Result<Listings>> look(Session& session) {
    Listings found;
    found.client = session.client_address().text();
    std::vector<std::string> subjects(1, dns::reverse_name(session.client_address()));
    auto zones = names_of_zones(everywhere(&Settings::zones));
    auto answers =
        co_await ListHealth::ask_all(session.dns(), health_, std::move(subjects), std::move(zones));
    if (!answers) co_return fail(answers.error());
    found.answers = std::move(*answers);
    co_return found;
  }

  // For each recipient, with his lists and his threshold. A list that has not answered matters only
  // where its weight could have.
  Verdict judge(const Listings& found, const Settings& settings) const {
    Tally sum = tally(settings.zones, found.answers);
    if (sum.score >= settings.threshold)
      return Verdict::reject(
          {5, 7, 1}, sum.zone->says(sum.answer->text,
                                    fmt::format("Your address is listed in {}", sum.zone->name),
                                    found.client));
    if (sum.score + sum.unknown >= settings.threshold) return Verdict::failed(std::move(sum.error));
    return Verdict::next();
  }

  Task<void> examine_lists(Tick) {
    std::string name(instance_name());
    auto zones = names_of_zones(everywhere(&Settings::zones));
    co_await ListHealth::examine_all(dns(), health_, log(), std::move(name), std::move(zones));
  }

  ListHealth health_{"2.0.0.127.", "1.0.0.127."};
};

}  // namespace

POSTERN_PLUGIN(Dnsbl, "dnsbl")

}  // namespace postern::plugins
