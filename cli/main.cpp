// postern: the administrator's command.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

#include "check.hpp"
#include "daemon_commands.hpp"
#include "explain_command.hpp"
#include "plugin_command.hpp"
#include "probe_command.hpp"
#include "state_command.hpp"

int main(int argc, char** argv) {
  CLI::App app{"The command to Postern's daemon"};
  std::string file = "/etc/postern/postern.toml";
  app.add_option("--config", file, "the configuration file")->capture_default_str();
  app.require_subcommand(1);
  const CLI::App* check = app.add_subcommand(
      "check", "tell what is wrong with the configuration; exit 0 when it is usable");
  bool json = false;
  std::string subject, instance;
  CLI::App* explain = app.add_subcommand(
      "explain", "tell which settings hold for a domain or recipient, and where they come from");
  explain->add_option("DOMAIN|RECIPIENT", subject, "example.net, or anna@example.net")->required();
  explain->add_option("PLUGIN", instance, "only this instance, as its block is named");
  explain->add_flag("--json", json, "as JSON");
  CLI::App* status = app.add_subcommand(
      "status", "tell how posternd is; exit 0 when it is well, 1 when not, 3 when none runs");
  status->add_flag("--json", json, "as JSON");
  CLI::App* reload = app.add_subcommand(
      "reload", "have posternd read its configuration again; exit 1 when it is refused");
  reload->add_flag("--json", json, "as JSON");
  const CLI::App* stop =
      app.add_subcommand("stop", "have posternd finish its sessions and end; wait for it");
  app.add_subcommand("version", "tell the version");
  CLI::App* plugin = app.add_subcommand("plugin", "the plugins that there are, and new ones");
  plugin->require_subcommand(1);
  std::string name, folder;
  CLI::App* list = plugin->add_subcommand("list", "tell which plugins are found, and where");
  list->add_flag("--json", json, "as JSON");
  CLI::App* help = plugin->add_subcommand("help", "tell what a plugin does and its keys");
  help->add_option("NAME", name, "the plugin")->required();
  help->add_flag("--json", json, "as JSON");
  CLI::App* fresh = plugin->add_subcommand("new", "write a project for a plugin of your own");
  fresh->add_option("NAME", name, "what it is to be called")->required();
  fresh->add_option("--dir", folder, "the folder to make; default: ./NAME");
  postern::cli::StateCommand state;
  CLI::App* store = app.add_subcommand("state", "what plugins remember: look at it, change it");
  store->require_subcommand(1);
  const auto state_command = [&](const char* verb, const char* text, const char* argument) {
    CLI::App* command = store->add_subcommand(verb, text);
    command->add_flag("--json", state.json, "as JSON, one object a line");
    if (argument) command->add_option(argument, state.key, "as `postern state list` shows it");
    command->callback([&state, verb] { state.verb = verb; });
    return command;
  };
  state_command("list", "tell the entries whose keys begin with PREFIX", "PREFIX");
  state_command("get", "tell one entry", "KEY")->get_option("KEY")->required();
  CLI::App* erase = state_command("erase", "forget an entry", "KEY");
  erase->get_option("KEY")->required();
  erase->add_flag("--prefix", state.prefix, "all whose keys begin with KEY");
  state_command("dump", "write all entries, or those of PREFIX, for `load`", "PREFIX");
  state_command("load", "read what `dump` wrote from standard input", nullptr);
  CLI::App* downstream = app.add_subcommand("downstream", "the mail servers behind Postern");
  downstream->require_subcommand(1);
  std::string address, recipient, domain;
  CLI::App* probe = downstream->add_subcommand(
      "probe", "talk to a mail server and print the [forward] that fits it; exit 1 when none does");
  probe->add_option("ADDRESS", address, "where it is: HOST:PORT or unix:PATH")->required();
  probe->add_option("--recipient", recipient, "a mailbox that is there");
  probe->add_option("--domain", domain, "a domain of which it knows all recipients");
  probe->add_flag("--json", json, "as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;  // --help and --version come this way too
  }
  if (*check) return postern::daemon::check_file(file);
  if (*explain) return postern::cli::explain(file, subject, instance, json);
  if (*status) return postern::cli::status(file, json);
  if (*reload) return postern::cli::reload(file, json);
  if (*stop) return postern::cli::stop(file);
  if (*list) return postern::cli::list_plugins(file, json);
  if (*help) return postern::cli::help_plugin(file, name, json);
  if (*probe) return postern::cli::probe_downstream(address, recipient, domain, json);
  if (*fresh) return postern::cli::new_plugin(name, folder);
  if (*store) return postern::cli::run_state(file, state);
  std::printf("postern %s\n", POSTERN_VERSION);
  return 0;
}
