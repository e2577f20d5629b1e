// rcpt_ok: take the recipients that are ours, by domain or one by one.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

class RcptOk final : public PluginOf<RcptOk> {
 public:
  static constexpr const char* summary = "Takes the recipients it lists.";
  struct Settings {
    std::vector<DomainPattern> domains;
    RecipientList recipients;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("domains", &Settings::domains,
               "domains whose mail is taken: \"example.net\" for that domain alone, "
               "\".example.net\" for all of its subdomains");
    schema.key("recipients", &Settings::recipients,
               "recipients that are taken, an address or @domain each; of a domain that has "
               "addresses here only these are taken");
  }
  static std::string fault(const Settings& settings) {
    const auto& lists = settings.recipients.tables;
    if (!settings.domains.empty() || lists.written || lists.file) return {};
    return "takes nothing without domains or recipients_file; set one of them";
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &RcptOk::decide); }

 private:
  Verdict decide(Recipient& to) {
    if (to.domain().empty())  // RFC 5321 section 4.5.1
      return to.is_postmaster() ? Verdict::accept() : Verdict::next();
    using Answer = RecipientList::Answer;
    const Answer listed = settings(to).recipients.look(to.local_part(), to.domain());
    if (listed == Answer::not_listed && !is_ours(to)) return Verdict::next();
    const bool always = to.is_postmaster() || to.local_part() == "abuse";  // RFC 2142 section 4
    if (listed == Answer::not_in_list && !always) return Verdict::next().claim();
    return Verdict::accept();
  }

  bool is_ours(Recipient& to) const {
    const auto& domains = settings(to).domains;
    return iequals(to.domain(), to.session().hostname()) ||
           std::any_of(domains.begin(), domains.end(),
                       [&](const DomainPattern& each) { return each.matches(to.domain()); });
  }
};

}  // namespace

POSTERN_PLUGIN(RcptOk, "rcpt_ok")

}  // namespace postern::plugins
