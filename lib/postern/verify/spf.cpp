#include <postern/base/text.hpp>
#include <postern/coro/group.hpp>
#include <postern/dns/forward_confirmed.hpp>
#include <postern/dns/names.hpp>
#include <postern/verify/spf.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace postern::verify {
namespace {

using coro::Task;
using Mechanism = SpfDirective::Mechanism;

// Whether a mechanism matches, or what it ends the check with.
enum class Match : std::uint8_t { no, yes, temperror, permerror };

// What a record, with those it redirects to, comes to.
struct Outcome {
  SpfResult result = SpfResult::none;
  std::string mechanism;
  std::string domain;          // whose record decided
  SpfMacroString explanation;  // of that record
  std::optional<SpfResult> others;
};

// What stands where a record should: one (`pass`), `none`, or an error.
struct Found {
  SpfResult result = SpfResult::none;
  SpfRecord record;
};

struct HostAnswer {
  std::size_t place;
  Result<dns::Answer<IpAddress>> found;
  HostAnswer(std::size_t p, Result<dns::Answer<IpAddress>> f) : place(p), found(std::move(f)) {}
};

// The quotes and backslashes of a quoted local-part are how SMTP writes it, not what it is.
std::string unquoted(std::string_view local_part) {
  if (local_part.size() < 2 || local_part.front() != '"') return std::string(local_part);
  std::string out;
  const std::string_view inner = local_part.substr(1, local_part.size() - 2);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '\\' && i + 1 < inner.size()) ++i;
    out += inner[i];
  }
  return out;
}

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool is_same_or_below(std::string_view name, std::string_view domain) {
  if (iequals(name, domain)) return true;
  return name.size() > domain.size() && name[name.size() - domain.size() - 1] == '.' &&
         iequals(name.substr(name.size() - domain.size()), domain);
}

Task<Result<dns::Answer<IpAddress>>> addresses_of(dns::Resolver& resolver, std::string name,
                                                  bool v4) {
  return v4 ? resolver.a(std::move(name)) : resolver.aaaa(std::move(name));
}

Task<HostAnswer> host_answer(dns::Resolver& resolver, std::size_t place, std::string name,
                             bool v4) {
  auto found = co_await addresses_of(resolver, std::move(name), v4);
  co_return HostAnswer(place, std::move(found));
}

// One call of check_host(), with all that is counted and found out on the way.
class Check {
 public:
  Check(dns::Resolver& resolver, SpfQuery query)
      : resolver_(resolver), query_(std::move(query)), v4_(query_.client.is_v4()) {}
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;

  Task<SpfAnswer> run() {
    SpfAnswer answer;
    answer.identity = query_.identity;
    query_.domain = without_final_dot(query_.domain);
    answer.domain = printable(query_.domain, dns::name_octets);
    // Section 4.3. An address literal is no host's name either.
    if (!dns::is_host_name(query_.domain) || query_.domain.find('.') == std::string::npos)
      co_return answer;
    auto outcome = co_await evaluate(query_.domain);
    answer.result = outcome.result;
    answer.mechanism = printable(outcome.mechanism, 256);
    answer.others = outcome.others;
    answer.problem = std::move(problem_);
    answer.lookups = lookups_;
    if (outcome.result == SpfResult::fail && !outcome.explanation.empty())
      answer.explanation = co_await explain(std::move(outcome));
    co_return answer;
  }

 private:
  Match ends(Match how, std::string why) {
    problem_ = std::move(why);
    return how;
  }
  Outcome ends(SpfResult how, std::string why) {
    problem_ = std::move(why);
    Outcome outcome;
    outcome.result = how;
    return outcome;
  }

  // Section 4.6.4. False: it would be the eleventh.
  bool may_ask() {
    if (lookups_ == max_spf_lookups) {
      problem_ = "more than 10 terms that ask the DNS";
      return false;
    }
    ++lookups_;
    return true;
  }
  // The same for what a term of the domain's asked in vain.
  bool may_be_void() {
    if (++void_lookups_ <= max_spf_void_lookups) return true;
    problem_ = "more than 2 lookups found nothing";
    return false;
  }

  // ---- Records ----

  // Section 4.4, 4.5.
  Task<Found> find_record(std::string domain) {
    Found found;
    const auto texts = co_await resolver_.txt(domain);
    if (!texts) {
      found.result = SpfResult::temperror;
      problem_ = texts.error().describe();
      co_return found;
    }
    const auto count = std::count_if(texts->records.begin(), texts->records.end(), is_spf_record);
    if (count == 0) co_return found;
    found.result = SpfResult::permerror;
    if (count > 1) {
      problem_ = fmt::format("{} has several records", printable(domain));
      co_return found;
    }
    auto parsed = parse_spf_record(
        *std::find_if(texts->records.begin(), texts->records.end(), is_spf_record));
    if (!parsed) {
      problem_ = fmt::format("the record of {}: {}", printable(domain), parsed.error().text);
      co_return found;
    }
    found.result = SpfResult::pass;
    found.record = std::move(*parsed);
    co_return found;
  }

  // One domain's record and, in turn, those it redirects to (section 6.1). Calls itself for
  // "include", which the limit of lookups ends.
  Task<Outcome> evaluate(std::string domain) {
    for (bool redirected = false;; redirected = true) {
      Found found = co_await find_record(domain);
      if (found.result == SpfResult::none && redirected)
        co_return ends(SpfResult::permerror,
                       fmt::format("redirect to {}, which has no record", printable(domain)));
      Outcome outcome;
      outcome.result = found.result;
      if (found.result != SpfResult::pass) co_return outcome;
      SpfMacroString redirect = std::move(found.record.redirect);
      outcome = co_await match_all(std::move(found.record), domain);
      if (outcome.result != SpfResult::none) co_return outcome;
      if (redirect.empty()) {
        outcome.result = SpfResult::neutral;  // section 4.7
        outcome.mechanism = "default";
        co_return outcome;
      }
      if (!may_ask()) {
        outcome.result = SpfResult::permerror;
        co_return outcome;
      }
      domain = co_await expand_name(std::move(redirect), domain);
      if (!dns::query_name(domain))
        co_return ends(SpfResult::permerror,
                       fmt::format("redirect to '{}', which is no domain", printable(domain)));
    }
  }

  // The mechanisms from left to right; `none`: no one matched.
  Task<Outcome> match_all(SpfRecord record, std::string domain) {
    Outcome outcome;
    outcome.domain = domain;
    outcome.others = record.of_all_others();
    for (std::size_t i = 0; i < record.directives.size(); ++i) {
      SpfDirective directive = std::move(record.directives[i]);
      outcome.mechanism = directive.text;
      const SpfResult qualifier = directive.qualifier;
      const Match match = co_await matches(std::move(directive), domain);
      if (match == Match::no) continue;
      if (match == Match::temperror) outcome.result = SpfResult::temperror;
      if (match == Match::permerror) outcome.result = SpfResult::permerror;
      if (match == Match::yes) {
        outcome.result = qualifier;
        outcome.explanation = std::move(record.explanation);
      }
      co_return outcome;
    }
    outcome.mechanism.clear();
    co_return outcome;
  }

  // ---- Mechanisms (section 5) ----

  Task<Match> matches(SpfDirective directive, std::string domain) {
    if (directive.mechanism == Mechanism::all) co_return Match::yes;
    if (!directive.asks()) {
      const bool covers = directive.covers(directive.network, query_.client);
      co_return covers ? Match::yes : Match::no;
    }
    if (!may_ask()) co_return Match::permerror;
    std::string target = domain;
    if (!directive.domain.empty()) target = co_await expand_name(directive.domain, domain);
    const bool is_name = dns::query_name(target).has_value();
    // What cannot be asked for does not exist (section 4.8): it has no record to include either.
    if (!is_name && directive.mechanism == Mechanism::include)
      co_return ends(Match::permerror,
                     fmt::format("include of '{}', which is no domain", printable(target)));
    if (!is_name) co_return Match::no;
    switch (directive.mechanism) {
      case Mechanism::include:
        co_return co_await match_include(std::move(target));
      case Mechanism::mx:
        co_return co_await match_mx(std::move(directive), std::move(target));
      case Mechanism::ptr:
        co_return co_await match_ptr(std::move(target));
      default:
        co_return co_await match_addresses(std::move(directive), std::move(target));
    }
  }

  // Section 5.2.
  Task<Match> match_include(std::string target) {
    const Outcome outcome = co_await evaluate(target);
    switch (outcome.result) {
      case SpfResult::pass:
        co_return Match::yes;
      case SpfResult::temperror:
        co_return Match::temperror;
      case SpfResult::permerror:
        co_return Match::permerror;
      case SpfResult::none:
        co_return ends(Match::permerror,
                       fmt::format("include of {}, which has no record", printable(target)));
      default:
        co_return Match::no;
    }
  }

  // "a", and "exists", which asks for A records whoever the client is (sections 5.3, 5.7).
  Task<Match> match_addresses(SpfDirective directive, std::string target) {
    const bool exists = directive.mechanism == Mechanism::exists;
    const auto found = co_await addresses_of(resolver_, std::move(target), v4_ || exists);
    co_return weigh(directive, found, exists);
  }

  Match weigh(const SpfDirective& directive, const Result<dns::Answer<IpAddress>>& found,
              bool any_will_do) {
    if (!found) return ends(Match::temperror, found.error().describe());
    if (found->empty()) return may_be_void() ? Match::no : Match::permerror;
    for (const IpAddress& address : found->records)
      if (any_will_do || directive.covers(address, query_.client)) return Match::yes;
    return Match::no;
  }

  // Section 5.4. All hosts are asked for at the same time and looked at in their order.
  Task<Match> match_mx(SpfDirective directive, std::string target) {
    auto mx = co_await resolver_.mx(target);
    if (!mx) co_return ends(Match::temperror, mx.error().describe());
    if (mx->empty()) co_return may_be_void() ? Match::no : Match::permerror;
    if (mx->records.size() > max_spf_mail_hosts)
      co_return ends(Match::permerror,
                     fmt::format("{} has more than 10 MX records", printable(target)));
    coro::Group<HostAnswer> lookups;
    std::vector<std::optional<Result<dns::Answer<IpAddress>>>> answers(mx->records.size());
    for (std::size_t i = 0; i < mx->records.size(); ++i)
      if (!mx->records[i].host.empty())  // the null MX has no address (RFC 7505)
        lookups.add(host_answer(resolver_, i, mx->records[i].host, v4_));
    auto keep = [&](HostAnswer answer) { answers[answer.place] = std::move(answer.found); };
    const auto looked = co_await lookups.each(keep);
    if (!looked) co_return ends(Match::temperror, looked.error().describe());
    for (const auto& answer : answers) {
      if (!answer) continue;
      const Match match = weigh(directive, *answer, false);
      if (match != Match::no) co_return match;
    }
    co_return Match::no;
  }

  // Section 5.5.
  Task<Match> match_ptr(std::string target) {
    co_await look_up_names();
    // That the client's names are unknown is an answer; that there was no time for them is none.
    coro::Context* context = co_await coro::current_context();
    if (context->stopped()) co_return ends(Match::temperror, "no time for the client's names");
    target = without_final_dot(target);
    for (const std::string& name : names_)
      if (is_same_or_below(name, target)) co_return Match::yes;
    co_return Match::no;
  }

  // The confirmed names of the client, once for all terms and macros; none when the DNS fails. In
  // an order of ours: servers rotate theirs.
  Task<void> look_up_names() {
    if (std::exchange(has_names_, true)) co_return;
    auto reverse = co_await dns::reverse_dns(resolver_, query_.client);
    if (!reverse) co_return;
    names_ = std::move(reverse->confirmed);
    std::sort(names_.begin(), names_.end());
  }

  // ---- Macros (section 7) ----

  // %{p}: the domain itself before a name below it before any other.
  std::string_view validated_name(std::string_view domain) const {
    std::string_view best = "unknown";
    int best_rank = 0;
    for (const std::string& name : names_) {
      const int rank = iequals(name, domain) ? 3 : is_same_or_below(name, domain) ? 2 : 1;
      if (rank <= best_rank) continue;
      best = name;
      best_rank = rank;
    }
    return best;
  }

  SpfMacroValues values(std::string_view domain, std::chrono::seconds time) const {
    SpfMacroValues out;
    out.local_part = query_.local_part;
    out.sender_domain = query_.domain;
    out.domain = domain;
    out.helo = query_.helo;
    out.validated_name = validated_name(domain);
    out.receiver = query_.receiver;
    out.client = query_.client;
    out.time = time;
    return out;
  }

  Task<std::string> expand_name(SpfMacroString macro, std::string domain) {
    if (macro.uses_validated_name()) co_await look_up_names();
    std::string name = macro.expand_name(values(domain, {}));
    co_return name;
  }

  // Section 6.2: whatever is wrong with it, there is none then.
  Task<std::string> explain(Outcome outcome) {
    std::string name = co_await expand_name(outcome.explanation, outcome.domain);
    const auto texts = co_await resolver_.txt(std::move(name));
    if (!texts || texts->records.size() != 1) co_return std::string();
    const auto text =
        SpfMacroString::parse(texts->records.front(), SpfMacroString::In::explanation);
    if (!text) co_return std::string();
    if (text->uses_validated_name()) co_await look_up_names();
    coro::Context* context = co_await coro::current_context();
    const auto time = std::chrono::duration_cast<std::chrono::seconds>(
        context->scheduler().wall().time_since_epoch());
    const std::string said =
        text->expand_text(values(outcome.domain, time), max_explanation_octets);
    co_return printable(said, max_explanation_octets);
  }

  dns::Resolver& resolver_;
  SpfQuery query_;
  bool v4_;
  unsigned lookups_ = 0;
  unsigned void_lookups_ = 0;
  bool has_names_ = false;
  std::vector<std::string> names_;
  std::string problem_;
};

}  // namespace

std::string_view name(SpfIdentity identity) {
  return identity == SpfIdentity::helo ? "helo" : "mailfrom";
}

SpfQuery spf_query_of_sender(IpAddress client, std::string_view local_part, std::string_view domain,
                             std::string_view helo, std::string_view receiver) {
  if (domain.empty()) return spf_query_of_helo(client, helo, receiver);
  SpfQuery query = spf_query_of_helo(client, helo, receiver);
  query.identity = SpfIdentity::mailfrom;
  query.domain = domain;
  if (!local_part.empty()) query.local_part = unquoted(local_part);
  return query;
}

SpfQuery spf_query_of_helo(IpAddress client, std::string_view helo, std::string_view receiver) {
  SpfQuery query;
  query.identity = SpfIdentity::helo;
  query.client = client;
  query.local_part = "postmaster";
  query.domain = helo;
  query.helo = helo;
  query.receiver = receiver;
  return query;
}

coro::Task<SpfAnswer> check_host(dns::Resolver& resolver, SpfQuery query) {
  Check check(resolver, std::move(query));
  SpfAnswer answer = co_await check.run();
  co_return answer;
}

}  // namespace postern::verify
