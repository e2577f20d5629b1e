// spf: whether the sender's domain lets this client send in its name (RFC 7208).
#include <postern/facts/karma.hpp>
#include <postern/facts/spf.hpp>
#include <postern/plugin.hpp>
#include <postern/verify/received_spf.hpp>

namespace postern::plugins {
namespace {

using facts::Spf;
using verify::SpfAnswer;
using verify::SpfIdentity;
using verify::SpfQuery;
using verify::SpfResult;

// RFC 7208 section 4.6.4: at least 20 s for one check, which then ends as temperror.
constexpr auto patience = 20s;

enum class Action : std::uint8_t { next, defer, reject };
constexpr auto names_of(Action) {
  return std::array<std::string_view, 3>{"next", "defer", "reject"};
}
enum class Pass : std::uint8_t { vouch, next };
constexpr auto names_of(Pass) { return std::array<std::string_view, 2>{"vouch", "next"}; }

// Of a session: it earns its points once.
struct Awarded : Fact<> {
  bool already = false;
};

struct Checked {
  bool is_helo;
  SpfAnswer answer;
  Checked(bool helo, SpfAnswer a) : is_helo(helo), answer(std::move(a)) {}
};

class SpfPlugin final : public PluginOf<SpfPlugin> {
 public:
  static constexpr const char* summary =
      "Refuses senders whose domain says that this client may not send for it (SPF).";
  struct Settings {
    Pass pass = Pass::vouch;
    Action fail = Action::reject;
    Action softfail = Action::next;
    Action neutral = Action::next;
    Action none = Action::next;
    Action temperror = Action::next;
    Action permerror = Action::next;
    bool helo = false;
    Action helo_fail = Action::reject;
    bool explain = true;
    bool received_spf = false;
  };
  static void describe(Schema<Settings>& schema) {
    using S = Settings;
    schema
        .key("pass", &S::pass,
             "the client is one of the domain's: vouch for it, for the `exempt.passed` of others")
        .per_domain();
    schema.key("fail", &S::fail, "it is none of them (\"-all\")").per_domain();
    schema.key("softfail", &S::softfail, "it is probably none of them (\"~all\")").per_domain();
    schema.key("neutral", &S::neutral, "the domain does not say (\"?all\")").per_domain();
    schema.key("none", &S::none, "the domain has no record").per_domain();
    schema
        .key("temperror", &S::temperror, "the DNS did not answer; `defer` asks again later (4.4.3)")
        .per_domain();
    schema.key("permerror", &S::permerror, "the record is wrong, or asks for too much")
        .per_domain();
    schema.key(
        "helo", &S::helo,
        "look at the name in the greeting too; that of a bounce is looked at in any case, as "
        "its sender's");
    schema
        .key("helo_fail", &S::helo_fail,
             "the client is none of those that the greeting's domain lets use it")
        .per_domain();
    schema.key("explain", &S::explain, "tell the client what the domain wants to be said")
        .per_domain();
    schema.key("received_spf", &S::received_spf, "add a Received-SPF field to messages");
    schema.defaults().timeout = patience + 5s;
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
    schema.defaults().exempt.authenticated = true;
  }
  void setup(Hooks& hooks) override {
    hooks.on_mail(this, &SpfPlugin::look);
    hooks.on_rcpt(this, &SpfPlugin::decide).needs<Spf>();
    hooks.on_message(this, &SpfPlugin::add_field).holds().wants<Spf>();
  }

 private:
  // ---- Once per transaction, beside the dialogue ----

  Task<Spf> look(Transaction& tx) {
    Spf found;
    const Session& session = tx.session();
    if (session.may_relay() || session.authenticated()) co_return found;
    found.asked = true;
    const smtp::Path& from = tx.reverse_path();
    Group<Checked> checks;
    checks.add(
        check(session.dns(), false,
              verify::spf_query_of_sender(session.client_address(), from.local_part, from.domain,
                                          tx.hello().name(), session.hostname())));
    // That of a bounce is the sender's already.
    if (settings(tx).helo && !tx.is_null_sender())
      checks.add(check(session.dns(), true,
                       verify::spf_query_of_helo(session.client_address(), tx.hello().name(),
                                                 session.hostname())));
    auto keep = [&](Checked checked) {
      (checked.is_helo ? found.helo : found.sender) = std::move(checked.answer);
    };
    co_await checks.each(keep);
    award(tx, found.sender.result);
    co_return found;
  }

  static Task<Checked> check(dns::Resolver& resolver, bool is_helo, SpfQuery query) {
    auto answer = co_await coro::within(patience, verify::check_host(resolver, std::move(query)));
    co_return Checked(is_helo, std::move(answer));
  }

  // What is refused earns its points as a refusal.
  void award(Transaction& tx, SpfResult result) const {
    const Settings& here = settings(tx);
    int points = 0;
    if (result == SpfResult::pass) points = 1;
    if (result == SpfResult::fail && here.fail != Action::reject) points = -1;
    if (result == SpfResult::softfail && here.softfail != Action::reject) points = -1;
    auto* karma = services().find<facts::Karma>("karma");
    if (points == 0 || !karma) return;
    if (!std::exchange(tx.session().facts().mine<Awarded>().already, true))
      karma->award(tx.session(), points);
  }

  // ---- For each recipient ----

  // Only who wants to know waits.
  Task<Verdict> decide(Recipient& to) {
    const Settings wanted = settings(to);
    if (!asks(wanted)) co_return Verdict::next();
    const Spf* spf = co_await to.facts().await<Spf>();
    if (!spf) co_return Verdict::failed(Errc::timed_out);
    co_return judge(*spf, wanted, to.session().client_address());
  }

  static bool asks(const Settings& wanted) {
    const auto acts = [](Action action) { return action != Action::next; };
    return wanted.pass == Pass::vouch || acts(wanted.fail) || acts(wanted.softfail) ||
           acts(wanted.neutral) || acts(wanted.none) || acts(wanted.temperror) ||
           acts(wanted.permerror) || (wanted.helo && acts(wanted.helo_fail));
  }

  static Verdict judge(const Spf& spf, const Settings& wanted, const IpAddress& client) {
    if (!spf.asked) return Verdict::next();
    if (spf.helo.result == SpfResult::fail && wanted.helo_fail != Action::next)
      return refuse(wanted.helo_fail, spf.helo, wanted, client);
    const Action action = action_for(spf.sender.result, wanted);
    if (action != Action::next) return refuse(action, spf.sender, wanted, client);
    if (spf.sender.result == SpfResult::pass && wanted.pass == Pass::vouch)
      return Verdict::next().vouch("spf=pass");
    return Verdict::next();
  }

  static Action action_for(SpfResult result, const Settings& wanted) {
    switch (result) {
      case SpfResult::none:
        return wanted.none;
      case SpfResult::neutral:
        return wanted.neutral;
      case SpfResult::pass:
        return Action::next;
      case SpfResult::fail:
        return wanted.fail;
      case SpfResult::softfail:
        return wanted.softfail;
      case SpfResult::temperror:
        return wanted.temperror;
      case SpfResult::permerror:
        return wanted.permerror;
    }
    return Action::next;
  }

  // RFC 7372 section 3.2: X.7.23, and X.7.24 for what could not be evaluated.
  static Verdict refuse(Action action, const SpfAnswer& answer, const Settings& wanted,
                        const IpAddress& client) {
    std::string text = reason(answer, client);
    if (wanted.explain && !answer.explanation.empty())
      text += fmt::format("; {} explains: {}", answer.domain, answer.explanation);
    const bool rejects = action == Action::reject;
    if (answer.result == SpfResult::temperror && !rejects)
      return Verdict::verbatim({451, {4, 4, 3}, std::move(text)});  // RFC 7208 section 8.6
    const bool error =
        answer.result == SpfResult::temperror || answer.result == SpfResult::permerror;
    const std::uint16_t detail = error ? 24 : 23;
    if (rejects) return Verdict::reject({5, 7, detail}, std::move(text));
    return Verdict::defer({4, 7, detail}, std::move(text));
  }

  static std::string reason(const SpfAnswer& answer, const IpAddress& client) {
    const std::string& domain = answer.domain;
    const bool is_helo = answer.identity == SpfIdentity::helo;
    const char* may_not = is_helo ? "may not greet with the name" : "may not send mail for";
    switch (answer.result) {
      case SpfResult::fail:
        return fmt::format("SPF: {} {} {}", client.text(), may_not, domain);
      case SpfResult::softfail:
        return fmt::format("SPF: {} probably {} {}", client.text(), may_not, domain);
      case SpfResult::temperror:
        return fmt::format("SPF: the DNS does not tell now who may send mail for {}", domain);
      case SpfResult::permerror:
        return fmt::format("SPF: the record of {} is wrong: {}", domain, answer.problem);
      default:
        return fmt::format("SPF: {} does not say that {} may send mail for it", domain,
                           client.text());
    }
  }

  // ---- For the message ----

  Task<void> add_field(Message& message) {
    if (!settings(message).received_spf) co_return;
    const Spf* spf = co_await message.facts().await<Spf>();
    if (!spf || !spf->asked) co_return;
    const Transaction& tx = message.transaction();
    (void)message.edits().add_field(
        "Received-SPF",
        verify::received_spf(spf->sender, tx.session().client_address(), tx.reverse_path().text,
                             tx.hello().name(), tx.session().hostname()));
  }
};

}  // namespace

POSTERN_PLUGIN(SpfPlugin, "spf")

}  // namespace postern::plugins
