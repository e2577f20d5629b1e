// Writes postern.toml(5): its source with the line "@KEYS@" replaced by the description of all
// keys.
#include <postern/plugin/loader.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/policy/manual.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>

namespace {

int write_page(const char* source, const char* target) {
  static const std::string mark = "@KEYS@\n";
  std::ifstream in(source, std::ios::binary);
  std::string page(std::istreambuf_iterator<char>(in), {});
  const auto at = page.find(mark);
  if (!in || at == std::string::npos) {
    std::fprintf(stderr, "%s: cannot be read, or has no line @KEYS@\n", source);
    return 1;
  }
  std::string keys = postern::policy::manual(postern::policy::describe_configuration());
  keys += "# PLUGINS\n\n";
  postern::plugin::Loader catalog;
  for (const std::string& name : catalog.names()) keys += manual(*catalog.find(name));
  page.replace(at, mark.size(), keys);
  std::ofstream out(target, std::ios::binary);
  out << page;
  out.close();
  if (out) return 0;
  std::fprintf(stderr, "%s: cannot be written\n", target);
  return 1;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 3) return write_page(argv[1], argv[2]);
  std::fputs("usage: write-keys SOURCE TARGET\n", stderr);
  return 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "write-keys: %s\n", error.what());
  return 1;
}
