// rhsbl: refuse senders whose domain, the right-hand side of the address, a DNS list names.
#include <postern/facts/client_name.hpp>

#include "../shared/dns_lists.hpp"

namespace postern::plugins {
namespace {

enum class Of : std::uint8_t { sender, helo, rdns };
constexpr auto names_of(Of) { return std::array<std::string_view, 3>{"sender", "helo", "rdns"}; }
constexpr const char* said_of[] = {"Your domain {}", "The name of your greeting, {},",
                                   "Your host name {}"};

struct Subject {
  Of of;
  std::string name;
};

struct Listings : Fact<"rhsbl.listings", 1> {
  std::string client;
  std::vector<Subject> subjects;
  Answers answers;
  void record(Fields& out) const { answers.record(out); }

  std::string listed(const std::string& name, const std::string& zone) const {
    for (const Subject& subject : subjects)
      if (subject.name == name)
        return fmt::format(fmt::runtime(said_of[static_cast<int>(subject.of)]), name) +
               " is listed in " + zone;
    return {};
  }
};

class Rhsbl final : public PluginOf<Rhsbl> {
 public:
  static constexpr const char* summary = "Refuses senders whose domain is in DNS lists.";
  struct Settings {
    std::vector<Zone> zones;
    std::size_t threshold = 1;
    std::vector<Of> look_up = {Of::sender};
  };
  static void describe(Schema<Settings>& schema) {
    schema.list("zones", &Settings::zones, "DNS lists of domains to ask").required().per_domain();
    schema.key("threshold", &Settings::threshold, "sum of weights that refuses")
        .at_least(1)
        .per_domain();
    schema.key("look_up", &Settings::look_up,
               "what they are asked about: the sender's domain, the name in the greeting, the "
               "client's host name as fcrdns finds it");
    schema.defaults().enforce_at = policy::Stage::rcpt;  // where nobody has waited for it
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_mail(this, &Rhsbl::look).judge(&Rhsbl::judge).wants<facts::ClientName>();
    hooks.on_tick(this, &Rhsbl::examine_lists);
  }

 private:
  Task<Result<Listings>> look(Transaction& tx) {
    Listings found;
    found.client = tx.session().client_address().text();
    for (const Of of : settings(tx).look_up) {
      if (of == Of::sender) add(found, of, tx.reverse_path().domain);
      if (of == Of::helo) add(found, of, tx.hello().name());
      if (of != Of::rdns) continue;
      const auto* client = co_await tx.facts().await<facts::ClientName>();
      if (client) add(found, of, client->name);
    }
    std::vector<std::string> names;
    for (const Subject& subject : found.subjects) names.push_back(subject.name);
    auto zones = names_of_zones(everywhere(&Settings::zones));
    auto answers = co_await ListHealth::ask_all(tx.session().dns(), health_, std::move(names),
                                                std::move(zones));
    if (!answers) co_return fail(answers.error());
    found.answers = std::move(*answers);
    co_return found;
  }

  // Each name once. An address is no domain: lists of domains answer it with an error.
  static void add(Listings& found, Of of, std::string_view text) {
    std::string name = lower(text);
    if (name.ends_with('.')) name.pop_back();
    const bool is_domain =
        dns::is_host_name(name) && name.find('.') != name.npos && !IpAddress::parse(name);
    const auto same = [&](const Subject& subject) { return subject.name == name; };
    if (is_domain && std::none_of(found.subjects.begin(), found.subjects.end(), same))
      found.subjects.push_back({of, std::move(name)});
  }

  Verdict judge(const Listings& found, const Settings& settings) const {
    Tally sum = tally(settings.zones, found.answers);
    if (sum.score >= settings.threshold)
      return Verdict::reject(
          {5, 7, 1},
          sum.zone->says(sum.answer->text, found.listed(sum.answer->subject, sum.zone->name),
                         found.client));
    if (sum.score + sum.unknown >= settings.threshold) return Verdict::failed(std::move(sum.error));
    return Verdict::next();
  }

  Task<void> examine_lists(Tick) {
    std::string name(instance_name());
    auto zones = names_of_zones(everywhere(&Settings::zones));
    co_await ListHealth::examine_all(dns(), health_, log(), std::move(name), std::move(zones));
  }

  ListHealth health_{"", "invalid."};
};

}  // namespace

POSTERN_PLUGIN(Rhsbl, "rhsbl")

}  // namespace postern::plugins
