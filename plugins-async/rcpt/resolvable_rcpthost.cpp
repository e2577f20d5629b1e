// resolvable_rcpthost: tell clients whom we relay for at once that a recipient's domain takes no
// mail, instead of a bounce later.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class ResolvableRcptHost final : public PluginOf<ResolvableRcptHost> {
 public:
  static constexpr const char* summary =
      "Refuses recipients of clients that may relay, when their domain takes no mail or is none.";
  struct Settings {};
  static void describe(Schema<Settings>& schema) {
    // What cannot be found out now the mail server will, which can wait.
    schema.defaults().on_error = policy::OnError::next;
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &ResolvableRcptHost::decide); }

 private:
  // A literal needs no DNS, and names of RFC 6531 are not looked up here.
  static bool is_elsewhere(const Recipient& to) {
    const smtp::Path& path = to.path();
    return to.session().may_relay() && !path.domain.empty() && !path.is_address_literal() &&
           all_ascii(path.domain);
  }

  Task<Verdict> decide(Recipient& to) {
    if (!is_elsewhere(to)) co_return Verdict::next();
    const auto mx = co_await to.session().dns().mx(to.path().domain);
    if (!mx) co_return Verdict::failed(mx.error());
    if (!mx->name_exists)
      co_return Verdict::reject({5, 1, 2}, "The recipient's domain does not exist");
    // RFC 7505 section 4.1; beside others "." is no more than a name without address.
    if (mx->records.size() == 1 && mx->records.front().host.empty())
      co_return Verdict::verbatim({556, {5, 1, 10}, "The recipient's domain takes no mail"});
    co_return Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(ResolvableRcptHost, "resolvable_rcpthost")

}  // namespace postern::plugins
