// Writes docs/plugins.md from the plugins of this build; with --check, tells whether it is as it
// would be written.
#include <postern/plugin/pages.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

int check(const std::string& file, const std::string& page) {
  std::ifstream in(file, std::ios::binary);
  const std::string there(std::istreambuf_iterator<char>(in), {});
  if (there == page) return 0;
  std::size_t line = 1, i = 0;
  for (; i < there.size() && i < page.size() && there[i] == page[i]; ++i) line += there[i] == '\n';
  std::fprintf(stderr, "%s:%zu: not what the plugins say; run ./dev docs\n", file.c_str(), line);
  return 1;
}

int write(const std::string& file, const std::string& page) {
  std::ofstream out(file, std::ios::binary);
  out << page;
  out.close();
  if (out) return 0;
  std::fprintf(stderr, "%s: cannot be written\n", file.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) try {
  const bool only_check = argc == 4 && std::string_view(argv[1]) == "--check";
  if (argc != 3 && !only_check) {
    std::fputs("usage: write-plugins [--check] PAGE SOURCES\n", stderr);
    return 1;
  }
  const std::string file = argv[argc - 2];
  postern::plugin::Loader loader;
  int status = 0;
  for (const auto* module : loader.all()) {
    if (module->problem.empty()) continue;
    std::fprintf(stderr, "%s: %s\n", module->path.c_str(), module->problem.c_str());
    status = 1;
  }
  const std::string page = postern::plugin::markdown_page(loader, argv[argc - 1]);
  const int done = only_check ? check(file, page) : write(file, page);
  return status ? status : done;
} catch (const std::exception& error) {
  std::fprintf(stderr, "write-plugins: %s\n", error.what());
  return 1;
}
