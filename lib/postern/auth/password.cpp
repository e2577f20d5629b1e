// PLAIN and LOGIN: the client says its password.
#include <postern/auth/mechanism.hpp>

namespace postern::auth {
namespace {

// RFC 4616 section 2: [authzid] NUL authcid NUL passwd.
class Plain final : public Mechanism {
 public:
  Next begin(std::optional<std::string_view> initial) override {
    return initial ? respond(*initial) : ask("");
  }

  Next respond(std::string_view response) override {
    const auto first = response.find('\0');
    if (first == std::string_view::npos) return Next::malformed;
    const auto second = response.find('\0', first + 1);
    if (second == std::string_view::npos) return Next::malformed;
    const std::string_view other = response.substr(0, first);
    const std::string_view name = response.substr(first + 1, second - first - 1);
    const Next next = take(name, response.substr(second + 1));
    // Nobody may act for somebody else.
    return next == Next::password && !other.empty() && other != name ? Next::refused : next;
  }
};

// The prompts are those that clients know, whatever the draft says; they may be asked for nothing
// else.
class Login final : public Mechanism {
 public:
  Next begin(std::optional<std::string_view> initial) override {
    return initial ? respond(*initial) : ask("Username:");
  }

  Next respond(std::string_view response) override {
    if (!user_.empty()) return take(std::string(user_), response);
    const Next named = take(response);
    return named == Next::secret ? ask("Password:") : named;
  }

 private:
  using Mechanism::take;
};

}  // namespace

std::unique_ptr<Mechanism> make_plain() { return std::make_unique<Plain>(); }
std::unique_ptr<Mechanism> make_login() { return std::make_unique<Login>(); }

}  // namespace postern::auth
