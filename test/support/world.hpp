// A whole worker in simulation, as plugins' tests have it.
//
//   World world(seed);
//   world.listen();                      // one scripted downstream at World::first
//   world.forward();                     // ... and a route to it; or world.deliver_to_maildir()
//   auto stream = world.connect();       // a client; its session runs
//   ...
//   CHECK(world.end() == "");            // nothing is left: no task, stream, slot
#pragma once

#include <postern/deliver/maildir.hpp>
#include <postern/testing/harness.hpp>

namespace postern::test {

using KeptLog = testing::KeptLog;
using World = testing::Harness;

}  // namespace postern::test
