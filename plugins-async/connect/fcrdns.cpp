// fcrdns: the client's host name, confirmed by looking it up again (RFC 8601 section 3: "iprev").
#include <postern/facts/client_name.hpp>
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

enum class Require : std::uint8_t { nothing, name, confirmed };
constexpr auto names_of(Require) {
  return std::array<std::string_view, 3>{"nothing", "name", "confirmed"};
}

struct Iprev : Fact<"fcrdns.iprev", 1> {
  const char* result = "permerror";  // RFC 8601 section 2.7.3: pass, fail, permerror (no name)
  std::vector<std::string> names;
  bool is(std::string_view wanted) const { return result == wanted; }
  void record(Fields& out) const { out.add("iprev", result).add("names", names); }
};

// In the same /24, or /64: as good as the same where a site has several addresses.
bool are_neighbours(const IpAddress& a, const IpAddress& b) {
  const std::size_t same = a.is_v4() ? 15 : 8;
  return a.is_v4() == b.is_v4() &&
         std::equal(a.octets().begin(), a.octets().begin() + same, b.octets().begin());
}

class Fcrdns final : public PluginOf<Fcrdns> {
 public:
  static constexpr const char* summary =
      "Finds the client's host name, and whether DNS confirms it.";
  struct Settings {
    Require require = Require::confirmed;
    bool neighbours = true;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("require", &Settings::require,
             "what a client must have: nothing, any name in the DNS, or one that leads back to it")
        .per_domain();
    schema.key("neighbours", &Settings::neighbours,
               "a name that leads to the same /24, or /64, is confirmed too");
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Fcrdns::look).judge(&Fcrdns::judge).makes<facts::ClientName>();
  }

 private:
  // Its error, a server that fails, is iprev's temperror: on_error decides.
  Task<Result<Iprev>> look(Session& session) {
    auto reverse = co_await dns::reverse_dns(session.dns(), session.client_address());
    if (!reverse) co_return fail(reverse.error());
    std::vector<std::string> confirmed = reverse->confirmed;
    if (confirmed.empty() && settings(session).neighbours) {
      for (const std::string& name : reverse->names) {
        bool near = co_await is_near(session, name);
        if (near) confirmed.push_back(name);
      }
    }
    // "localhost", "local": whoever owns the address says so, and no name of the DNS is meant.
    std::erase_if(confirmed, [](const std::string& name) { return name.find('.') == name.npos; });
    if (confirmed.empty() && reverse->unsure)
      co_return fail(Errc::servfail, "a name has no answer");

    facts::ClientName client;
    client.names = reverse->names;
    if (!confirmed.empty()) client.name = confirmed.front();
    session.facts().put(std::move(client));
    Iprev found;
    found.names = std::move(reverse->names);
    if (!found.names.empty()) found.result = confirmed.empty() ? "fail" : "pass";
    co_return found;
  }

  static Task<bool> is_near(Session& session, std::string name) {
    const IpAddress client = session.client_address();
    Result<dns::Answer<IpAddress>> found;
    if (client.is_v4())
      found = co_await session.dns().a(std::move(name));
    else
      found = co_await session.dns().aaaa(std::move(name));
    if (!found) co_return false;
    for (const IpAddress& address : found->records)
      if (are_neighbours(client, address)) co_return true;
    co_return false;
  }

  // RFC 7372 section 3.3.
  Verdict judge(const Iprev& found, const Settings& settings) const {
    if (found.is("pass")) return Verdict::next().vouch("iprev=pass");
    if (settings.require == Require::confirmed)
      return Verdict::reject({5, 7, 25}, "Your host name is not confirmed by the DNS");
    if (settings.require == Require::name && found.is("permerror"))
      return Verdict::reject({5, 7, 25}, "Your address has no host name");
    return Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(Fcrdns, "fcrdns")

}  // namespace postern::plugins
