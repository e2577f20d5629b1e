// posternd: the arguments.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

#include "check.hpp"
#include "helper.hpp"
#include "master.hpp"
#include "worker_process.hpp"

int main(int argc, char** argv) {
  using namespace postern::daemon;
  CLI::App app{"SMTP filtering proxy; runs in the foreground"};
  std::string file = "/etc/postern/postern.toml";
  std::string checked;
  int channel = -1, requests = -1;
  app.add_option("--config", file, "the configuration file")->capture_default_str();
  // "-": a bundle on standard input, from the master.
  CLI::Option* check =
      app.add_option("--check", checked, "check the configuration and exit: 0 good, 1 not")
          ->expected(0, 1)
          ->type_name("");
  app.add_option("--worker", channel)->group("");
  app.add_option("--helper", requests)->group("");
  app.set_version_flag("--version", "posternd " POSTERN_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;  // --help and --version come this way too
  }
  if (channel >= 0) return run_worker(channel);
  if (requests >= 0) return run_helper(requests);
  if (*check) {
    if (checked == "-") return check_standard_input();
    if (!checked.empty())
      return std::fprintf(stderr, "--check %s: name the file with --config\n", checked.c_str()), 1;
    return check_file(file);
  }
  return Master(file).run();
}
