// rate_limit: nobody sends more than so much in so long, nor over so many connections at once.
//
// In the store: "bucket WHO" and "places WHO". What is taken is not given back when another plugin
// refuses: guessing costs tokens too.
#include <algorithm>
#include <array>

#include "../client_network.hpp"

namespace postern::plugins {
namespace {

enum class Who : std::uint8_t { network, sender, sender_domain, recipient, recipient_domain };
constexpr auto names_of(Who) {
  return std::array<std::string_view, 5>{"network", "sender", "sender_domain", "recipient",
                                         "recipient_domain"};
}
enum class What : std::uint8_t { connections, messages, recipients };
constexpr auto names_of(What) {
  return std::array<std::string_view, 3>{"connections", "messages", "recipients"};
}
enum class Whose : std::uint8_t { all, users, strangers };
constexpr auto names_of(Whose) {
  return std::array<std::string_view, 3>{"all", "users", "strangers"};
}

class RateLimit final : public PluginOf<RateLimit> {
 public:
  static constexpr const char* summary =
      "Limits what a client, a sender or a recipient may send or get in a time.";
  struct Settings {
    Who who = Who::network;
    What what = What::recipients;
    Whose whose = Whose::all;
    std::uint32_t most = 100;
    std::chrono::milliseconds in = 1h;
    std::size_t at_once = 0;
    NetworkBits networks{32, 64};
  };
  static void describe(Schema<Settings>& schema) {
    using S = Settings;
    schema.key("who", &S::who,
               "who is limited: a client (see networks), a sender, a recipient, or all senders or "
               "recipients of a domain");
    schema.key("what", &S::what, "what is counted: connections are a client's only");
    schema.key("whose", &S::whose,
               "who is counted: everybody, those who may relay or have authenticated, or others");
    schema.key("most", &S::most, "so many at once, and in the long run in each time; 0: any number")
        .at_most(1'000'000);
    schema.key("in", &S::in, "the time").at_least(1s).at_most(30 * 24h);
    schema
        .key("at_once", &S::at_once,
             "sessions that a client may have at a time, whichever workers have them; 0: any "
             "number")
        .at_most(1'000'000);
    schema.table("networks", &S::networks, "Which clients are one: so many leading bits.");
    schema.defaults().on_error = policy::OnError::next;
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &RateLimit::count_session);
    hooks.on_connect(this, &RateLimit::take_place);
    hooks.on_mail(this, &RateLimit::count_sender);
    hooks.on_rcpt(this, &RateLimit::count_recipient);
  }

 private:
  // As long as the session lasts.
  struct Held : Fact<> {
    Place place;
  };

  Verdict count_session(Session& session) {
    const Settings& wanted = settings(session);
    if (wanted.what != What::connections) return Verdict::next();
    return take(client_of(session, wanted), session, wanted);
  }

  Task<Verdict> take_place(Session& session) {
    const std::uint64_t most = settings(session).at_once;
    if (most == 0 || !is_counted(session, settings(session))) co_return Verdict::next();
    const std::string who = client_of(session, settings(session));
    const std::string key = "places " + who;
    auto held = co_await state().hold(key, most);
    if (!held) co_return Verdict::failed(held.error());
    if (!*held)
      co_return Verdict::defer({4, 7, 0},
                               fmt::format("Too many connections from {}, try again later", who));
    session.facts().mine<Held>().place = std::move(*held);
    co_return Verdict::next();
  }

  // Messages are counted here, unless it takes a recipient to know whose they are.
  Verdict count_sender(Transaction& tx) {
    const Settings& wanted = settings(tx);
    if (wanted.what != What::messages || wanted.who >= Who::recipient) return Verdict::next();
    return take(sender_of(tx, wanted), tx.session(), wanted);
  }

  Verdict count_recipient(Recipient& to) {
    const Settings& wanted = settings(to);
    const bool for_recipient = wanted.who >= Who::recipient;
    if (wanted.what == What::connections || (wanted.what == What::messages && !for_recipient))
      return Verdict::next();
    const std::string who = !for_recipient                 ? sender_of(to.transaction(), wanted)
                            : wanted.who == Who::recipient ? std::string(to.key())
                                                           : fmt::format("@{}", to.domain());
    return take(who, to.session(), wanted);
  }

  // Exactly among the workers it would be a wait for each; so it may be some too many for 10 ms.
  Verdict take(const std::string& who, const Session& session, const Settings& wanted) {
    if (wanted.most == 0 || who.empty() || !is_counted(session, wanted)) return Verdict::next();
    const Bucket bucket{wanted.most, std::max(wanted.in / wanted.most, 1ms)};
    const auto taken = state().take("bucket " + who, bucket);
    if (!taken) return Verdict::failed(taken.error());
    if (*taken) return Verdict::next();
    const bool incoming = wanted.who >= Who::recipient;
    return Verdict::defer({4, 7, 1},
                          fmt::format("Too many {} {} {}, try again later",
                                      names_of(What{})[static_cast<std::size_t>(wanted.what)],
                                      incoming ? "for" : "from", who));
  }

  static bool is_counted(const Session& session, const Settings& wanted) {
    const bool is_user = session.may_relay() || session.authenticated();
    return wanted.whose == Whose::all || is_user == (wanted.whose == Whose::users);
  }
  static std::string client_of(const Session& session, const Settings& wanted) {
    return network_of(session.client_address(), wanted.networks);
  }
  // Bounces have no sender: nobody is limited for them.
  static std::string sender_of(const Transaction& tx, const Settings& wanted) {
    if (wanted.who == Who::network) return client_of(tx.session(), wanted);
    if (tx.is_null_sender()) return {};
    const std::string domain = lower(tx.reverse_path().domain);
    if (wanted.who == Who::sender_domain) return "@" + domain;
    return fmt::format("{}@{}", lower(tx.reverse_path().local_part), domain);
  }
};

}  // namespace

POSTERN_PLUGIN(RateLimit, "rate_limit")

}  // namespace postern::plugins
