// redirect: tell senders the new address of who has moved (RFC 5321 section 3.4: 551).
#include <postern/facts/spf.hpp>
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

constexpr std::size_t max_path_octets = 256;  // RFC 5321 section 4.5.3.1.3

enum class Told : std::uint8_t { all, spf_fail };
constexpr auto names_of(Told) { return std::array<std::string_view, 2>{"all", "spf_fail"}; }

class Redirect final : public PluginOf<Redirect> {
 public:
  static constexpr const char* summary =
      "Refuses recipients who have moved and tells their new address, to everybody who asks.";
  struct Settings {
    PatternList list;
    Told senders = Told::all;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "\"old@example.com new@example.net\": a recipient (an address, @domain or a pattern) "
             "and the address that senders are told")
        .per_domain();
    schema
        .key(
            "senders", &Settings::senders,
            "who is told: all, or, for addresses whose mail is forwarded otherwise, only those for "
            "whose domain nobody else may send (SPF with \"-all\", as `spf` finds it), since their "
            "mail would be refused behind a forwarder")
        .per_domain();
  }
  static std::string fault(const Settings& settings) {
    for (const PatternList::Entry& entry : written_entries(settings.list))
      if (!is_new_address(entry.reply))
        return fmt::format("'{}' has no address behind it that could be told", entry.text);
    return {};
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &Redirect::decide).wants<facts::Spf>(); }

 private:
  // It goes into a reply: an address and nothing else.
  static bool is_new_address(std::string_view text) {
    return text.size() <= max_path_octets && all_ascii(text) && smtp::parse_mailbox(text);
  }

  Task<Verdict> decide(Recipient& to) {
    const bool has_moved = settings(to).list.match(to.key()) != nullptr;
    if (!has_moved) co_return Verdict::next();
    if (settings(to).senders == Told::spf_fail) {
      const auto* spf = co_await to.facts().await<facts::Spf>();
      if (!spf || !forbids_forwarding(spf->sender)) co_return Verdict::next();
    }
    co_return tell(to);
  }

  static bool forbids_forwarding(const verify::SpfAnswer& sender) {
    return sender.identity == verify::SpfIdentity::mailfrom &&
           sender.others == verify::SpfResult::fail;
  }

  Verdict tell(Recipient& to) {
    const PatternList::Entry* entry = settings(to).list.match(to.key());
    if (!entry) return Verdict::next();  // it was taken from the list meanwhile
    if (!is_new_address(entry->reply)) {
      log().warning("{}: '{}' has no address behind it that could be told", instance_name(),
                    entry->text);
      return Verdict::next();
    }
    return Verdict::verbatim(
        {551, {5, 1, 6}, fmt::format("User not local; please try <{}>", entry->reply)});
  }
};

}  // namespace

POSTERN_PLUGIN(Redirect, "redirect")

}  // namespace postern::plugins
