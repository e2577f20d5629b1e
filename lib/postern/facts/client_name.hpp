// The host name of the client, as far as DNS confirms it. Made by `fcrdns`.
#pragma once

#include <postern/plugin/fact.hpp>

#include <string>
#include <vector>

namespace postern::facts {

struct ClientName : plugin::Fact<"client.name", 1> {
  std::string name;                // forward-confirmed; empty: none is
  std::vector<std::string> names;  // what the pointer records say
  void record(plugin::Fields& out) const {
    out.add("name", name);
    if (!names.empty()) out.add("names", names);
  }
};

}  // namespace postern::facts
