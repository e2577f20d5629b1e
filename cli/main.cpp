// postern: the administrator's command.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

#include "check.hpp"

int main(int argc, char** argv) {
  CLI::App app{"The command to Postern's daemon"};
  std::string file = "/etc/postern/postern.toml";
  app.add_option("--config", file, "the configuration file")->capture_default_str();
  app.require_subcommand(1);
  const CLI::App* check = app.add_subcommand(
      "check", "tell what is wrong with the configuration; exit 0 when it is usable");
  app.add_subcommand("version", "tell the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;  // --help and --version come this way too
  }
  if (*check) return postern::daemon::check_file(file);
  std::printf("postern %s\n", POSTERN_VERSION);
  return 0;
}
