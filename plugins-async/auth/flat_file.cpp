// flat_file: who may authenticate, from a file of users and secrets.
#include <postern/plugin.hpp>

#include <crypt.h>

#include <memory>

namespace postern::plugins {
namespace {

using Form = auth::StoredSecret::Form;

// Whether `hash` is one of this password: as slow as whoever made the hash wanted it.
Result<bool> matches(std::string_view password, const std::string& hash) {
  const std::string text(password);
  auto data = std::make_unique<crypt_data>();  // 32 KiB
  // Not crypt_r(): the sanitizers' stand-in for it looks for libcrypt before we are loaded.
  const char* made = crypt_rn(text.c_str(), hash.c_str(), data.get(), sizeof *data);
  if (!made || *made == '*')
    return fail(Errc::unsupported, "crypt(3) of this system does not know a hash of the list");
  return auth::same_octets(made, hash);
}

class FlatFile final : public PluginOf<FlatFile> {
 public:
  static constexpr const char* summary = "Lets users in by a file of names and secrets.";
  struct Settings {
    SecretList list;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key(
        "list", &Settings::list,
        "users and secrets, \"USER:SECRET\" each: a password, {PLAIN} and a password, a hash "
        "of crypt(3), or keys of SCRAM-SHA-256. Only passwords serve CRAM-MD5, and hashes do "
        "not serve SCRAM-SHA-256: these are offered where they can serve every user");
  }
  static std::string fault(const Settings& settings) {
    if (settings.list.tables.written || settings.list.tables.file) return {};
    return "knows nobody without list or file; set one of them";
  }
  void setup(Hooks& hooks) override {
    hooks.on_auth_password(this, &FlatFile::check).serves(&FlatFile::serves);
    hooks.on_auth_secret(this, &FlatFile::find).serves(&FlatFile::serves);
  }

 private:
  bool serves(AuthMechanism mechanism, const Settings& mine) const {
    const SecretList& list = mine.list;
    if (mechanism == AuthMechanism::cram_md5) return list.count(Form::plain) == list.size();
    if (mechanism == AuthMechanism::scram_sha_256) return list.count(Form::hash) == 0;
    return true;
  }

  // Of hashes; what else there is the core compares. A user that there is not costs as much as one
  // with a hash.
  Task<std::optional<AuthAnswer>> check(AuthAttempt& attempt) {
    const SecretList& list = settings(attempt).list;
    const auto* found = list.find(attempt.user());
    const bool known = found != nullptr;
    if (!known) found = list.any_of(Form::hash);
    if (!found || found->form != Form::hash) co_return std::nullopt;
    auto job = [password = attempt.password(), hash = found->text] {
      return matches(password.octets(), hash);
    };
    auto same = co_await offload(services(), std::move(job));
    if (!known) co_return std::nullopt;
    if (!same) co_return AuthAnswer::failed(same.error());
    if (!*same) co_return AuthAnswer::refuse();
    co_return AuthAnswer::accept();
  }

  std::optional<AuthSecret> find(AuthAttempt& attempt) {
    const auto* found = settings(attempt).list.find(attempt.user());
    if (!found || found->form == Form::hash) return {};
    if (found->form == Form::scram) return AuthSecret::scram(found->keys);
    return AuthSecret::plain(Secret(found->text));
  }
};

}  // namespace

POSTERN_PLUGIN(FlatFile, "flat_file")

}  // namespace postern::plugins
