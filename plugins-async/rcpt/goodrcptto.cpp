// goodrcptto: refuse all recipients but those that are listed.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class GoodRcptTo final : public PluginOf<GoodRcptTo> {
 public:
  static constexpr const char* summary = "Refuses all recipients but those it lists.";
  struct Settings {
    AddressList list;
    PatternList patterns;
    std::string extension;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "recipients that are good: an address, @domain, .domain for its subdomains, or a "
             "local-part for any domain; while it and patterns are empty, all are")
        .per_domain();
    schema
        .key("patterns", &Settings::patterns,
             "the same as addresses with regular expressions; a text behind one means nothing")
        .per_domain();
    schema
        .key("extension", &Settings::extension,
             "characters of which the first begins an extension, as in anna+shop@example.net: "
             "such an address is also good when it is so without its extension")
        .per_domain();
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &GoodRcptTo::decide); }

 private:
  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    if (mine.list.empty() && mine.patterns.empty()) return Verdict::next();
    const std::string_view local_part = to.local_part();
    if (is_good(mine, local_part, to.domain())) return Verdict::next();
    const auto end = local_part.find_first_of(mine.extension, 1);
    if (end != local_part.npos && is_good(mine, local_part.substr(0, end), to.domain()))
      return Verdict::next();
    return Verdict::reject({5, 1, 1}, fmt::format("Invalid recipient {}", to.key()));
  }

  static bool is_good(const Settings& settings, std::string_view local_part,
                      std::string_view domain) {
    if (settings.list.contains(local_part, domain)) return true;
    if (settings.patterns.empty()) return false;
    return settings.patterns.match(fmt::format("{}@{}", local_part, domain)) != nullptr;
  }
};

}  // namespace

POSTERN_PLUGIN(GoodRcptTo, "goodrcptto")

}  // namespace postern::plugins
