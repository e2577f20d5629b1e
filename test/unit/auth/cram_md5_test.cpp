// CRAM-MD5 (RFC 2195).
#include <postern/auth/mechanism.hpp>

#include <string>

#include "catch.hpp"

using namespace postern::auth;
using namespace std::string_literals;
using Next = Mechanism::Next;

namespace {

std::unique_ptr<Mechanism> of_the_rfc() {
  auto made = make_cram_md5({"postoffice.reston.mci.net", "1896.697170952"});
  CHECK(made->begin({}) == Next::challenge);
  CHECK(made->challenge() == "<1896.697170952@postoffice.reston.mci.net>");
  return made;
}

}  // namespace

TEST_CASE("CRAM-MD5: the example of RFC 2195 section 2", "[auth][cram-md5]") {
  const auto cram = of_the_rfc();
  const bool capitals = GENERATE(false, true);
  CHECK(cram->respond(capitals ? "tim B913A602C7EDA7A495B4E6E7334D3890"
                               : "tim b913a602c7eda7a495b4e6e7334d3890") == Next::secret);
  CHECK(cram->user() == "tim");
  CHECK_FALSE(cram->wants_keys());
  SECTION("with his password") {
    CHECK(cram->use_plain("tanstaaftanstaaf", true) == Next::accepted);
  }
  SECTION("with another") { CHECK(cram->use_plain("tanstaaftanstaag", true) == Next::refused); }
  SECTION("of nobody, whatever is said") {
    CHECK(cram->use_plain("tanstaaftanstaaf", false) == Next::refused);
  }
}

TEST_CASE("CRAM-MD5: a name may hold blanks", "[auth][cram-md5]") {
  const auto cram = of_the_rfc();
  CHECK(cram->respond("tim smith b913a602c7eda7a495b4e6e7334d3890") == Next::secret);
  CHECK(cram->user() == "tim smith");
}

TEST_CASE("CRAM-MD5: refuses what is no response", "[auth][cram-md5]") {
  for (const std::string& wrong :
       {""s, "tim"s, "tim "s, " b913a602c7eda7a495b4e6e7334d3890"s,
        "tim b913a602c7eda7a495b4e6e7334d389"s, "tim b913a602c7eda7a495b4e6e7334d38900"s,
        "tim b913a602c7eda7a495b4e6e7334d389g"s, "ti\0m b913a602c7eda7a495b4e6e7334d3890"s,
        "\xe4 b913a602c7eda7a495b4e6e7334d3890"s})
    CHECK(of_the_rfc()->respond(wrong) == Next::malformed);
  CHECK(make_cram_md5({"a", "b"})->begin("tim") == Next::malformed);
  CHECK(make_cram_md5({"a", "b"})->begin("") == Next::malformed);
}
