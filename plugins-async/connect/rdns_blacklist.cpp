// rdns_blacklist: refuse clients by the top-level domain, domain or name of their host.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

struct HostNames : Fact<"rdns_blacklist.names", 1> {
  std::vector<std::string> names;  // as the address's owner claims: to refuse, that is enough
  void record(Fields& out) const { out.add("names", names); }
};

class RdnsBlacklist final : public PluginOf<RdnsBlacklist> {
 public:
  static constexpr const char* summary =
      "Refuses clients by the name of their host, its domain or top-level domain.";
  struct Settings {
    DomainDirectory directory;
    DomainList list;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("directory", &Settings::directory,
             "a directory of empty files, each named like a host, domain or top-level domain")
        .per_domain();
    schema
        .key("list", &Settings::list,
             "hosts, domains or top-level domains: all hosts in them are refused")
        .per_domain();
    schema.defaults().enforce_at = policy::Stage::rcpt;  // where nobody has waited for it
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &RdnsBlacklist::look).judge(&RdnsBlacklist::judge);
  }

 private:
  static constexpr std::size_t most_names = 10;

  // Not the confirmed name that fcrdns makes: nobody escapes by a name that does not lead back.
  Task<Result<HostNames>> look(Session& session) {
    auto found = co_await session.dns().ptr(session.client_address());
    if (!found) co_return fail(found.error());
    HostNames host;
    host.names.assign(found->records.begin(), found->records.end());
    if (host.names.size() > most_names) host.names.resize(most_names);
    co_return host;
  }

  Verdict judge(const HostNames& host, const Settings& settings) const {
    for (const std::string& name : host.names) {
      std::string_view entry = settings.directory.names.find(name);
      if (entry.empty()) entry = settings.list.find(name);
      if (entry.empty()) continue;
      const char* what = entry.size() == name.size()     ? "Host name"
                         : entry.find('.') == entry.npos ? "Top-level domain"
                                                         : "Domain";
      return Verdict::reject({5, 7, 1}, fmt::format("{} {} is not welcome here", what, entry));
    }
    return Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(RdnsBlacklist, "rdns_blacklist")

}  // namespace postern::plugins
