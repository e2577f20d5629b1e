// random_error: fails now and then.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

int delivered(const std::string& keys, int messages) {
  Harness h;
  h.load("random_error", keys);
  int taken = 0;
  for (int i = 0; i < messages; ++i) {
    const test::Heard heard = test::whole_dialogue(h);
    CHECK((heard.code == 250 || heard.code / 100 == 4));
    taken += heard.code == 250;
    h.client.close();
  }
  CHECK(h.end() == "");
  return taken;
}

}  // namespace

TEST_CASE("random_error: so many of a hundred messages do not get through",
          "[plugins][random_error]") {
  CHECK(delivered("percent = 0", 20) == 20);
  CHECK(delivered("percent = 100", 20) == 0);
  const int half = delivered("percent = 50\nseed = 7", 200);
  CHECK(half > 70);
  CHECK(half < 130);
}

TEST_CASE("random_error: a seed fails in the same way again", "[plugins][random_error]") {
  const int once = delivered("percent = 30\nseed = 3", 50);
  CHECK(delivered("percent = 30\nseed = 3", 50) == once);
}
