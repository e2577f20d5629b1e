// virtual_badusers: refuse listed local-parts of a domain, whoever else lists them as good.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class VirtualBadUsers final : public PluginOf<VirtualBadUsers> {
 public:
  static constexpr const char* summary = "Refuses listed local-parts, even such as others accept.";
  struct Settings {
    AddressList list;
    std::string extension;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "local-parts that take no mail, or whole addresses; in domains/DOMAIN.toml those of "
             "that domain, elsewhere those of every domain")
        .per_domain();
    schema
        .key(
            "extension", &Settings::extension,
            "characters of which the first begins an extension: anna+shop is refused where anna is")
        .per_domain();
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &VirtualBadUsers::decide); }

 private:
  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    const std::string_view local_part = to.local_part();
    const auto end = local_part.find_first_of(mine.extension, 1);
    const bool is_bad =
        mine.list.contains(local_part, to.domain()) ||
        (end != local_part.npos && mine.list.contains(local_part.substr(0, end), to.domain()));
    if (!is_bad) return Verdict::next();
    return Verdict::reject({5, 1, 1}, fmt::format("Mail to {} is not accepted here", to.key()));
  }
};

}  // namespace

POSTERN_PLUGIN(VirtualBadUsers, "virtual_badusers")

}  // namespace postern::plugins
