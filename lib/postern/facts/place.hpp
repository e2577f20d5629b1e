// Where a client is. Made by `geoip`.
#pragma once

#include <postern/plugin/fact.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace postern::facts {

struct Place : plugin::Fact<"geoip.place", 1> {
  std::string country;    // ISO 3166: "US"; empty: not known, as all that follows
  std::string continent;  // "NA"
  std::string city;
  std::uint32_t asn = 0;
  std::string network;  // whose AS it is
  std::optional<double> latitude, longitude;
  std::optional<std::uint32_t> km;  // from `home` of geoip
  void record(plugin::Fields& out) const {
    if (!country.empty()) out.add("country", country).add("continent", continent);
    if (!city.empty()) out.add("city", city);
    if (asn != 0) out.add("asn", asn).add("network", network);
    if (km) out.add("km", *km);
  }
};

}  // namespace postern::facts
