// bounce_flood: when somebody sends spam in a user's name, its bounces stop here.
#include <postern/plugin.hpp>

#include <array>

namespace postern::plugins {
namespace {

enum class What : std::uint8_t { bounces, all };
constexpr auto names_of(What) { return std::array<std::string_view, 2>{"bounces", "all"}; }

// RFC 3834 section 5; what mail servers made before it, RFC 6522.
bool is_automatic(const mail::HeaderSection& header) {
  const auto submitted = header.value("Auto-Submitted");
  if (submitted && !istarts_with(*submitted, "no")) return true;
  const auto type = header.value("Content-Type");
  return type && istarts_with(*type, "multipart/report");
}

// Not every server that bounces knows the null sender.
bool is_from_a_server(const Transaction& tx) {
  const std::string local = lower(tx.reverse_path().local_part);
  return tx.is_null_sender() || local == "mailer-daemon" || local == "postmaster";
}

class BounceFlood final : public PluginOf<BounceFlood> {
 public:
  static constexpr const char* summary =
      "Turns bounces away from an address that gets very many of them.";
  struct Settings {
    std::size_t count = 20;
    std::size_t count_of_domain = 0;
    std::chrono::milliseconds within = 10min;
    std::chrono::milliseconds block_for = 1h;
    What block = What::bounces;
    bool automatic = true;
    bool permanent = false;
  };
  static void describe(Schema<Settings>& schema) {
    using S = Settings;
    schema.key("count", &S::count, "so many bounces to one address block it; 0: never")
        .at_most(1'000'000)
        .per_domain();
    schema
        .key("count_of_domain", &S::count_of_domain,
             "so many to the addresses of one domain block all of it; 0: never")
        .at_most(1'000'000)
        .per_domain();
    schema.key("within", &S::within, "in this time").at_least(10s).at_most(30 * 24h).per_domain();
    schema.key("block_for", &S::block_for, "how long it is blocked")
        .at_least(1s)
        .at_most(30 * 24h)
        .per_domain();
    schema.key("block", &S::block, "what is refused then").per_domain();
    schema
        .key(
            "automatic", &S::automatic,
            "whether mail counts as a bounce that says that it is an automatic answer or a report, "
            "whoever sends it")
        .per_domain();
    schema.key("permanent", &S::permanent, "refused with 550, not with 450").per_domain();
    schema.defaults().on_error = policy::OnError::next;
  }
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &BounceFlood::decide);
    hooks.on_headers(this, &BounceFlood::count);
  }

 private:
  static bool is_bounce(const Message& message, const Settings& wanted) {
    return is_from_a_server(message.transaction()) ||
           (wanted.automatic && is_automatic(message.header()));
  }

  Verdict decide(Recipient& to) {
    const Settings& wanted = settings(to);
    if (wanted.block == What::bounces && !is_from_a_server(to.transaction()))
      return Verdict::next();
    return judge(to, wanted);
  }

  // Not at RCPT: who only asks whether an address exists sends no bounce.
  Verdict count(Message& message, Recipient& to) {
    const Settings& wanted = settings(to);
    if (!is_bounce(message, wanted)) return Verdict::next();
    Verdict verdict = judge(to, wanted);
    if (verdict.kind() != Verdict::Kind::next) return verdict;
    count_for(to.key(), wanted.count, wanted);
    count_for(domain_of(to), wanted.count_of_domain, wanted);
    return verdict;
  }

  // A store that fails here fails for those who decide too, and they tell.
  void count_for(std::string_view whom, std::size_t most, const Settings& wanted) {
    if (most == 0) return;
    const State known = state();
    const std::string counter = fmt::format("bounces {}", whom);
    const auto sum = known.count(counter, wanted.within);
    if (!sum || *sum < most) return;
    (void)known.put(fmt::format("block {}", whom), "", wanted.block_for);
    (void)known.erase(counter);  // behind the block it begins anew
    log().warning("{}: {} is blocked after {} bounces", instance_name(), whom, *sum);
  }

  Verdict judge(const Recipient& to, const Settings& wanted) {
    const std::string domain = domain_of(to);
    for (const std::string_view whom : {to.key(), std::string_view(domain)}) {
      const auto found = state().get(fmt::format("block {}", whom));
      if (!found) return Verdict::failed(found.error());
      if (!*found) continue;
      const std::string text = fmt::format("Too many bounces for {}", whom);
      return wanted.permanent ? Verdict::reject({5, 7, 1}, text) : Verdict::defer({4, 7, 1}, text);
    }
    return Verdict::next();
  }

  static std::string domain_of(const Recipient& to) { return fmt::format("@{}", to.domain()); }
};

}  // namespace

POSTERN_PLUGIN(BounceFlood, "bounce_flood")

}  // namespace postern::plugins
