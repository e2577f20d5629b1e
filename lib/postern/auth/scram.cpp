// SCRAM-SHA-256 (RFC 5802, RFC 7677): each side shows that it knows the password, and neither sends
// it. Without channel binding.
#include <postern/auth/mechanism.hpp>
#include <postern/base/base64.hpp>
#include <postern/base/text.hpp>
#include <postern/net/digest.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace postern::auth {
namespace {

// The client's; the RFC has no limit, but our challenge holds it, and a reply line 512 octets.
constexpr std::size_t most_nonce_octets = 160;

// What comes up to the next comma, cut off with it; nothing at the end.
std::optional<std::string_view> take_attribute(std::string_view& text) {
  if (text.empty()) return {};
  const auto comma = text.find(',');
  const std::string_view attribute = text.substr(0, comma);
  text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  return attribute;
}

// The value of "k=value"; nothing where it is another attribute, or none.
std::optional<std::string_view> value_of(std::optional<std::string_view> attribute, char key) {
  if (!attribute || attribute->size() < 2 || (*attribute)[0] != key || (*attribute)[1] != '=')
    return {};
  return attribute->substr(2);
}

// saslname of RFC 5802 section 7: "=2C" is a comma, "=3D" an equals sign, and nothing else is.
std::optional<std::string> decode_name(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
      continue;
    }
    const std::string_view escape = text.substr(i, 3);
    if (escape != "=2C" && escape != "=3D") return {};
    out += escape == "=2C" ? ',' : '=';
    i += 2;
  }
  return out;
}

bool is_nonce(std::string_view text) {
  return !text.empty() && text.size() <= most_nonce_octets &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string exclusive_or(std::string a, std::string_view b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i]);
  return a;
}

class Scram final : public Mechanism {
 public:
  explicit Scram(Server server) : server_(std::move(server)) {}

  bool wants_keys() const override { return true; }

  Next begin(std::optional<std::string_view> initial) override {
    return initial ? respond(*initial) : ask("");
  }

  Next respond(std::string_view response) override {
    switch (state_) {
      case State::first:
        return take_first(response);
      case State::final:
        return take_final(response);
      case State::proved:
        return response.empty() ? Next::accepted : Next::malformed;
    }
    return Next::malformed;
  }

  Next use_keys(const ScramKeys& keys, bool known) override {
    keys_ = keys;
    known_ = known;
    state_ = State::final;
    nonce_ += server_.nonce;
    server_first_ =
        fmt::format("r={},s={},i={}", nonce_, encode_base64(keys_.salt), keys_.iterations);
    return ask(server_first_);
  }

 private:
  enum class State : std::uint8_t { first, final, proved };

  // gs2-cbind-flag "," [authzid] "," client-first-message-bare
  Next take_first(std::string_view message) {
    const std::string_view whole = message;
    const auto binding = take_attribute(message);
    if (!binding || message.empty()) return Next::malformed;
    if (value_of(binding, 'p')) return Next::refused;  // we have offered none
    if (*binding != "n" && *binding != "y") return Next::malformed;
    const std::string_view other = take_attribute(message).value_or("");
    header_ = whole.substr(0, whole.size() - message.size());
    client_first_ = message;
    const auto name = value_of(take_attribute(message), 'n');  // "m=" is an extension we lack
    const auto nonce = value_of(take_attribute(message), 'r');
    const auto user = name ? decode_name(*name) : std::nullopt;
    if (!user || !nonce || !is_nonce(*nonce)) return Next::malformed;
    nonce_ = *nonce;
    const Next next = take(*user);
    if (next != Next::secret || other.empty()) return next;
    const auto for_whom = value_of(other, 'a');
    const auto somebody = for_whom ? decode_name(*for_whom) : std::nullopt;
    if (!somebody) return Next::malformed;
    return *somebody == user_ ? next : Next::refused;
  }

  // channel-binding "," nonce ["," extensions] "," proof
  Next take_final(std::string_view message) {
    const auto at = message.rfind(",p=");
    if (at == std::string_view::npos) return Next::malformed;
    const auto proof = decode_base64(message.substr(at + 3));
    std::string_view unproved = message.substr(0, at);
    const std::string said = fmt::format("{},{},{}", client_first_, server_first_, unproved);
    const auto binding = value_of(take_attribute(unproved), 'c');
    const auto nonce = value_of(take_attribute(unproved), 'r');
    if (!proof || proof->size() != net::sha256_octets || !binding || !nonce) return Next::malformed;
    const bool same_exchange = *binding == encode_base64(header_) && *nonce == nonce_;
    const std::string key = exclusive_or(*proof, net::hmac_sha256(keys_.stored_key, said));
    const bool proved = net::same_octets(net::sha256(key), keys_.stored_key);
    if (!same_exchange || !proved || !known_) return Next::refused;
    state_ = State::proved;
    return ask("v=" + encode_base64(net::hmac_sha256(keys_.server_key, said)));
  }

  Server server_;
  State state_ = State::first;
  bool known_ = false;
  ScramKeys keys_;
  std::string header_;        // gs2-header
  std::string client_first_;  // client-first-message-bare
  std::string server_first_;
  std::string nonce_;  // the client's, then with ours
};

}  // namespace

std::unique_ptr<Mechanism> make_scram_sha256(Server server) {
  return std::make_unique<Scram>(std::move(server));
}

}  // namespace postern::auth
