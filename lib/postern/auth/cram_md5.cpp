// CRAM-MD5 (RFC 2195): the client shows that it knows the password that we know.
#include <postern/auth/mechanism.hpp>
#include <postern/base/text.hpp>
#include <postern/net/digest.hpp>

#include <algorithm>
#include <utility>

namespace postern::auth {
namespace {

constexpr std::size_t digest_digits = 32;

std::string hex(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : octets) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

class CramMd5 final : public Mechanism {
 public:
  explicit CramMd5(Server server) { challenge_ = "<" + server.nonce + "@" + server.hostname + ">"; }

  // The server speaks first: RFC 4954 section 4 wants an initial response refused.
  Next begin(std::optional<std::string_view> initial) override {
    return initial ? Next::malformed : Next::challenge;
  }

  // A name, which may hold blanks, and the digest.
  Next respond(std::string_view response) override {
    const auto blank = response.rfind(' ');
    if (blank == std::string_view::npos) return Next::malformed;
    digest_ = lower(response.substr(blank + 1));
    const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
    if (digest_.size() != digest_digits || !std::all_of(digest_.begin(), digest_.end(), is_hex))
      return Next::malformed;
    return take(response.substr(0, blank));
  }

  Next use_plain(std::string_view password, bool known) override {
    const std::string wanted = hex(net::hmac_md5(password, challenge_));
    const bool same = net::same_octets(wanted, digest_);
    return same && known ? Next::accepted : Next::refused;
  }

 private:
  std::string digest_;
};

}  // namespace

std::unique_ptr<Mechanism> make_cram_md5(Server server) {
  return std::make_unique<CramMd5>(std::move(server));
}

}  // namespace postern::auth
