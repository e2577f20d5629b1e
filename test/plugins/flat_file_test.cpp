// flat_file: who may authenticate, from a file.
#include <postern/base/base64.hpp>

#include <string>

#include "catch.hpp"
#include "support/client.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::string_literals;
using test::contains;
using test::World;

namespace {

// "correct horse" each; made by crypt(3).
constexpr const char* hashes =
    "sha512:$6$rounds=1000$saltsalt$"
    "4GMtaIz3E1AdDi2SmCokEW0ehi.HdxNDcL3fGE1XXuzvo6kbx7UOloZKONqEk5H3JrQA4NOfU8BmqFPrpGqwA1\n"
    "sha256:{SHA256-CRYPT}$5$rounds=1000$saltsalt$R6e4P8ccT9iMqkYg7Z8YtpId/lfsIfnuPkp8WXposU8\n"
    "blowfish:{CRYPT}$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e\n";
constexpr const char* passwords =
    "# people\n"
    "anna@example.net:correct horse\n"
    "Berta@Example.net:{PLAIN}correct horse\n";
constexpr const char* keys =  // of "pencil"
    "user:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n";

struct Site : World {
  explicit Site(const std::string& content) {
    settings.auth_without_tls = true;
    list("passwords", content);
    load("flat_file", "file = \"passwords\"");
    test::arrive(*this);
    offers = client.command("EHLO c.example").text();
  }
  // The reply to AUTH PLAIN.
  int plain(const std::string& user, const std::string& password) {
    const std::string said = "\0"s + user + "\0"s + password;
    return client.command("AUTH PLAIN " + encode_base64(said)).code;
  }
  std::string offers;
};

}  // namespace

TEST_CASE("flat_file: lets in who knows the password, however it is kept", "[plugins][flat_file]") {
  const std::string all = std::string(passwords) + hashes + keys;
  struct Row {
    const char* user;
    const char* password;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"anna@example.net", "correct horse", 235},
      {"ANNA@example.NET", "correct horse", 235},
      {"anna@example.net", "Correct horse", 535},
      {"anna@example.net", "correct hors", 535},
      {"berta@example.net", "correct horse", 235},
      {"berta@example.net", "{PLAIN}correct horse", 535},
      {"sha512", "correct horse", 235},
      {"sha512", "incorrect horse", 535},
      {"sha256", "correct horse", 235},
      {"blowfish", "correct horse", 235},
      {"blowfish", "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e", 535},
      {"user", "pencil", 235},
      {"user", "pen", 535},
      {"nobody", "correct horse", 535},
      {"anna", "correct horse", 535},
      {".*", "correct horse", 535},
      {"# people", "x", 535},
  }));
  CAPTURE(row.user, row.password);
  Site site(all);
  CHECK(site.plain(row.user, row.password) == row.code);
  CHECK(site.end() == "");
}

TEST_CASE("flat_file: offers what can serve every user", "[plugins][flat_file]") {
  CHECK(contains(Site(passwords).offers, "AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256"));
  CHECK(contains(Site(std::string(passwords) + keys).offers, "AUTH PLAIN LOGIN SCRAM-SHA-256"));
  Site site(std::string(passwords) + hashes);
  CHECK(contains(site.offers, "AUTH PLAIN LOGIN"));
  CHECK_FALSE(contains(site.offers, "CRAM-MD5"));
  CHECK_FALSE(contains(site.offers, "SCRAM"));
}

TEST_CASE("flat_file: a wrong digest is refused", "[plugins][flat_file]") {
  Site site(passwords);
  CHECK(site.client.command("AUTH CRAM-MD5").code == 334);
  CHECK(site.client.command(encode_base64("anna@example.net " + std::string(32, '0'))).code == 535);
  CHECK(site.end() == "");
}

TEST_CASE("flat_file: bad lines are told by their numbers, without what they hold",
          "[plugins][flat_file]") {
  World h;
  h.list("passwords",
         "anna:right\nhush\n:hush\nanna:hush\nberta:{HUSH}hush\n\ncarla:$6$hush\n# hush\n");
  h.load("flat_file", "file = \"passwords\"");
  std::string all;
  for (const std::string& line : h.problems()) all += line + "\n";
  for (const char* place :
       {"passwords:2:1:", "passwords:3:1:", "passwords:4:1:", "passwords:5:1:", "passwords:7:1:"})
    CHECK(contains(all, place));
  CHECK_FALSE(contains(all, "passwords:1:"));
  CHECK_FALSE(contains(all, "passwords:8:"));
  CHECK_FALSE(contains(all, "hush"));
  CHECK(contains(all, "the line is skipped"));
}

TEST_CASE("flat_file: a bad entry of the configuration is an error", "[plugins][flat_file]") {
  World h;
  h.load("flat_file", "list = [\"anna:{HUSH}hush\"]");
  const auto problems = h.problems();
  REQUIRE(problems.size() == 1);
  CHECK(contains(problems[0], "has a scheme that is not known here"));
  CHECK_FALSE(contains(problems[0], "hush"));
}

TEST_CASE("flat_file: knows nobody without a list", "[plugins][flat_file]") {
  World h;
  h.load("flat_file");
  REQUIRE(h.problems().size() == 1);
  CHECK(contains(h.problems()[0], "set one of them"));
}
