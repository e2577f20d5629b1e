// Small values that settings are made of, beside those of the standard library.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/policy/quantity.hpp>

#include <string>
#include <string_view>

namespace postern::policy {

// A file or folder. Relative ones start at the folder of the configuration file.
struct FilePath {
  std::string text;
  bool empty() const { return text.empty(); }
  bool operator==(const FilePath&) const = default;
};

// "example.net", or ".example.net" for all its subdomains; in lower case.
struct DomainPattern {
  std::string text;

  // Whether `domain` (any case, no trailing dot) is meant. Allocates nothing.
  bool matches(std::string_view domain) const;
  bool operator==(const DomainPattern&) const = default;
};

}  // namespace postern::policy
