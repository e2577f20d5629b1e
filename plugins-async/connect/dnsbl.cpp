// dnsbl: refuse clients that DNS block lists name (RFC 5782).
#include <postern/plugin.hpp>

#include <map>

namespace postern::plugins {
namespace {

struct Zone {
  std::string name;            // "bl.example.net", no trailing dot
  std::size_t weight = 1;      // counts when listed
  std::vector<Network> codes;  // answers that count; none: all of 127.0.0.0/8
  std::string text;            // for the reply; empty: what the list itself says

  static void describe(Schema<Zone>& schema) {
    schema.key("name", &Zone::name, "the list's zone").required().alone();
    schema.key("weight", &Zone::weight, "what a listing counts towards the threshold").at_least(1);
    schema.key("codes", &Zone::codes, "answers that count, such as 127.0.0.2; without it all do");
    schema.key("text", &Zone::text, "the reply's text, instead of the list's own");
  }
  bool operator==(const Zone&) const = default;
  bool counts(const std::vector<IpAddress>& answers) const {
    if (codes.empty()) return !answers.empty();
    for (const IpAddress& answer : answers)
      for (const Network& code : codes)
        if (code.contains(answer)) return true;
    return false;
  }
};

struct Answer {
  Answer(std::string z, Result<std::vector<IpAddress>> c)
      : zone(std::move(z)), codes(std::move(c)) {}
  std::string zone;
  Result<std::vector<IpAddress>> codes;  // none: not listed; an error is not the same
  std::string text;
};

struct Listings : Fact<"dnsbl.listings", 1> {
  std::vector<Answer> answers;

  const Answer* of(const std::string& zone) const {
    for (const Answer& answer : answers)
      if (answer.zone == zone) return &answer;
    return nullptr;
  }
  void record(Fields& out) const {
    std::vector<std::string> listed, failed;
    for (const Answer& answer : answers) {
      if (!answer.codes) failed.push_back(answer.zone + ": " + answer.codes.error().describe());
      if (answer.codes && !answer.codes->empty()) listed.push_back(answer.zone);
    }
    out.add("listed", listed).add("failed", failed);
  }
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
    Group<Answer> lookups;
    const std::string reversed = dns::reverse_name(session.client_address());
    for (const Zone& zone : everywhere(&Settings::zones))
      lookups.add(ask(session.dns(), reversed, zone.name));
    Listings found;
    auto keep = [&](Answer answer) {
      if (!found.of(answer.zone)) found.answers.push_back(std::move(answer));
    };
    const auto outcome = co_await lookups.each(keep);
    if (!outcome) co_return fail(outcome.error());
    co_return found;
  }

  // For each recipient, with his lists and his threshold.
  Verdict judge(const Listings& found, const Settings& settings) const {
    std::size_t score = 0, unknown = 0;
    std::string text;
    for (const Zone& zone : settings.zones) {
      const Answer* answer = found.of(zone.name);
      if (!answer || !answer->codes) {
        unknown += zone.weight;
      } else if (zone.counts(*answer->codes)) {
        score += zone.weight;
        if (text.empty()) text = zone.text.empty() ? answer->text : zone.text;
        if (text.empty()) text = fmt::format("Your address is listed in {}", zone.name);
      }
    }
    if (score >= settings.threshold) return Verdict::reject({5, 7, 1}, std::move(text));
    if (score + unknown >= settings.threshold) return Verdict::failed(Errc::timed_out);
    return Verdict::next();
  }

  Task<Answer> ask(dns::Resolver& resolver, std::string reversed, std::string zone) {
    if (suspended_.count(zone) > 0)
      co_return Answer(std::move(zone),
                       fail(Errc::unsupported, "suspended: it fails its own test"));
    std::string question = fmt::format("{}.{}", reversed, zone);
    auto codes = co_await resolver.a(question);
    auto listed = dns::is_listing(codes);
    if (!listed) co_return Answer(std::move(zone), fail(listed.error()));
    Answer answer(std::move(zone), std::vector<IpAddress>());
    if (!*listed) co_return answer;
    answer.codes->assign(codes->records.begin(), codes->records.end());
    auto texts = co_await resolver.txt(std::move(question));
    if (texts && !texts->empty()) answer.text = texts->records.front().substr(0, 200);
    co_return answer;
  }

  // RFC 5782 section 5: a list that works lists 127.0.0.2 and not 127.0.0.1. One that has died, or
  // lists the world, is not asked until it is well again.
  Task<void> examine_lists(Tick) {
    Group<void> examinations;
    for (const Zone& zone : everywhere(&Settings::zones)) examinations.add(examine(zone.name));
    co_await examinations.join();
  }

  Task<void> examine(std::string zone) {
    std::string positive = "2.0.0.127." + zone;
    std::string negative = "1.0.0.127." + zone;
    auto must = co_await dns().a(std::move(positive));
    const auto lists = dns::is_listing(must);
    if (!lists && lists.error().code != Errc::malformed) co_return;  // silence tells nothing
    auto must_not = co_await dns().a(std::move(negative));
    const bool lists_all = must_not && !must_not->empty();
    judge_list(zone, lists && *lists && !lists_all);
  }

  void judge_list(const std::string& zone, bool works) {
    const bool was_suspended = suspended_.count(zone) > 0;
    if (works == !was_suspended) return;
    if (works) {
      suspended_.erase(zone);
      log().notice("{}: {} works again", instance_name(), zone);
    } else {
      suspended_[zone] = true;
      log().error("{}: {} fails the test of RFC 5782 section 5 and is not asked any more",
                  instance_name(), zone);
    }
  }

  std::map<std::string, bool> suspended_;  // the worker's own: lists that do not work
};

}  // namespace

POSTERN_PLUGIN(Dnsbl, "dnsbl")

}  // namespace postern::plugins
