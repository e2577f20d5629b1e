// headers: refuse messages whose header section breaks RFC 5322 section 3.6.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

// At most once in a message.
constexpr std::string_view singular[] = {"Date",        "From",       "Sender", "Reply-To",
                                         "To",          "Cc",         "Bcc",    "Message-Id",
                                         "In-Reply-To", "References", "Subject"};

class Headers final : public PluginOf<Headers> {
 public:
  static constexpr const char* summary =
      "Refuses messages with missing, repeated or absurd fields.";
  struct Settings {
    std::vector<std::string> require = {"From"};
    std::optional<std::chrono::milliseconds> past;
    std::optional<std::chrono::milliseconds> future;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("require", &Settings::require, "fields that must be there").per_domain();
    schema.key("past", &Settings::past, "how old the Date may be; not set: as old as it likes")
        .per_domain();
    schema.key("future", &Settings::future, "how far ahead of us the Date may be; not set: any")
        .per_domain();
  }
  void setup(Hooks& hooks) override { hooks.on_headers(this, &Headers::decide); }

 private:
  Verdict decide(Message& message, Recipient& to) {
    const auto& header = message.header();
    if (message.complete() && message.size() == 0)
      return refuse("You must send some content first");
    if (header.size() == 0) return refuse("Header fields are missing");
    for (const std::string& name : settings(to).require)
      if (header.value(name).value_or("").empty())
        return refuse(fmt::format("We require a valid {} field", name));
    for (const std::string_view name : singular)
      if (header.count(name) > 1)
        return refuse(fmt::format("Only one {} field is allowed (RFC 5322 section 3.6)", name));
    return judge_date(header.value("Date").value_or(""), settings(to));
  }

  // A date that cannot be read says nothing.
  Verdict judge_date(const std::string& value, const Settings& settings) const {
    const auto date = mail::parse_date(value);
    if (!date) return Verdict::next();
    const auto now = scheduler().wall();
    if (settings.past && date->utc < now - *settings.past)
      return refuse("The Date field is too far in the past");
    if (settings.future && date->utc > now + *settings.future)
      return refuse("The Date field is too far in the future");
    return Verdict::next();
  }

  static Verdict refuse(std::string text) { return Verdict::reject({5, 6, 0}, std::move(text)); }
};

}  // namespace

POSTERN_PLUGIN(Headers, "headers")

}  // namespace postern::plugins
