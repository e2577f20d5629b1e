// Files in memory for the tests of load().
#pragma once

#include <postern/policy/load.hpp>

#include <string>
#include <vector>

#include "builtin_catalog.hpp"

namespace postern::policy {

using Lines = std::vector<std::string>;

// A good file; `extra` follows from line 6 on, within [forward].
inline std::string good_with(const std::string& extra) {
  return "hostname = \"mx.example.net\"\n[[plugin]]\nuse = \"rcpt_accept\"\n[[listen]]\naddress = "
         "\"127.0.0.1:2525\"\n" +
         extra;
}

inline constexpr const char* forward = "[forward]\nto = [\"127.0.0.1:2526\"]\n";

inline Loaded load_text(const std::string& content, bool resolve = false) {
  return load(Bundle::of("postern.toml", "/etc/postern", content), builtin_catalog(), {resolve});
}

inline Lines lines_of(const std::string& content) { return load_text(content).lines(); }

}  // namespace postern::policy
