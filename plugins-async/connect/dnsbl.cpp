// dnsbl: refuse clients that DNS block lists name (RFC 5782).
#include <postern/plugin.hpp>

#include <map>

namespace postern::plugins {
namespace {

// One list may take so long, and then its text: what the others say is not lost with it.
constexpr auto patience = 3s;
constexpr auto patience_for_text = 1s;

struct Zone {
  std::string name;            // "bl.example.net", no trailing dot
  std::size_t weight = 1;      // counts when listed
  std::vector<Network> codes;  // answers that count
  std::size_t bits = 0;  // ... and those whose last octet has one of these; neither: all count
  policy::ReplyTemplate text;  // for the reply; empty: what the list itself says

  static void describe(Schema<Zone>& schema) {
    schema.key("name", &Zone::name, "the list's zone").required().alone();
    schema.key("weight", &Zone::weight, "what a listing counts towards the threshold").at_least(1);
    schema.key("codes", &Zone::codes, "answers that count, such as 127.0.0.2; without it all do");
    schema
        .key("bits", &Zone::bits,
             "answers count whose last octet has one of these bits: the sum of 1, 2, 4, ... 128")
        .at_most(255);
    schema.key("text", &Zone::text,
               "the reply's text, with {client}, instead of the list's own, which is {reason}");
  }
  bool operator==(const Zone& other) const {
    return name == other.name && weight == other.weight && codes == other.codes &&
           bits == other.bits && text.text == other.text.text;
  }

  bool counts(const IpAddress& answer) const {
    if (codes.empty() && bits == 0) return true;
    return (answer.octets().back() & bits) != 0 ||
           std::any_of(codes.begin(), codes.end(),
                       [&](const Network& code) { return code.contains(answer); });
  }
  bool counts(const std::vector<IpAddress>& answers) const {
    return std::any_of(answers.begin(), answers.end(),
                       [&](const IpAddress& answer) { return counts(answer); });
  }
  std::string says(std::string own, const std::string& client) const {
    if (own.empty()) own = fmt::format("Your address is listed in {}", name);
    if (text.empty()) return own;
    policy::ReplyValues values{};
    values.reason = own;
    values.client = client;
    return text.fill(values);
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
  std::string client;
  std::vector<Answer> answers;
  std::vector<std::string> suspended;  // were not asked

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
    out.add("listed", listed).add("failed", failed).add("suspended", suspended);
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
    Group<Answer> lookups;
    const std::string reversed = dns::reverse_name(session.client_address());
    for (const std::string& zone : zone_names()) {
      if (suspended_.count(zone) > 0)
        found.suspended.push_back(zone);
      else
        lookups.add(ask(session.dns(), reversed, zone));
    }
    auto keep = [&](Answer answer) { found.answers.push_back(std::move(answer)); };
    const auto outcome = co_await lookups.each(keep);
    if (!outcome) co_return fail(outcome.error());
    co_return found;
  }

  // For each recipient, with his lists and his threshold. A list that has not answered matters only
  // where its weight could have.
  Verdict judge(const Listings& found, const Settings& settings) const {
    std::size_t score = 0, unknown = 0;
    std::string text;
    Error error(Errc::timed_out);
    for (const Zone& zone : settings.zones) {
      const Answer* answer = found.of(zone.name);
      if (!answer) continue;  // suspended
      if (!answer->codes) {
        unknown += zone.weight;
        error = Error(answer->codes.error().code, zone.name);
      } else if (zone.counts(*answer->codes)) {
        score += zone.weight;
        if (text.empty()) text = zone.says(answer->text, found.client);
      }
    }
    if (score >= settings.threshold) return Verdict::reject({5, 7, 1}, std::move(text));
    if (score + unknown >= settings.threshold) return Verdict::failed(std::move(error));
    return Verdict::next();
  }

  static Task<Answer> ask(dns::Resolver& resolver, std::string reversed, std::string zone) {
    std::string question = fmt::format("{}.{}", reversed, zone);
    auto codes = co_await coro::within(patience, resolver.a(question));
    auto listed = dns::is_listing(codes);
    if (!listed) co_return Answer(std::move(zone), fail(listed.error()));
    Answer answer(std::move(zone), std::vector<IpAddress>());
    if (!*listed) co_return answer;
    answer.codes->assign(codes->records.begin(), codes->records.end());
    auto texts = co_await coro::within(patience_for_text, resolver.txt(std::move(question)));
    if (texts && !texts->empty()) answer.text = texts->records.front().substr(0, 200);
    co_return answer;
  }

  // RFC 5782 section 5: a list that works lists 127.0.0.2 and not 127.0.0.1. One that has died, or
  // lists the world, is not asked until it is well again.
  Task<void> examine_lists(Tick) {
    Group<void> examinations;
    for (const std::string& zone : zone_names()) examinations.add(examine(zone));
    co_await examinations.join();
  }

  Task<void> examine(std::string zone) {
    std::string positive = "2.0.0.127." + zone;
    std::string negative = "1.0.0.127." + zone;
    auto must = co_await coro::within(patience, dns().a(std::move(positive)));
    const auto lists = dns::is_listing(must);
    if (!lists && lists.error().code != Errc::malformed) co_return;  // silence tells nothing
    auto must_not = co_await coro::within(patience_for_text, dns().a(std::move(negative)));
    const bool lists_all = must_not && !must_not->empty();
    judge_list(zone, lists && *lists && !lists_all);
  }

  // Each once, however many domains name it.
  std::vector<std::string> zone_names() const {
    std::vector<std::string> names;
    for (const Zone& zone : everywhere(&Settings::zones))
      if (std::find(names.begin(), names.end(), zone.name) == names.end())
        names.push_back(zone.name);
    return names;
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
