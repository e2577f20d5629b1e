// What system a client runs, by how its packets look. Made by `p0f`.
#pragma once

#include <postern/plugin/fact.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace postern::facts {

struct P0f : plugin::Fact<"p0f", 1> {
  bool seen = false;   // p0f has seen packets of this client; else it tells nothing
  std::string genre;   // "Windows"; empty: its system is not known
  std::string flavor;  // "7 or 8"
  std::string link;    // "Ethernet or modem"
  std::optional<std::uint16_t> distance;       // hops
  std::optional<std::chrono::minutes> uptime;  // as far as its timestamps tell
  std::uint8_t match = 0;                      // 1: fuzzy, 2: by a generic signature, 3: both
  bool lies = false;                           // it says that it is another system (HTTP)

  // "Windows 7 or 8"
  std::string system() const { return flavor.empty() ? genre : genre + ' ' + flavor; }

  void record(plugin::Fields& out) const {
    if (!seen) return void(out.add("seen", false));
    if (!genre.empty()) out.add("system", system());
    if (!link.empty()) out.add("link", link);
    if (distance) out.add("distance", *distance);
    if (uptime) out.add("uptime_minutes", uptime->count());
    if (match != 0) out.add("match", match);
    if (lies) out.add("lies", true);
  }
};

}  // namespace postern::facts
