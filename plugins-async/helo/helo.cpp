// helo: refuse greetings that no honest mail server sends.
//
// RFC 5321 section 4.1.4 forbids to refuse only because the name does not lead to the client's
// address: `strict` is for mode = "score".
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

enum class Policy : std::uint8_t { lenient, rfc, strict };
constexpr auto names_of(Policy) {
  return std::array<std::string_view, 3>{"lenient", "rfc", "strict"};
}

// What the name is, and what the DNS says of it.
struct Greeting : Fact<"helo.greeting", 1> {
  std::string name;
  IpAddress client;
  std::optional<IpAddress> literal;  // [192.0.2.1]
  bool bare_address = false;         // 192.0.2.1
  bool asked = false;                // the DNS
  std::optional<Error> error;        // ... and it did not answer
  bool exists = false;               // has addresses of any kind
  std::vector<IpAddress> addresses;  // of the client's kind
  std::vector<std::string> pointers;
  void record(Fields& out) const {
    out.add("name", name).add("asked", asked).add("addresses", addresses.size());
  }
};

std::optional<IpAddress> address_of_literal(std::string_view name) {
  if (name.size() < 2 || name.front() != '[' || name.back() != ']') return {};
  name = name.substr(1, name.size() - 2);
  if (iequals(name.substr(0, 5), "IPv6:")) name.remove_prefix(5);
  const auto address = IpAddress::parse(name);
  if (!address) return {};
  return *address;
}

bool is_qualified(std::string_view name) {
  return dns::is_host_name(name) && name.find('.') != std::string_view::npos;
}

bool are_neighbours(const IpAddress& a, const IpAddress& b) {
  const std::size_t same = a.is_v4() ? 15 : 12;
  return a.is_v4() == b.is_v4() &&
         std::equal(a.octets().begin(), a.octets().begin() + same, b.octets().begin());
}

// The last two labels: "example.net" of "mx.example.net".
std::string_view organization(std::string_view name) {
  const auto last = name.rfind('.');
  if (last == std::string_view::npos || last == 0) return name;
  const auto before = name.rfind('.', last - 1);
  return before == std::string_view::npos ? name : name.substr(before + 1);
}

class Helo final : public PluginOf<Helo> {
 public:
  static constexpr const char* summary = "Refuses greetings that no honest mail server sends.";
  struct Settings {
    Policy policy = Policy::lenient;
    std::vector<DomainPattern> bad;
    PatternList bad_patterns;
    PatternList wanted_patterns;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key(
        "policy", &Settings::policy,
        "\"lenient\": no forged or bare address, no \"localhost\"; \"rfc\": a qualified name "
        "that exists; \"strict\": one that leads to the client");
    schema.key("bad", &Settings::bad, "names that are refused").per_domain();
    schema
        .key("bad_patterns", &Settings::bad_patterns,
             "patterns of names that are refused, and the text to say")
        .per_domain();
    schema
        .key("wanted_patterns", &Settings::wanted_patterns,
             "patterns of which a name must fit one; not set: any name will do")
        .per_domain();
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override { hooks.on_helo(this, &Helo::look).judge(&Helo::judge); }

 private:
  Task<Greeting> look(Hello& hello) {
    Greeting greeting;
    greeting.name = lower(hello.name());
    if (greeting.name.ends_with('.')) greeting.name.pop_back();
    greeting.client = hello.session().client_address();
    greeting.literal = address_of_literal(greeting.name);
    greeting.bare_address = IpAddress::parse(greeting.name).has_value();
    greeting.asked = settings(hello).policy != Policy::lenient && is_qualified(greeting.name) &&
                     !greeting.bare_address;
    if (!greeting.asked) co_return greeting;
    co_return co_await ask(hello.session().dns(), std::move(greeting));
  }

  // What fails is on_error's case only where the name is not refused without the DNS.
  static Task<Greeting> ask(dns::Resolver& resolver, Greeting greeting) {
    const bool v4 = greeting.client.is_v4();
    auto same = co_await addresses_of(resolver, greeting.name, v4);
    auto other = co_await addresses_of(resolver, greeting.name, !v4);
    auto pointers = co_await resolver.ptr(greeting.client);
    greeting.exists = (same && !same->empty()) || (other && !other->empty());
    if (!same) greeting.error = same.error();
    if (!other && !greeting.exists) greeting.error = other.error();
    if (!pointers) greeting.error = pointers.error();
    if (same) greeting.addresses = std::move(same->records);
    if (pointers) greeting.pointers = std::move(pointers->records);
    co_return greeting;
  }

  static Task<Result<dns::Answer<IpAddress>>> addresses_of(dns::Resolver& resolver,
                                                           std::string name, bool v4) {
    return v4 ? resolver.a(std::move(name)) : resolver.aaaa(std::move(name));
  }

  Verdict judge(const Greeting& greeting, const Settings& settings) const {
    for (const DomainPattern& bad : settings.bad)
      if (bad.matches(greeting.name)) return disbelieve(greeting.name);
    if (const auto* entry = settings.bad_patterns.match(greeting.name))
      return entry->reply.empty() ? disbelieve(greeting.name) : refuse(std::string(entry->reply));
    if (!settings.wanted_patterns.empty() && !settings.wanted_patterns.match(greeting.name))
      return refuse("The name of your greeting is not allowed here");
    if ((greeting.name == "localhost" || greeting.name.starts_with("localhost.")) &&
        !greeting.client.is_loopback())
      return refuse("You are not localhost");
    if (greeting.literal && *greeting.literal != greeting.client)
      return refuse("This is not your address");
    if (greeting.bare_address)
      return refuse("An address is no host name; write it in brackets (RFC 5321 section 4.1.3)");
    if (settings.policy == Policy::lenient) return Verdict::next();
    if (greeting.literal && settings.policy == Policy::strict)
      return refuse("A host name is wanted, not an address");
    if (greeting.literal) return Verdict::next();
    return judge_name(greeting, settings.policy);
  }

  static Verdict judge_name(const Greeting& greeting, Policy policy) {
    if (!is_qualified(greeting.name))
      return refuse("Your greeting is no fully qualified host name");
    if (greeting.error) return Verdict::failed(*greeting.error);
    if (!greeting.asked) return Verdict::next();
    if (!greeting.exists) return refuse("The host name of your greeting does not exist");
    if (greeting.pointers.empty())
      return refuse(fmt::format("{} has no host name in the DNS", greeting.client.text()));
    if (policy == Policy::strict && !leads_back(greeting))
      return refuse("The host name of your greeting does not lead to you");
    return Verdict::next();
  }

  static bool leads_back(const Greeting& greeting) {
    for (const IpAddress& address : greeting.addresses)
      if (are_neighbours(address, greeting.client)) return true;
    for (const std::string& pointer : greeting.pointers)
      if (organization(pointer) == organization(greeting.name)) return true;
    return false;
  }

  static Verdict disbelieve(const std::string& name) {
    return refuse(fmt::format("I do not believe that you are {}", name));
  }
  static Verdict refuse(std::string text) { return Verdict::reject({5, 7, 1}, std::move(text)); }
};

}  // namespace

POSTERN_PLUGIN(Helo, "helo")

}  // namespace postern::plugins
