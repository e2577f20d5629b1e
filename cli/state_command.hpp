// `postern state`: the state store, whether posternd runs or not.
#pragma once

#include <string>

namespace postern::cli {

struct StateCommand {
  std::string verb;  // list, get, erase, dump, load
  std::string key;   // "INSTANCE/KEY", or how it begins
  bool prefix = false;
  bool json = false;
};

// The status to exit with: 1 when it failed, and for `get` and `erase` when there was nothing.
int run_state(const std::string& configuration, const StateCommand& command);

}  // namespace postern::cli
