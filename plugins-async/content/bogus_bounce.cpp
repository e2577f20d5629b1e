// bogus_bounce: a bounce has one recipient and no return path of its own (RFC 3834 section 4).
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class BogusBounce final : public PluginOf<BogusBounce> {
 public:
  static constexpr const char* summary = "Refuses bounces that no mail server makes.";
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &BogusBounce::count);
    hooks.on_headers(this, &BogusBounce::compare);
  }

 private:
  // A message comes from one sender, so does what comes back. The second recipient is refused, and
  // with it the reason to go on.
  Verdict count(Recipient& to) {
    const Transaction& tx = to.transaction();
    if (!tx.is_null_sender() || tx.recipients().size() <= 1) return Verdict::next();
    return Verdict::reject({5, 7, 1}, "A bounce has one recipient");
  }

  Verdict compare(Message& message) {
    if (!message.transaction().is_null_sender()) return Verdict::next();
    const auto path = message.header().value("Return-Path");
    if (!path || trim(*path) == "<>") return Verdict::next();
    return Verdict::reject({5, 7, 1}, "The return path of a bounce must be empty (RFC 3834)");
  }
};

}  // namespace

POSTERN_PLUGIN(BogusBounce, "bogus_bounce")

}  // namespace postern::plugins
