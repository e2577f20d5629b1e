// batv: marks the senders of our mail, so that a bounce of what we never sent is known by having
// no mark: prvs=KDDDSSSSSS=local-part@domain (draft-levine-smtp-batv). K is 0, DDD the day on which
// it ends, SSSSSS a keyed hash of both and the address.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

constexpr std::string_view prefix = "prvs=";
constexpr std::size_t mark_octets = 10;            // KDDDSSSSSS
constexpr std::size_t max_local_part_octets = 64;  // RFC 5321 section 4.5.3.1.1
constexpr std::size_t least_secret_octets = 16;
constexpr std::int64_t days_in_mark = 1000;

class Batv final : public PluginOf<Batv> {
 public:
  static constexpr const char* summary =
      "Marks the senders of our mail, and refuses bounces to our senders without such a mark.";
  struct Settings {
    std::vector<std::string> secrets;
    std::vector<DomainPattern> domains;
    AddressList skip;
    std::int64_t days = 7;
    bool require = true;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("secrets", &Settings::secrets,
             "of at least 16 octets each; the first marks, all are tried on what comes back")
        .required();
    schema
        .key("domains", &Settings::domains,
             "whose senders are marked, and all of whose mail "
             "leaves through us")
        .required();
    schema.key(
        "skip", &Settings::skip,
        "senders that are not marked, and get bounces without a mark: such as are members of "
        "mailing lists that know them by their reverse-path");
    schema.key("days", &Settings::days, "how long a mark is good").at_least(1).at_most(400);
    schema
        .key("require", &Settings::require,
             "bounces without a mark are refused; false: only those with a false or old one are")
        .per_domain();
  }
  static std::string fault(const Settings& settings) {
    for (const std::string& secret : settings.secrets)
      if (secret.size() < least_secret_octets)
        return fmt::format("a secret has at least {} octets", least_secret_octets);
    return {};
  }
  void setup(Hooks& hooks) override {
    hooks.on_mail(this, &Batv::mark);
    hooks.on_rcpt(this, &Batv::decide);
  }

 private:
  static bool is_ours(const Settings& settings, std::string_view domain) {
    return std::any_of(settings.domains.begin(), settings.domains.end(),
                       [&](const DomainPattern& each) { return each.matches(domain); });
  }
  std::int64_t today() const {
    const auto since = scheduler().wall().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::hours>(since).count() / 24;
  }
  // 24 bits: who guesses has to send eight million bounces.
  static std::string mark_of(const std::string& secret, std::int64_t day,
                             std::string_view address) {
    const std::string head = fmt::format("0{:03}", day % days_in_mark);
    const std::uint64_t hash = siphash(SipKey::of_secret(secret), head + lower(address));
    return fmt::format("{}{:06x}", head, hash >> 40);
  }

  // Of mail that we relay: what comes in has senders of others.
  void mark(Transaction& tx) {
    const Settings& mine = settings(tx);
    const smtp::Path& from = tx.reverse_path();
    if (!tx.session().may_relay() || mine.secrets.empty() || !is_ours(mine, from.domain)) return;
    if (istarts_with(from.local_part, prefix) || from.local_part.starts_with('"')) return;
    if (mine.skip.contains(from)) return;
    if (prefix.size() + mark_octets + 1 + from.local_part.size() > max_local_part_octets) return;
    const std::string address = fmt::format("{}@{}", from.local_part, from.domain);
    const std::string mark = mark_of(mine.secrets.front(), today() + mine.days, address);
    if (auto path = smtp::parse_mailbox(fmt::format("{}{}={}", prefix, mark, address)))
      tx.rewrite_reverse_path(std::move(*path));
  }

  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    if (!is_ours(mine, to.domain())) return Verdict::next();
    const std::string& written = to.path().local_part;
    if (istarts_with(written, prefix)) return decide_marked(to, written.substr(prefix.size()));
    const bool is_bounce = to.transaction().is_null_sender();
    if (!is_bounce || !mine.require || mine.skip.contains(to.path())) return Verdict::next();
    return Verdict::reject(
        {5, 7, 1}, fmt::format("What bounces to {} probably did not originate here", to.key()));
  }

  // "KDDDSSSSSS=local-part", whoever writes: some answer to the reverse-path with a sender.
  Verdict decide_marked(Recipient& to, const std::string& marked) {
    const Settings& mine = settings(to);
    if (marked.size() < mark_octets + 2 || marked[mark_octets] != '=') return forged(to);
    const std::string mark = lower(marked.substr(0, mark_octets));
    const auto day = to_number<std::int64_t>(std::string_view(mark).substr(1, 3));
    auto path =
        smtp::parse_mailbox(fmt::format("{}@{}", marked.substr(mark_octets + 1), to.path().domain));
    if (!day || !path) return forged(to);
    const bool is_true = std::any_of(
        mine.secrets.begin(), mine.secrets.end(),
        [&](const std::string& secret) { return mark == mark_of(secret, *day, path->text); });
    if (!is_true) return forged(to);
    const std::int64_t left = (*day - today() % days_in_mark + days_in_mark) % days_in_mark;
    if (left > mine.days)
      return Verdict::reject({5, 7, 1}, "You took too long: this sender's mark is no longer good");
    to.rewrite({std::move(*path)});
    return Verdict::accept();  // we made it: there is such a sender
  }

  static Verdict forged(const Recipient& to) {
    return Verdict::reject({5, 7, 1}, fmt::format("{} was not made here", to.key()));
  }
};

}  // namespace

POSTERN_PLUGIN(Batv, "batv")

}  // namespace postern::plugins
