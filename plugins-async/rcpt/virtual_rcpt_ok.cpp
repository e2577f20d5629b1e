// virtual_rcpt_ok: take the local-parts that a domain's file lists, and refuse its others.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class VirtualRcptOk final : public PluginOf<VirtualRcptOk> {
 public:
  static constexpr const char* summary =
      "Takes the recipients of its domains that are listed, and refuses those that are not.";
  struct Settings {
    MailboxFolder directory;
    std::string extension;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("directory", &Settings::directory,
             "a folder with a file for each domain, named like it: a local-part a line, or * for "
             "all; recipients of other domains are left to others")
        .required();
    schema
        .key("extension", &Settings::extension,
             "characters of which the first begins an extension, as in anna+shop: such a recipient "
             "is also taken when he is listed without it")
        .per_domain();
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &VirtualRcptOk::decide); }

 private:
  using Answer = MailboxFolder::Answer;

  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    const std::string_view local_part = to.local_part();
    Answer answer = mine.directory.look(local_part, to.domain());
    if (answer == Answer::no_such_domain) return Verdict::next();
    const auto end = local_part.find_first_of(mine.extension, 1);
    if (answer == Answer::not_listed && end != local_part.npos)
      answer = mine.directory.look(local_part.substr(0, end), to.domain());
    const bool always = to.is_postmaster() || local_part == "abuse";  // RFC 2142 section 4
    if (answer == Answer::listed || always) return Verdict::accept();
    return Verdict::reject({5, 1, 1}, fmt::format("Mail to {} is not accepted here", to.key()));
  }
};

}  // namespace

POSTERN_PLUGIN(VirtualRcptOk, "virtual_rcpt_ok")

}  // namespace postern::plugins
