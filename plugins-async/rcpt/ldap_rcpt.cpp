// ldap_rcpt: whether a recipient exists, by a directory.
#include <postern/plugin.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "../shared/joined.hpp"
#include "../shared/ldap.hpp"
#include "../shared/timed_cache.hpp"

namespace postern::plugins {
namespace {

// %a the address, %u its local-part, %d its domain, %% a percent sign. Nothing: another letter.
std::optional<std::string> filled(std::string_view filter, std::string_view address,
                                  std::string_view local_part, std::string_view domain) {
  std::string out;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i] != '%') {
      out += filter[i];
      continue;
    }
    const char letter = ++i < filter.size() ? filter[i] : '\0';
    if (letter == 'a')
      out += ldap::escaped(address);
    else if (letter == 'u')
      out += ldap::escaped(local_part);
    else if (letter == 'd')
      out += ldap::escaped(domain);
    else if (letter == '%')
      out += '%';
    else
      return {};
  }
  return out;
}

class LdapRcpt final : public PluginOf<LdapRcpt> {
 public:
  static constexpr const char* summary = "Refuses recipients that a directory does not have.";
  struct Settings {
    std::vector<DomainPattern> domains;
    std::string uri = "ldap://127.0.0.1";
    std::string base;
    ldap::Scope scope = ldap::Scope::sub;
    std::string filter = "(|(mail=%a)(mailAlternateAddress=%a))";
    std::string bind_dn;
    std::string password;
    FilePath password_file;
    ldap::Tls tls = ldap::Tls::off;
    FilePath ca_file;
    std::chrono::milliseconds patience = 4s;
    std::size_t connections = 2;
    std::chrono::milliseconds found_for = 5min;
    std::chrono::milliseconds not_found_for = 1min;
    bool accept = false;
  };
  static void describe(Schema<Settings>& schema) {
    using S = Settings;
    schema
        .key("domains", &S::domains,
             "whose recipients are looked up; \".example.net\": those of all its subdomains; "
             "others are left to others")
        .required();
    schema
        .key("uri", &S::uri,
             "the server: ldap://, ldaps:// or ldapi://; several with blanks between are tried in "
             "their order. A name in it is looked up by the system's resolver, however long that "
             "takes")
        .per_domain();
    schema.key("base", &S::base, "where to search from: \"ou=people,dc=example,dc=net\"")
        .per_domain();
    schema
        .key("scope", &S::scope,
             "how far: all below the base, only what is right below it, or "
             "itself")
        .per_domain();
    schema
        .key("filter", &S::filter,
             "whom to search for (RFC 4515): %a is the address, %u its local-part, %d its domain, "
             "%% a percent sign; what they hold is escaped. One object is enough")
        .per_domain();
    schema.key("bind_dn", &S::bind_dn, "as whom; without it as nobody").per_domain();
    schema.key("password", &S::password, "his password").per_domain();
    schema.key("password_file", &S::password_file, "a file whose first line it is, instead")
        .per_domain();
    schema
        .key("tls", &S::tls,
             "none; encrypted, whoever it is; or encrypted, with a certificate of that name")
        .per_domain();
    schema.key("ca_file", &S::ca_file, "who may sign it; without it whom the system trusts")
        .per_domain();
    schema
        .key("patience", &S::patience,
             "how long a lookup may take, with all that it needs; less than timeout")
        .at_least(10ms)
        .at_most(60s)
        .per_domain();
    schema
        .key("connections", &S::connections,
             "lookups at the same time, of each worker and server; each holds a thread")
        .at_least(1)
        .at_most(4);
    schema.key("found_for", &S::found_for, "how long it is remembered that a recipient exists")
        .at_most(24h)
        .per_domain();
    schema.key("not_found_for", &S::not_found_for, "... and that one does not")
        .at_most(24h)
        .per_domain();
    schema
        .key("accept", &S::accept,
             "also takes the recipients that it finds, as rcpt_ok does; else others have to")
        .per_domain();
  }
  static std::string fault(const Settings& settings) {
    if (settings.base.empty()) return "searches nowhere without base";
    if (!filled(settings.filter, "", "", ""))
      return "filter has % before another letter than a, u, d";
    if (settings.filter.find('%') == settings.filter.npos)
      return "filter finds the same for everybody; it needs %a, or %u and %d";
    const bool secret = !settings.password.empty(), file = !settings.password_file.empty();
    if (secret && file) return "has password and password_file; one is enough";
    if (settings.bind_dn.empty() && (secret || file)) return "has a password, and no bind_dn";
    if (!settings.bind_dn.empty() && !secret && !file) return "bind_dn needs a password";
    if (istarts_with(settings.uri, "ldaps:") && settings.tls == ldap::Tls::off)
      return "uri is ldaps://: tls is starttls (whoever it is) or verify";
    return {};
  }
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &LdapRcpt::decide);
    hooks.on_tick(this, &LdapRcpt::sweep);
  }

 private:
  static constexpr std::size_t most_remembered = 10'000;

  struct Question {
    ldap::Server server;
    ldap::Search search;
    std::chrono::milliseconds patience;
    std::size_t connections;
  };

  Task<Verdict> decide(Recipient& to) {
    const Settings& mine = settings(to);
    if (!is_meant(mine, to.domain())) co_return Verdict::next();
    const bool accepts = mine.accept;
    const auto found_for = mine.found_for, not_found_for = mine.not_found_for;
    Question question = question_about(to, mine);
    const std::string key = key_of(question);
    bool exists = false;
    if (const bool* known = known_.find(key, scheduler().now())) {
      exists = *known;
    } else {
      auto found = co_await joined_.ask(key, *this, &LdapRcpt::look_up, std::move(question));
      if (!found) co_return Verdict::failed(found.error(), 451, {4, 4, 3});
      exists = *found;
      known_.put(key, exists, scheduler().now() + (exists ? found_for : not_found_for));
    }
    if (!exists) co_return Verdict::reject_as_unknown();
    if (accepts) co_return Verdict::accept();
    co_return Verdict::next();
  }

  Task<Result<bool>> look_up(Question question) {
    const std::shared_ptr<ldap::Directory> directory = directory_of(question);
    auto found = co_await directory->find(services(), scheduler(), std::move(question.search),
                                          question.patience);
    if (!found) co_return fail(found.error());
    co_return !found->empty();
  }

  // Whoever asks shares it: nobody knows how long a server's name takes to look up.
  std::shared_ptr<ldap::Directory> directory_of(const Question& question) {
    auto& directory = directories_[question.server];
    if (!directory)
      directory = std::make_shared<ldap::Directory>(question.server, question.connections);
    return directory;
  }

  // Closing a connection may wait, too.
  Task<void> sweep(Tick) {
    std::vector<std::shared_ptr<ldap::Connection>> stale;
    for (auto& [server, directory] : directories_)
      for (auto& connection : directory->take_stale(scheduler().now()))
        stale.push_back(std::move(connection));
    std::erase_if(directories_,
                  [&](const auto& each) { return each.second->is_unused(scheduler().now()); });
    if (stale.empty()) co_return;
    auto job = [stale = std::move(stale)]() mutable -> Result<bool> {
      stale.clear();
      return true;
    };
    auto closed = co_await offload(services(), std::move(job));
    (void)closed;
  }

  static bool is_meant(const Settings& settings, std::string_view domain) {
    return std::any_of(settings.domains.begin(), settings.domains.end(),
                       [&](const DomainPattern& pattern) { return pattern.matches(domain); });
  }

  static Question question_about(const Recipient& to, const Settings& mine) {
    Question question;
    question.server = {mine.uri,     mine.tls,      mine.ca_file.text,
                       mine.bind_dn, mine.password, mine.password_file.text};
    question.search.base = mine.base;
    question.search.scope = mine.scope;
    question.search.filter =
        filled(mine.filter, to.key(), to.local_part(), to.domain()).value_or("");
    question.patience = mine.patience;
    question.connections = mine.connections;
    return question;
  }

  // Two settings with the same server and search have the same answer.
  static std::string key_of(const Question& question) {
    const auto& [uris, tls, ca_file, bind_dn, password, password_file] = question.server;
    const auto& [base, scope, filter] = question.search;
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", uris, static_cast<int>(tls), ca_file,
                       bind_dn, password, password_file, base, static_cast<int>(scope), filter);
  }

  TimedCache<std::string, bool> known_{most_remembered};
  Joined<std::string, bool> joined_;
  std::map<ldap::Server, std::shared_ptr<ldap::Directory>> directories_;
};

}  // namespace

POSTERN_PLUGIN(LdapRcpt, "ldap_rcpt")

}  // namespace postern::plugins
