// nodialup: refuse direct mail from lines of dial-up customers, told by their host name.
#include "../shared/dynamic_name.hpp"

namespace postern::plugins {
namespace {

struct Line : Fact<"nodialup.line", 1> {
  std::vector<std::string> names;  // in lower case
  std::string dynamic;             // the first that looks so; empty: none does
  bool keeps_its_name = false;  // greets with its confirmed name: a server that somebody cares for
  void record(Fields& out) const {
    out.add("names", names).add("dynamic", dynamic).add("greets_with_its_name", keeps_its_name);
  }
};

class NoDialup final : public PluginOf<NoDialup> {
 public:
  static constexpr const char* summary =
      "Refuses clients whose host name is that of a dial-up line, unless `spf` vouches for them.";
  struct Settings {
    bool guess = true;
    PatternList list;
    PatternList spare;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("guess", &Settings::guess,
             "refuse names that hold the address, or a word like dsl, dyn or pool beside digits")
        .per_domain();
    schema
        .key("list", &Settings::list,
             "patterns of host names that are refused, and the text to say")
        .per_domain();
    schema.key("spare", &Settings::spare, "patterns of host names that are not refused")
        .per_domain();
    schema.defaults().enforce_at = policy::Stage::rcpt;  // where nobody has waited for it
    schema.defaults().on_error = policy::OnError::next;
    schema.defaults().exempt.relay = true;
    schema.defaults().exempt.authenticated = true;
    schema.defaults().exempt.passed = {"spf"};  // one of its domain's own, whatever its name
  }
  void setup(Hooks& hooks) override {
    hooks.on_helo(this, &NoDialup::look).judge(&NoDialup::judge);
  }

 private:
  Task<Result<Line>> look(Hello& hello) {
    const IpAddress client = hello.session().client_address();
    auto reverse = co_await dns::reverse_dns(hello.session().dns(), client);
    if (!reverse) co_return fail(reverse.error());
    Line line;
    for (const std::string& name : reverse->names) {
      line.names.push_back(lower(name));
      if (line.dynamic.empty() && looks_dynamic(line.names.back(), client))
        line.dynamic = line.names.back();
    }
    for (const std::string& name : reverse->confirmed)
      if (iequals(name, hello.name())) line.keeps_its_name = true;
    co_return line;
  }

  Verdict judge(const Line& line, const Settings& settings) const {
    for (const std::string& name : line.names)
      if (settings.spare.match(name)) return Verdict::next();
    for (const std::string& name : line.names)
      if (const auto* entry = settings.list.match(name))
        return refuse(name, std::string(entry->reply));
    if (!settings.guess || line.dynamic.empty() || line.keeps_its_name) return Verdict::next();
    return refuse(line.dynamic, {});
  }

  static Verdict refuse(const std::string& name, std::string text) {
    if (text.empty())
      text = fmt::format(
          "Direct mail from dynamic address space ({}) is not accepted, use your provider's relay",
          name);
    return Verdict::reject({5, 7, 1}, std::move(text));
  }
};

}  // namespace

POSTERN_PLUGIN(NoDialup, "nodialup")

}  // namespace postern::plugins
