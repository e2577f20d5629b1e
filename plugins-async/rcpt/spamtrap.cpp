// spamtrap: what is sent to a trap is taken, and goes elsewhere than its sender meant.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

enum class Divert : std::uint8_t { message, recipient };
constexpr auto names_of(Divert) { return std::array<std::string_view, 2>{"message", "recipient"}; }

struct Caught : Fact<"spamtrap.caught", 1> {
  std::string trap;
  std::string deliver;  // the domain of the first trap says where to
  Divert divert = Divert::message;
  void record(Fields& out) const {
    out.add("trap", trap).add("deliver", deliver).add("message", divert == Divert::message);
  }
};

class SpamTrap final : public PluginOf<SpamTrap> {
 public:
  static constexpr const char* summary =
      "Takes mail for traps and sends it elsewhere, to where spam is collected.";
  struct Settings {
    AddressList list;
    std::string deliver;
    Divert divert = Divert::message;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("list", &Settings::list, "recipients that nobody writes to who was not spying them")
        .per_domain();
    schema.key("deliver", &Settings::deliver, "the address that gets what is caught")
        .required()
        .per_domain();
    schema
        .key("divert", &Settings::divert,
             "\"message\": its other recipients do not get it either; \"recipient\": they do")
        .per_domain();
  }
  static std::string fault(const Settings& settings) {
    if (settings.deliver.empty() || smtp::parse_mailbox(settings.deliver)) return {};
    return fmt::format("deliver: '{}' is no address", settings.deliver);
  }
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &SpamTrap::decide);
    hooks.on_message(this, &SpamTrap::divert);
  }

 private:
  // A bounce to a trap is somebody else's forgery, and whom we relay for is no stranger.
  Verdict decide(Recipient& to) {
    Transaction& tx = to.transaction();
    const Settings& mine = settings(to);
    if (tx.is_null_sender() || tx.session().may_relay()) return Verdict::next();
    if (!mine.list.contains(to.local_part(), to.domain())) return Verdict::next();
    auto target = smtp::parse_mailbox(mine.deliver);
    if (!target) return Verdict::failed(target.error());
    if (!tx.facts().find<Caught>()) {
      Caught caught;
      caught.trap = to.key();
      caught.deliver = mine.deliver;
      caught.divert = mine.divert;
      tx.facts().put(std::move(caught));
    }
    to.rewrite({std::move(*target)});
    return Verdict::accept();
  }

  // Once to the collection, instead of to each recipient, trap or not.
  void divert(Message& message) {
    const Caught* caught = message.facts().find<Caught>();
    if (!caught || caught->divert != Divert::message) return;
    auto target = smtp::parse_mailbox(caught->deliver);
    if (!target) return;
    for (const auto& to : message.transaction().recipients())
      for (const auto& delivered : to->delivered())
        message.edits().remove_recipient(delivered.path);
    message.edits().add_recipient(std::move(*target));
  }
};

}  // namespace

POSTERN_PLUGIN(SpamTrap, "spamtrap")

}  // namespace postern::plugins
