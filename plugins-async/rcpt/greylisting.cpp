// greylisting: unknown senders come again in some minutes; most junk does not (RFC 6647).
#include <postern/facts/spf.hpp>
#include <postern/plugin.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace postern::plugins {
namespace {

enum class Part : std::uint8_t { network, sender, sender_domain, recipient, spf_domain };
constexpr auto names_of(Part) {
  return std::array<std::string_view, 5>{"network", "sender", "sender_domain", "recipient",
                                         "spf_domain"};
}
enum class NullSender : std::uint8_t { never, data };
constexpr auto names_of(NullSender) { return std::array<std::string_view, 2>{"never", "data"}; }

// "grey 1767225600" since its first attempt, "white 1767225600" since it was last prolonged.
struct Standing {
  bool white = false;
  std::chrono::seconds since{0};

  static std::optional<Standing> parse(std::string_view text) {
    const bool white = text.starts_with("white ");
    if (!white && !text.starts_with("grey ")) return {};
    text.remove_prefix(text.find(' ') + 1);
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    return Standing{white, std::chrono::seconds(seconds)};
  }
  std::string text() const { return fmt::format("{} {}", white ? "white" : "grey", since.count()); }
};

// Hosts of one site share it: a /24, or a /64.
std::string network_of(const IpAddress& client) {
  std::array<std::uint8_t, 16> octets = client.octets();
  for (std::size_t i = client.is_v4() ? 15 : 8; i < octets.size(); ++i) octets[i] = 0;
  return IpAddress::v6(octets).text() + (client.is_v4() ? "/24" : "/64");
}

// Senders that differ by what a list writes into each copy (VERP: numbers, what follows '+') are
// one.
std::string sender_of(const smtp::Path& path) {
  std::string local;
  for (const char octet : path.local_part.substr(0, path.local_part.find('+'))) {
    const bool digit = octet >= '0' && octet <= '9';
    if (!digit)
      local += octet;
    else if (!local.ends_with('#'))
      local += '#';
  }
  return local + '@' + lower(path.domain);
}

class Greylisting final : public PluginOf<Greylisting> {
 public:
  static constexpr const char* summary =
      "Has mail from unknown senders come again after some minutes.";
  struct Settings {
    std::chrono::milliseconds delay = 5min;
    std::chrono::milliseconds window = 48h;
    std::chrono::milliseconds keep = 36 * 24h;
    std::vector<Part> key{Part::network, Part::sender, Part::recipient};
    NullSender null_sender = NullSender::never;
    std::size_t learn = 5;
    bool replies = true;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("delay", &Settings::delay, "how long after its first attempt mail is taken")
        .at_least(1s)
        .at_most(24h)
        .per_domain();
    schema
        .key("window", &Settings::window,
             "how long after its first attempt mail may come again; later it is new")
        .at_least(1min)
        .at_most(30 * 24h)
        .per_domain();
    schema
        .key("keep", &Settings::keep,
             "how long it is remembered that mail came again; counted from the last mail")
        .at_least(1h)
        .at_most(400 * 24h)
        .per_domain();
    schema
        .key(
            "key", &Settings::key,
            "what is remembered, one or more: the client's network (a /24, a /64), the sender or "
            "only his domain, the recipient; `spf_domain`, which needs `spf`, is the sender's "
            "domain where SPF says that the client is one of its own, so that a site may try again "
            "from another network, and else the client's network")
        .per_domain();
    schema
        .key("null_sender", &Settings::null_sender,
             "bounces: taken as they come, or deferred at DATA, which servers that only ask "
             "whether a recipient exists never reach")
        .per_domain();
    schema.key(
        "learn", &Settings::learn,
        "messages accepted within 36 days after which nothing of a network is deferred; 0: never");
    schema.key("replies", &Settings::replies,
               "whether answers to the mail of clients that may relay are taken at once");
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
    schema.defaults().exempt.authenticated = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &Greylisting::remember_correspondent);
    hooks.on_rcpt(this, &Greylisting::decide);
    hooks.on_rcpt(this, &Greylisting::decide_by_spf).wants<facts::Spf>();
    hooks.on_data(this, &Greylisting::decide_bounce);
    hooks.on_accepted(this, &Greylisting::learn);
  }

 private:
  // Whom our own users write to may answer them.
  void remember_correspondent(Recipient& to) {
    const Transaction& tx = to.transaction();
    if (!to.session().may_relay() || tx.is_null_sender() || !settings(to).replies) return;
    (void)state().put(pair(to.path(), tx.reverse_path()), "", settings(to).keep);
  }

  // A store that fails here fails for decide() too, which tells.
  void learn(Accepted message) {
    if (!message.reverse_path.empty())
      (void)state().count("network " + network_of(message.client), learned_for);
  }

  Verdict decide(Recipient& to) {
    if (to.transaction().is_null_sender() || asks_spf(settings(to))) return Verdict::next();
    return judge(to);
  }

  // The same where SPF, which may have to be waited for, is part of the key. A bounce has no domain
  // that it could speak of.
  Task<Verdict> decide_by_spf(Recipient& to) {
    if (to.transaction().is_null_sender() || !asks_spf(settings(to))) co_return Verdict::next();
    co_await to.facts().await<facts::Spf>();
    co_return judge(to);
  }
  static bool asks_spf(const Settings& wanted) {
    return std::find(wanted.key.begin(), wanted.key.end(), Part::spf_domain) != wanted.key.end();
  }

  Verdict decide_bounce(Transaction& tx, Recipient& to) {
    if (!tx.is_null_sender() || settings(to).null_sender == NullSender::never)
      return Verdict::next();
    return judge(to);
  }

  Verdict judge(Recipient& to) {
    const Settings& wanted = settings(to);
    const State known = state();
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(known.now().time_since_epoch());
    const std::string key = key_of(to, wanted);
    const auto found = known.get(key);
    if (!found) return Verdict::failed(found.error());
    const auto standing = *found ? Standing::parse(**found) : std::nullopt;
    if (standing && standing->white) return prolong(key, *standing, now, wanted);
    const auto trusted = is_trusted(to, wanted);
    if (!trusted) return Verdict::failed(trusted.error());
    if (*trusted) return Verdict::next();
    if (!standing || now >= standing->since + wanted.window) return defer_first(key, now, wanted);
    if (now < standing->since + wanted.delay)
      return defer_for(standing->since + wanted.delay - now);
    const auto put = known.put(key, Standing{true, now}.text(), wanted.keep);
    if (!put) return Verdict::failed(put.error());
    return Verdict::next();
  }

  // What cannot be remembered would be deferred for ever.
  Verdict defer_first(const std::string& key, std::chrono::seconds now, const Settings& wanted) {
    const auto put = state().put(key, Standing{false, now}.text(), wanted.window);
    if (!put) return Verdict::failed(put.error());
    return defer_for(wanted.delay);
  }

  // One update a day is enough for what is kept for weeks.
  Verdict prolong(const std::string& key, const Standing& standing, std::chrono::seconds now,
                  const Settings& wanted) {
    if (now - standing.since >= wanted.keep / 32)
      (void)state().put(key, Standing{true, now}.text(), wanted.keep);
    return Verdict::next();
  }

  // RFC 6647 section 5: 4yz, and the code of a policy.
  static Verdict defer_for(std::chrono::milliseconds rest) {
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(rest).count();
    return Verdict::verbatim(
        {451,
         {4, 7, 1},
         fmt::format("This mail is temporarily deferred: please try again in {} minute{}", minutes,
                     minutes == 1 ? "" : "s")});
  }

  Result<bool> is_trusted(const Recipient& to, const Settings& wanted) const {
    const State known = state();
    const Transaction& tx = to.transaction();
    if (wanted.learn > 0) {
      const auto accepted =
          known.counted("network " + network_of(to.session().client_address()), learned_for);
      if (!accepted) return fail(accepted.error());
      if (*accepted >= wanted.learn) return true;
    }
    if (!wanted.replies || tx.is_null_sender()) return false;
    const auto wrote = known.get(pair(tx.reverse_path(), to.path()));
    if (!wrote) return fail(wrote.error());
    return wrote->has_value();
  }

  static std::string key_of(const Recipient& to, const Settings& wanted) {
    const Transaction& tx = to.transaction();
    std::string key = "mail";
    for (const Part part : wanted.key) {
      key += ' ';
      if (part == Part::network) key += network_of(to.session().client_address());
      if (part == Part::sender) key += tx.is_null_sender() ? "<>" : sender_of(tx.reverse_path());
      if (part == Part::sender_domain) key += '@' + lower(tx.reverse_path().domain);
      if (part == Part::recipient) key += to.key();
      if (part == Part::spf_domain) key += spf_domain_or_network(to);
    }
    return key;
  }
  // A mark that no network has, since the parts are not named in the key.
  static std::string spf_domain_or_network(const Recipient& to) {
    const auto* spf = to.facts().find<facts::Spf>();
    if (spf && spf->sender.result == verify::SpfResult::pass &&
        spf->sender.identity == verify::SpfIdentity::mailfrom)
      return "spf=" + lower(spf->sender.domain);
    return network_of(to.session().client_address());
  }
  static std::string pair(const smtp::Path& theirs, const smtp::Path& ours) {
    return fmt::format("reply {} {}", sender_of(theirs), sender_of(ours));
  }

  static constexpr auto learned_for = std::chrono::milliseconds(36 * 24h);
};

}  // namespace

POSTERN_PLUGIN(Greylisting, "greylisting")

}  // namespace postern::plugins
