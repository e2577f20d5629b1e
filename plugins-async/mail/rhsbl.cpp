// rhsbl: refuse senders whose domain, the right-hand side of the address, a DNS list names.
#include <postern/facts/client_name.hpp>
#include <postern/verify/public_suffix.hpp>

#include "../shared/dns_lists.hpp"

namespace postern::plugins {
namespace {

enum class Of : std::uint8_t { sender, helo, rdns, from };
constexpr auto names_of(Of) {
  return std::array<std::string_view, 4>{"sender", "helo", "rdns", "from"};
}
constexpr const char* said_of[] = {"Your domain {}", "The name of your greeting, {},",
                                   "Your host name {}", "The domain of the author, {},"};
constexpr std::size_t most_authors = 10;  // whose domains are looked up

struct Subject {
  Of of;
  std::string name;
};

struct Listings : Fact<"rhsbl.listings", 1> {
  std::string client;
  std::vector<Subject> subjects;
  Answers answers;
  void record(Fields& out) const { answers.record(out); }

  // Each name once. An address is no domain: lists of domains answer it with an error.
  void add(Of of, std::string_view text, bool organisational) {
    std::string name = lower(text);
    if (name.ends_with('.')) name.pop_back();
    if (!dns::is_host_name(name) || name.find('.') == name.npos || IpAddress::parse(name)) return;
    if (organisational)
      if (std::string owner = verify::organisational_domain(name); !owner.empty())
        name = std::move(owner);
    const auto same = [&](const Subject& subject) { return subject.name == name; };
    if (std::none_of(subjects.begin(), subjects.end(), same))
      subjects.push_back({of, std::move(name)});
  }
  std::string listed(const std::string& name, const std::string& zone) const {
    for (const Subject& subject : subjects)
      if (subject.name == name)
        return fmt::format(fmt::runtime(said_of[static_cast<int>(subject.of)]), name) +
               " is listed in " + zone;
    return {};
  }
};

// The same of the message's header.
struct AuthorListings : Fact<"rhsbl.author_listings", 1> {
  Listings found;
  void record(Fields& out) const { found.record(out); }
};

class Rhsbl final : public PluginOf<Rhsbl> {
 public:
  static constexpr const char* summary = "Refuses senders whose domain is in DNS lists.";
  struct Settings {
    std::vector<Zone> zones;
    std::size_t threshold = 1;
    std::vector<Of> look_up = {Of::sender};
    bool organisational = false;
  };
  static void describe(Schema<Settings>& schema) {
    schema.list("zones", &Settings::zones, "DNS lists of domains to ask").required().per_domain();
    schema.key("threshold", &Settings::threshold, "sum of weights that refuses")
        .at_least(1)
        .per_domain();
    schema.key("look_up", &Settings::look_up,
               "what they are asked about: the sender's domain, the name in the greeting, the "
               "client's host name as fcrdns finds it, the domains of the From field; what that "
               "says is known at the end of the message");
    schema.key("organisational", &Settings::organisational,
               "ask about the domain that somebody has registered instead of the name as it "
               "stands: example.co.uk for mail.example.co.uk, by the public suffix list");
    schema.defaults().enforce_at = policy::Stage::rcpt;  // where nobody has waited for it
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_mail(this, &Rhsbl::look).judge(&Rhsbl::judge).wants<facts::ClientName>();
    hooks.on_headers(this, &Rhsbl::look_at_authors).judge(&Rhsbl::judge_authors);
    hooks.on_tick(this, &Rhsbl::examine_lists);
  }

 private:
  Task<Result<Listings>> look(Transaction& tx) {
    const bool organisational = settings(tx).organisational;
    const std::vector<Of> wanted = settings(tx).look_up;
    Listings found;
    found.client = tx.session().client_address().text();
    for (const Of of : wanted) {
      if (of == Of::sender) found.add(of, tx.reverse_path().domain, organisational);
      if (of == Of::helo) found.add(of, tx.hello().name(), organisational);
      if (of != Of::rdns) continue;
      const auto* client = co_await tx.facts().await<facts::ClientName>();
      if (client) found.add(of, client->name, organisational);
    }
    auto answered = co_await ask(tx.session().dns(), std::move(found));
    co_return answered;
  }

  // Whoever a reader is told the message is from: also where there are several, or several fields.
  Task<Result<AuthorListings>> look_at_authors(Message& message) {
    AuthorListings authors;
    authors.found.client = message.session().client_address().text();
    const Settings& here = settings(message);
    const mail::HeaderSection& header = message.header();
    if (std::find(here.look_up.begin(), here.look_up.end(), Of::from) != here.look_up.end())
      for (auto at = header.find("From"); at; at = header.find("From", *at + 1))
        for (const auto& author : mail::parse_addresses(header[*at].value, most_authors).mailboxes)
          if (authors.found.subjects.size() < most_authors)
            authors.found.add(Of::from, author.domain(), here.organisational);
    auto answered = co_await ask(message.session().dns(), std::move(authors.found));
    if (!answered) co_return fail(answered.error());
    authors.found = std::move(*answered);
    co_return authors;
  }

  Task<Result<Listings>> ask(dns::Resolver& resolver, Listings found) {
    if (found.subjects.empty()) co_return found;
    std::vector<std::string> names;
    for (const Subject& subject : found.subjects) names.push_back(subject.name);
    auto zones = names_of_zones(everywhere(&Settings::zones));
    auto answers =
        co_await ListHealth::ask_all(resolver, health_, std::move(names), std::move(zones));
    if (!answers) co_return fail(answers.error());
    found.answers = std::move(*answers);
    co_return found;
  }

  Verdict judge_authors(const AuthorListings& authors, const Settings& settings) const {
    return judge(authors.found, settings);
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
