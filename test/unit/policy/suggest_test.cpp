#include <postern/policy/suggest.hpp>

#include "catch.hpp"

namespace postern::policy {

TEST_CASE("edit_distance: counts letters, and a swap of neighbours as one", "[policy][suggest]") {
  CHECK(edit_distance("identity", "identity") == 0);
  CHECK(edit_distance("identiy", "identity") == 1);
  CHECK(edit_distance("identtiy", "identity") == 1);
  CHECK(edit_distance("MESSAGE-SIZE", "message_size") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance(std::string(1000, 'a'), std::string(1000, 'b')) == 64);
}

TEST_CASE("nearest: proposes only what can have been meant", "[policy][suggest]") {
  const std::vector<std::string> known{"to", "maildir", "identity", "max_connections"};
  CHECK(nearest("identiy", known) == "identity");
  CHECK(nearest("maxconnections", known) == "max_connections");
  CHECK(nearest("mail_dir", known) == "maildir");
  CHECK(nearest("warn", {"info", "warning"}) == "warning");
  CHECK_FALSE(nearest("colour", known));
  CHECK_FALSE(nearest("xy", known));
  CHECK_FALSE(nearest("", {}));
}

}  // namespace postern::policy
