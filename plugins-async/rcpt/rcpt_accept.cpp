// rcpt_accept: take every recipient.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class RcptAccept final : public PluginOf<RcptAccept> {
 public:
  static constexpr const char* summary =
      "Takes every recipient: only where the downstream itself refuses what is not its own, or for "
      "tests; anywhere else it makes an open relay.";
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &RcptAccept::decide); }

 private:
  // Without a domain there is only the postmaster (RFC 5321 section 4.5.1).
  Verdict decide(Recipient& to) {
    const bool is_nobody = to.domain().empty() && !to.is_postmaster();
    return is_nobody ? Verdict::next() : Verdict::accept();
  }
};

}  // namespace

POSTERN_PLUGIN(RcptAccept, "rcpt_accept")

}  // namespace postern::plugins
