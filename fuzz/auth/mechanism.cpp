// SASL mechanisms: the first octet of the input chooses one, its lines are what the client says.
// Nobody gets in who does not know the password, and no name that is taken hides a control octet.
#include <postern/auth/mechanism.hpp>
#include <postern/base/base64.hpp>
#include <postern/base/text.hpp>

#include <algorithm>

#include "../fuzz.hpp"

using namespace postern;
using namespace postern::auth;
using Next = Mechanism::Next;

namespace {

const ScramKeys& keys() {
  static const ScramKeys made = ScramKeys::of("not to be guessed", "0123456789abcdef", 4096);
  return made;
}

Next inform(Mechanism& mechanism) {
  FUZZ_CHECK(is_user_name(mechanism.user()));
  return mechanism.wants_keys() ? mechanism.use_keys(keys(), true)
                                : mechanism.use_plain("not to be guessed", true);
}

void talk(Mechanism& mechanism, std::string_view text) {
  Next next = mechanism.begin({});
  for (int turns = 0; turns < 8; ++turns) {
    if (next == Next::secret) next = inform(mechanism);
    FUZZ_CHECK(next != Next::accepted);
    if (next == Next::password) {
      FUZZ_CHECK(is_user_name(mechanism.user()) && !mechanism.password().empty());
      FUZZ_CHECK(mechanism.password().octets().find('\0') == std::string_view::npos);
    }
    if (next != Next::challenge) return;
    FUZZ_CHECK(encode_base64(mechanism.challenge()).size() + 6 <= 512);
    const auto end = std::min(text.find('\n'), text.size());
    next = mechanism.respond(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = input_text(data, size);
  if (const auto secret = read_secret(text)) FUZZ_CHECK(secret->text.size() <= text.size());
  if (const auto decoded = decode_base64(text)) FUZZ_CHECK(encode_base64(*decoded) == text);
  FUZZ_CHECK(*decode_base64(encode_base64(text)) == text);
  if (text.empty()) return 0;
  const char which = text.front();
  text.remove_prefix(1);
  const Server server{"mx.example.net", "nonce"};
  const auto mechanism = which == 'P'   ? make_plain()
                         : which == 'L' ? make_login()
                         : which == 'C' ? make_cram_md5(server)
                                        : make_scram_sha256(server);
  talk(*mechanism, text);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  using namespace std::string_literals;
  return {
      "P\0tim\0tanstaaf"s,
      "Ptim\0tim\0x"s,
      "Ltim\nsecret",
      "Ctim b913a602c7eda7a495b4e6e7334d3890",
      "Sn,,n=user,r=abc\nc=biws,r=abcnonce,p=" + encode_base64(std::string(32, 'p')) + "\n",
      "Sy,a=user,n=us=2Cer,r=abc,x=1\nc=eSw=,r=abcnonce,x=2,p=AAAA\n",
      "{SCRAM-SHA-256}4096,MDEyMzQ1Njc4OWFiY2RlZg==,nQpbZ77WudtqufPwikHXGRt6g2QJ4zns8bZLw273DRM="
      ",jn2amWP1q1h+jgjy0YTO14S6/F02SV7taipOeB7ef20=",
      "SCRAM-SHA-256$4096:MDEy$AAAA:AAAA",
      "$6$salt$abcdefghijklmnop",
      "Zm9vYmFy"};
}
