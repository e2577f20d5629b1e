// spamtrap: what is sent to a trap is taken, and goes elsewhere than its sender meant, who may be
// blocked for it.
#include <postern/plugin.hpp>

#include "../client_network.hpp"

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
    std::chrono::milliseconds block_for{0};
    NetworkBits networks{32, 64};
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
    schema
        .key("block_for", &Settings::block_for,
             "how long nothing more is taken from a client who sent a message to a trap; \"0s\": "
             "he is not blocked")
        .at_most(366 * 24h);
    schema.table("networks", &Settings::networks, "Which clients are one: so many leading bits.");
  }
  static std::string fault(const Settings& settings) {
    if (settings.deliver.empty() || smtp::parse_mailbox(settings.deliver)) return {};
    return fmt::format("deliver: '{}' is no address", settings.deliver);
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &SpamTrap::at_the_door);
    hooks.on_rcpt(this, &SpamTrap::decide);
    hooks.on_message(this, &SpamTrap::divert);
  }

 private:
  Verdict at_the_door(Session& session) {
    if (site().block_for == 0ms || session.may_relay()) return Verdict::next();
    const std::string who = network_of(session.client_address(), site().networks);
    const auto blocked = state().get("block " + who);
    if (!blocked) return Verdict::failed(blocked.error());
    if (!*blocked) return Verdict::next();
    return Verdict::reject({5, 7, 1}, fmt::format("{} sends spam", who)).and_close();
  }

  void block(const IpAddress& client, const std::string& trap) {
    if (site().block_for == 0ms) return;
    const std::string who = network_of(client, site().networks);
    if (!state().put("block " + who, trap, site().block_for)) return;  // the next look tells
    log().info("{}: {} is blocked: it wrote to {}", instance_name(), who, trap);
  }

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
    if (!caught) return;
    block(message.transaction().session().client_address(), caught->trap);
    if (caught->divert != Divert::message) return;
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
