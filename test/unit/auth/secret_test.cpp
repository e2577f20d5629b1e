#include <postern/auth/mechanism.hpp>
#include <postern/auth/secret.hpp>

#include <string>

#include "catch.hpp"

using namespace postern::auth;
using namespace std::string_literals;
using Form = StoredSecret::Form;

namespace {

const std::string salt = "MDEyMzQ1Njc4OWFiY2RlZg==";
const std::string stored = "nQpbZ77WudtqufPwikHXGRt6g2QJ4zns8bZLw273DRM=";
const std::string server = "jn2amWP1q1h+jgjy0YTO14S6/F02SV7taipOeB7ef20=";

}  // namespace

TEST_CASE("read_secret: knows passwords, hashes and keys apart", "[auth][secret]") {
  struct Row {
    const char* text;
    Form form;
    const char* kept;
  };
  for (const Row& row : {
           Row{"secret", Form::plain, "secret"},
           {"with: colon # and $6$", Form::plain, "with: colon # and $6$"},
           {"{PLAIN}$6$x", Form::plain, "$6$x"},
           {"{plain}{PLAIN}", Form::plain, "{PLAIN}"},
           {"{CLEARTEXT}x", Form::plain, "x"},
           {"{no end", Form::plain, "{no end"},
           {"$6$salt$abcdefghijkl", Form::hash, "$6$salt$abcdefghijkl"},
           {"$y$j9T$salt$abcdef", Form::hash, "$y$j9T$salt$abcdef"},
           {"{CRYPT}$7$CU..../....salt$abc", Form::hash, "$7$CU..../....salt$abc"},
           {"{SHA512-CRYPT}$6$salt$abcdefghijkl", Form::hash, "$6$salt$abcdefghijkl"},
       }) {
    CAPTURE(row.text);
    const auto read = read_secret(row.text);
    REQUIRE(read);
    CHECK(read->form == row.form);
    CHECK(read->text == row.kept);
  }
}

TEST_CASE("read_secret: keys as Dovecot and RFC 5803 write them", "[auth][secret]") {
  for (const std::string& text : {"{SCRAM-SHA-256}4096," + salt + "," + stored + "," + server,
                                  "SCRAM-SHA-256$4096:" + salt + "$" + stored + ":" + server}) {
    CAPTURE(text);
    const auto read = read_secret(text);
    REQUIRE(read);
    CHECK(read->form == Form::scram);
    CHECK(read->keys.iterations == 4096);
    CHECK(read->keys.salt == "0123456789abcdef");
    CHECK(read->keys.match("pencil"));
    CHECK_FALSE(read->keys.match("Pencil"));
    CHECK_FALSE(read->keys.match(""));
  }
}

TEST_CASE("read_secret: says what is wrong, and nothing of the secret", "[auth][secret]") {
  for (const std::string& text :
       {""s,
        "{PLAIN}"s,
        "{ARGON2ID}hush"s,
        "{}hush"s,
        "{CRYPT}hush"s,
        "{CRYPT}hush-hush-hush"s,
        "$6$hush"s,
        "$6$salt$hush:hush:hush"s,
        "$6$salt$hush hush hush"s,
        "hu\0sh"s,
        "{SCRAM-SHA-256}hush"s,
        "{SCRAM-SHA-256}4096,hush,hush,hush"s,
        "{SCRAM-SHA-256}4095," + salt + "," + stored + "," + server,
        "{SCRAM-SHA-256}99999999999," + salt + "," + stored + "," + server,
        "{SCRAM-SHA-256}-1," + salt + "," + stored + "," + server,
        "{SCRAM-SHA-256}4096,," + stored + "," + server,
        "{SCRAM-SHA-256}4096," + salt + "," + salt + "," + server,
        "SCRAM-SHA-256$4096:" + salt + "$" + stored + ":" + server + ":hush",
        "SCRAM-SHA-256$"s,
        std::string(1025, 'x')}) {
    CAPTURE(text);
    const auto read = read_secret(text);
    REQUIRE_FALSE(read);
    CHECK_FALSE(read.error().text.empty());
    CHECK(read.error().text.find("hush") == std::string::npos);
    CHECK(read.error().text.find(stored) == std::string::npos);
  }
}

TEST_CASE("salt_for: the same for a name, another for another, or at another site",
          "[auth][secret]") {
  CHECK(salt_for("a", "key") == salt_for("a", "key"));
  CHECK(salt_for("a", "key") != salt_for("b", "key"));
  CHECK(salt_for("a", "key") != salt_for("a", "other"));
  CHECK(salt_for("a", "key").size() == 16);
  CHECK(fresh_nonce() != fresh_nonce());
}
