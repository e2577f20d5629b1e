// resolvable_fromhost: refuse senders to whose domain nobody could answer.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

constexpr std::size_t max_mail_hosts = 10;  // of a domain; the best of more are looked at

Network network(std::string_view text) { return *Network::parse(text); }

struct Way : Fact<"resolvable_fromhost.way", 1> {
  std::string domain;  // empty: nothing to be looked up
  bool exists = true;
  bool takes_no_mail = false;  // "MX 0 .": its owner says so (RFC 7505)
  bool has_mx = false;
  std::vector<IpAddress> addresses;  // of its mail hosts, or its own
  std::vector<std::string> failed;   // names whose servers did not answer

  void record(Fields& out) const {
    std::vector<std::string> texts;
    for (const IpAddress& address : addresses) texts.push_back(address.text());
    out.add("domain", domain).add("exists", exists).add("null_mx", takes_no_mail);
    out.add("mx", has_mx).add("addresses", texts).add("failed", failed);
  }
};

struct HostAnswer {
  std::string name;
  Result<dns::Answer<IpAddress>> found;
  HostAnswer(std::string n, Result<dns::Answer<IpAddress>> f)
      : name(std::move(n)), found(std::move(f)) {}
};

class ResolvableFromHost final : public PluginOf<ResolvableFromHost> {
 public:
  static constexpr const char* summary = "Refuses senders whose domain has no way for answers.";
  struct Settings {
    std::vector<Network> invalid = {network("0.0.0.0/8"), network("127.0.0.0/8"),
                                    network("224.0.0.0/3"), network("::/128"), network("::1/128")};
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("invalid", &Settings::invalid,
             "networks in which no mail host can be: a domain that has only such is refused")
        .per_domain();
    schema.defaults().enforce_at = policy::Stage::rcpt;  // where nobody has waited for it
    schema.defaults().timeout = 15s;                     // MX records, then addresses
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_mail(this, &ResolvableFromHost::look).judge(&ResolvableFromHost::judge);
  }

 private:
  // A bounce has no domain, a literal needs no DNS, and names of RFC 6531 are not looked up here.
  static bool has_name(const smtp::Path& path) {
    return !path.domain.empty() && !path.is_address_literal() && all_ascii(path.domain);
  }

  Task<Result<Way>> look(Transaction& tx) {
    Way way;
    if (!has_name(tx.reverse_path())) co_return way;
    way.domain = tx.reverse_path().domain;
    const auto mx = co_await tx.session().dns().mx(way.domain);
    if (!mx) co_return fail(mx.error());
    way.exists = mx->name_exists;
    if (!way.exists) co_return way;
    // Beside others "." is no more than a name without address.
    way.takes_no_mail = mx->records.size() == 1 && mx->records.front().host.empty();
    if (way.takes_no_mail) co_return way;
    way.has_mx = !mx->empty();
    std::vector<std::string> hosts;
    for (const dns::Mx& record : mx->records)
      if (!record.host.empty() && hosts.size() < max_mail_hosts) hosts.push_back(record.host);
    if (!way.has_mx) hosts.push_back(way.domain);  // RFC 5321 section 5.1
    Group<HostAnswer> lookups;
    for (const std::string& host : hosts) {
      lookups.add(addresses_of(tx.session().dns(), host, false));
      lookups.add(addresses_of(tx.session().dns(), host, true));
    }
    auto keep = [&](HostAnswer answer) {
      if (!answer.found) return way.failed.push_back(std::move(answer.name));
      for (const IpAddress& address : answer.found->records) way.addresses.push_back(address);
    };
    const auto outcome = co_await lookups.each(keep);
    if (!outcome) co_return fail(outcome.error());
    co_return way;
  }

  static Task<HostAnswer> addresses_of(dns::Resolver& resolver, std::string host, bool v6) {
    Result<dns::Answer<IpAddress>> found;
    if (v6)
      found = co_await resolver.aaaa(host);
    else
      found = co_await resolver.a(host);
    HostAnswer answer(std::move(host), std::move(found));
    co_return answer;
  }

  Verdict judge(const Way& way, const Settings& settings) const {
    if (way.domain.empty()) return Verdict::next();
    if (way.takes_no_mail)
      return Verdict::reject({5, 7, 27}, "Your domain says that it takes no mail");
    if (!way.exists) return Verdict::reject({5, 1, 8}, "Your domain does not exist");
    const auto is_valid = [&](const IpAddress& address) {
      return std::none_of(settings.invalid.begin(), settings.invalid.end(),
                          [&](const Network& each) { return each.contains(address); });
    };
    if (std::any_of(way.addresses.begin(), way.addresses.end(), is_valid)) return Verdict::next();
    if (!way.failed.empty()) return Verdict::failed(Error(Errc::servfail, way.failed.front()));
    if (way.addresses.empty()) return Verdict::reject({5, 1, 8}, "Your domain has no mail server");
    return Verdict::reject({5, 1, 8}, "The mail servers of your domain cannot be reached");
  }
};

}  // namespace

POSTERN_PLUGIN(ResolvableFromHost, "resolvable_fromhost")

}  // namespace postern::plugins
