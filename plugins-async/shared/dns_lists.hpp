// DNS lists (RFC 5782), by address or by domain: their zones, asking them, whether they work. What
// dnsbl, dns_whitelist_soft and rhsbl have in common.
#pragma once

#include <postern/plugin.hpp>

#include <set>

namespace postern::plugins {

// One list may take so long, and then its text: what the others say is not lost with it.
constexpr auto patience_with_list = 3s;
constexpr auto patience_with_text = 1s;

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
  // `own`: what the list says; `otherwise` where it says nothing.
  std::string says(std::string own, std::string otherwise, std::string_view client) const {
    if (own.empty()) own = std::move(otherwise);
    if (text.empty()) return own;
    policy::ReplyValues values{};
    values.reason = own;
    values.client = client;
    return text.fill(values);
  }
};

// What a zone says of one address or domain.
struct Answer {
  Answer(std::string z, std::string s, Result<std::vector<IpAddress>> c)
      : zone(std::move(z)), subject(std::move(s)), codes(std::move(c)) {}
  std::string zone;
  std::string subject;                   // as it was asked for: "1.2.0.192", "b.example"
  Result<std::vector<IpAddress>> codes;  // none: not listed; an error is not the same
  std::string text;
};

struct Answers {
  std::vector<Answer> all;
  std::vector<std::string> suspended;  // zones that were not asked

  void record(Fields& out) const {
    std::vector<std::string> listed, failed;
    for (const Answer& answer : all) {
      if (!answer.codes) failed.push_back(answer.zone + ": " + answer.codes.error().describe());
      if (answer.codes && !answer.codes->empty()) listed.push_back(answer.zone);
    }
    out.add("listed", listed).add("failed", failed).add("suspended", suspended);
  }
};

// The zones of somebody's settings against what was answered.
struct Tally {
  std::size_t score = 0;           // of zones that list
  std::size_t unknown = 0;         // of those that have not answered
  const Zone* zone = nullptr;      // the first that lists
  const Answer* answer = nullptr;  // what it said
  Error error{Errc::timed_out};
};

inline Tally tally(const std::vector<Zone>& zones, const Answers& answers) {
  Tally sum;
  for (const Zone& zone : zones) {
    bool listed = false, failed = false;
    for (const Answer& answer : answers.all) {
      if (answer.zone != zone.name) continue;
      if (!answer.codes) {
        failed = true;
        sum.error = Error(answer.codes.error().code, zone.name);
      } else if (zone.counts(*answer.codes)) {
        listed = true;
        if (!sum.answer) sum.answer = &answer;
      }
    }
    if (listed && !sum.zone) sum.zone = &zone;
    if (listed)
      sum.score += zone.weight;
    else if (failed)
      sum.unknown += zone.weight;
  }
  return sum;
}

inline Task<Answer> ask_list(dns::Resolver& resolver, std::string subject, std::string zone) {
  std::string question = fmt::format("{}.{}", subject, zone);
  auto codes = co_await coro::within(patience_with_list, resolver.a(question));
  auto listed = dns::is_listing(codes);
  if (!listed) co_return Answer(std::move(zone), std::move(subject), fail(listed.error()));
  Answer answer(std::move(zone), std::move(subject), std::vector<IpAddress>());
  if (!*listed) co_return answer;
  answer.codes->assign(codes->records.begin(), codes->records.end());
  auto texts = co_await coro::within(patience_with_text, resolver.txt(std::move(question)));
  if (texts && !texts->empty()) answer.text = texts->records.front().substr(0, 200);
  co_return answer;
}

// The names of zones, each once, however many domains name it.
inline std::vector<std::string> names_of_zones(const std::vector<Zone>& zones) {
  std::vector<std::string> names;
  for (const Zone& zone : zones)
    if (std::find(names.begin(), names.end(), zone.name) == names.end()) names.push_back(zone.name);
  return names;
}

// The worker's own knowledge of which lists work. One that has died, or lists the world, is not
// asked until it is well again.
class ListHealth {
 public:
  // Entries that every list has, or none, in front of its zone; `listed` may be empty, where many
  // lists lack it and work all the same.
  ListHealth(std::string listed, std::string unlisted)
      : listed_(std::move(listed)), unlisted_(std::move(unlisted)) {}

  // Asks all that work about each subject, at the same time.
  static Task<Result<Answers>> ask_all(dns::Resolver& resolver, ListHealth& health,
                                       std::vector<std::string> subjects,
                                       std::vector<std::string> zones) {
    Answers found;
    Group<Answer> lookups;
    for (std::string& zone : zones) {
      if (health.suspended_.count(zone) > 0) {
        found.suspended.push_back(std::move(zone));
        continue;
      }
      for (const std::string& subject : subjects) lookups.add(ask_list(resolver, subject, zone));
    }
    auto keep = [&](Answer answer) { found.all.push_back(std::move(answer)); };
    const auto outcome = co_await lookups.each(keep);
    if (!outcome) co_return fail(outcome.error());
    co_return found;
  }

  static Task<void> examine_all(dns::Resolver& resolver, ListHealth& health, Log& log,
                                std::string instance, std::vector<std::string> zones) {
    Group<void> examinations;
    for (std::string& zone : zones)
      examinations.add(examine(resolver, health, log, instance, std::move(zone)));
    co_await examinations.join();
  }

 private:
  // RFC 5782 section 5: a list that works lists 127.0.0.2 and not 127.0.0.1, or TEST and not
  // INVALID. Silence tells nothing.
  static Task<void> examine(dns::Resolver& resolver, ListHealth& health, Log& log,
                            std::string instance, std::string zone) {
    bool works = true;
    if (!health.listed_.empty()) {
      std::string question = health.listed_ + zone;
      auto must = co_await coro::within(patience_with_list, resolver.a(std::move(question)));
      const auto lists = dns::is_listing(must);
      if (!lists && lists.error().code != Errc::malformed) co_return;
      works = lists && *lists;
    }
    std::string question = health.unlisted_ + zone;
    auto must_not = co_await coro::within(patience_with_text, resolver.a(std::move(question)));
    if (!must_not && health.listed_.empty()) co_return;
    health.judge(log, instance, zone, works && (!must_not || must_not->empty()));
  }

  void judge(Log& log, const std::string& instance, const std::string& zone, bool works) {
    const bool was_suspended = suspended_.count(zone) > 0;
    if (works == !was_suspended) return;
    if (works) {
      suspended_.erase(zone);
      log.notice("{}: {} works again", instance, zone);
    } else {
      suspended_.insert(zone);
      log.error("{}: {} fails the test of RFC 5782 section 5 and is not asked any more", instance,
                zone);
    }
  }

  std::string listed_;
  std::string unlisted_;
  std::set<std::string> suspended_;
};

}  // namespace postern::plugins
