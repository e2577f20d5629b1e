// What a client deserves for how it behaves: plugins that see something tell the plugin `karma`.
//
//   if (auto* karma = services().find<facts::Karma>("karma")) karma->award(session, -2);
#pragma once

#include <postern/plugin/services.hpp>

namespace postern::plugin {
class Session;
}

namespace postern::facts {

struct Karma : plugin::Service<"karma", 1> {
  virtual void award(const plugin::Session& session, int points) = 0;
  virtual int points(const plugin::Session& session) const = 0;  // of this session, so far

 protected:
  ~Karma() = default;
};

}  // namespace postern::facts
