#include "suite_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace postern::suites {

std::optional<std::string> suite_path(std::string_view name) {
  const char* set = std::getenv("POSTERN_SUITES");
  const std::filesystem::path folder = set ? set : POSTERN_SOURCE_ROOT "/../shared/suites";
  if (std::ifstream(folder / name)) return (folder / name).string();
  std::cout << "skipped: no " << (folder / name).string() << " (set POSTERN_SUITES)\n";
  return {};
}

std::optional<std::string> suite_file(std::string_view name) {
  const auto path = suite_path(name);
  if (!path) return {};
  std::ifstream file(*path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace postern::suites
