// SCRAM-SHA-256 (RFC 5802, RFC 7677).
#include <postern/auth/mechanism.hpp>
#include <postern/base/base64.hpp>
#include <postern/net/digest.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::auth;
using namespace std::string_literals;
using Next = Mechanism::Next;

namespace {

const std::string first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const std::string nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string final_bare = "c=biws,r=" + nonce;
const std::string proof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

std::unique_ptr<Mechanism> scram() {
  return make_scram_sha256({"mx.example.net", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"});
}

ScramKeys keys() {
  return ScramKeys::of("pencil", *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
}

// Up to where the client's proof is wanted.
std::unique_ptr<Mechanism> asked(bool known = true) {
  auto made = scram();
  CHECK(made->begin(first) == Next::secret);
  CHECK(made->use_keys(keys(), known) == Next::challenge);
  return made;
}

// What an honest client says, whatever was agreed.
std::string proof_of(const std::string& client_first, const std::string& server_first,
                     const std::string& bare) {
  const std::string salted =
      net::pbkdf2_sha256("pencil", *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
  const std::string key = net::hmac_sha256(salted, "Client Key");
  std::string shown =
      net::hmac_sha256(net::sha256(key), client_first + "," + server_first + "," + bare);
  for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = static_cast<char>(shown[i] ^ key[i]);
  return bare + ",p=" + encode_base64(shown);
}

}  // namespace

TEST_CASE("SCRAM-SHA-256: the example of RFC 7677 section 3", "[auth][scram]") {
  const auto made = scram();
  if (GENERATE(true, false)) {
    CHECK(made->begin(first) == Next::secret);
  } else {
    CHECK(made->begin({}) == Next::challenge);
    CHECK(made->challenge().empty());
    CHECK(made->respond(first) == Next::secret);
  }
  CHECK(made->user() == "user");
  CHECK(made->wants_keys());
  CHECK(made->use_keys(keys(), true) == Next::challenge);
  CHECK(made->challenge() == "r=" + nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  CHECK(made->respond(final_bare + proof) == Next::challenge);
  CHECK(made->challenge() == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  SECTION("which the client confirms") { CHECK(made->respond("") == Next::accepted); }
  SECTION("or does not") { CHECK(made->respond("x") == Next::malformed); }
}

TEST_CASE("SCRAM-SHA-256: fails for who does not know the password", "[auth][scram]") {
  struct Row {
    const char* why;
    std::string final;
    Next next;
  };
  const auto row = GENERATE(values<Row>({
      {"another proof", final_bare + ",p=" + encode_base64(std::string(32, 'x')), Next::refused},
      {"a short proof", final_bare + ",p=" + encode_base64(std::string(31, 'x')), Next::malformed},
      {"no proof", final_bare, Next::malformed},
      {"an empty proof", final_bare + ",p=", Next::malformed},
      {"a proof that is no base64", final_bare + ",p=!", Next::malformed},
      {"another nonce", "c=biws,r=x" + proof, Next::refused},
      {"the client's nonce alone", "c=biws,r=rOprNGfwEbeRWgbNEkqO" + proof, Next::refused},
      {"another channel", "c=eSws,r=" + nonce + proof, Next::refused},
      {"no channel", "r=" + nonce + proof, Next::malformed},
      {"another order", "r=" + nonce + ",c=biws" + proof, Next::malformed},
      {"an extension that it did not sign", final_bare + ",x=1" + proof, Next::refused},
      {"nothing", "", Next::malformed},
  }));
  CAPTURE(row.why);
  CHECK(asked()->respond(row.final) == row.next);
}

TEST_CASE("SCRAM-SHA-256: an unknown user learns nothing", "[auth][scram]") {
  const auto known = asked(true), unknown = asked(false);
  CHECK(known->challenge() == unknown->challenge());
  CHECK(unknown->respond(final_bare + proof) == Next::refused);
}

TEST_CASE("SCRAM-SHA-256: an honest client gets in, whatever it may add", "[auth][scram]") {
  struct Row {
    const char* why;
    std::string first;
    std::string bare;
    std::string binding;
    std::string user;
  };
  const auto row = GENERATE(values<Row>({
      {"it could bind the channel", "y,,n=user,r=abc", "n=user,r=abc", "eSws", "user"},
      {"for himself", "n,a=user,n=user,r=abc", "n=user,r=abc", "bixhPXVzZXIs", "user"},
      {"a comma and a sign", "n,,n=a=2Cb=3Dc,r=abc", "n=a=2Cb=3Dc,r=abc", "biws", "a,b=c"},
      {"an extension", "n,,n=user,r=abc,x=yes", "n=user,r=abc,x=yes", "biws", "user"},
      {"UTF-8", "n,,n=\xc3\xbc,r=abc", "n=\xc3\xbc,r=abc", "biws", "\xc3\xbc"},
      {"a long nonce", "n,,n=u,r=" + std::string(160, 'r'), "n=u,r=" + std::string(160, 'r'),
       "biws", "u"},
  }));
  CAPTURE(row.why);
  const auto made = scram();
  REQUIRE(made->begin(row.first) == Next::secret);
  CHECK(made->user() == row.user);
  REQUIRE(made->use_keys(keys(), true) == Next::challenge);
  CHECK(encode_base64(made->challenge()).size() + 6 < 512);
  const std::string server_first = made->challenge();
  const std::string agreed = server_first.substr(0, server_first.find(','));
  const std::string bare = "c=" + row.binding + "," + agreed;
  REQUIRE(made->respond(proof_of(row.bare, server_first, bare)) == Next::challenge);
  CHECK(made->respond("") == Next::accepted);
}

TEST_CASE("SCRAM-SHA-256: refuses what is no first message", "[auth][scram]") {
  struct Row {
    const char* why;
    std::string first;
    Next next;
  };
  const auto row = GENERATE(values<Row>({
      {"nothing", "", Next::malformed},
      {"no commas", "n", Next::malformed},
      {"no name", "n,,", Next::malformed},
      {"an empty name", "n,,n=,r=abc", Next::malformed},
      {"no nonce", "n,,n=user", Next::malformed},
      {"an empty nonce", "n,,n=user,r=", Next::malformed},
      {"a blank in the nonce", "n,,n=user,r=a b", Next::malformed},
      {"a long nonce", "n,,n=user,r=" + std::string(161, 'r'), Next::malformed},
      {"channel binding, which was not offered", "p=tls-unique,,n=user,r=abc", Next::refused},
      {"another flag", "x,,n=user,r=abc", Next::malformed},
      {"for somebody else", "n,a=root,n=user,r=abc", Next::refused},
      {"no authzid where one would be", "n,root,n=user,r=abc", Next::malformed},
      {"a needed extension", "n,,m=x,n=user,r=abc", Next::malformed},
      {"a bare sign in the name", "n,,n=a=b,r=abc", Next::malformed},
      {"a cut escape", "n,,n=a=2,r=abc", Next::malformed},
      {"an escape in lower case", "n,,n=a=2c,r=abc", Next::malformed},
      {"a control in the name", "n,,n=a\x01,r=abc", Next::malformed},
      {"a NUL in the name", "n,,n=a\0b,r=abc"s, Next::malformed},
      {"8 bits in the name", "n,,n=\xe4,r=abc", Next::malformed},
  }));
  CAPTURE(row.why);
  CHECK(scram()->begin(row.first) == row.next);
}
