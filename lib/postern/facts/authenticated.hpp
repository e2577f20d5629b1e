// Who has authenticated. Made by the core after AUTH, and where a trusted peer says so by XCLIENT;
// it is there from the next greeting's hooks on. Records have it as `auth`.
#pragma once

#include <postern/plugin/fact.hpp>

#include <string>

namespace postern::facts {

struct Authenticated : plugin::Fact<"auth", 1> {
  std::string user;
  std::string mechanism;  // "PLAIN", "SCRAM-SHA-256"; "XCLIENT"
};

}  // namespace postern::facts
