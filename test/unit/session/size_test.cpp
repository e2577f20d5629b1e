#include <postern/session/session.hpp>

#include "catch.hpp"

using namespace postern;

// What ten thousand idle sessions cost is measured by bench/run; this is where it would begin to
// grow.
TEST_CASE("Session: an idle one stays within its share of an idle session's budget",
          "[session][memory]") {
  static_assert(sizeof(session::Session) <= 450);
  SUCCEED("Session: " << sizeof(session::Session) << " octets");
}
