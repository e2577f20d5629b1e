// Every default, and the shipped example that shows them.
#include <postern/policy/document.hpp>
#include <postern/policy/load.hpp>
#include <postern/policy/manual.hpp>

#include <map>
#include <regex>
#include <sstream>

#include "builtin_catalog.hpp"
#include "catch.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

const std::string shipped_path = POSTERN_SOURCE_ROOT "/conf/postern.toml";

// The shipped file with its example keys in force: "#key = value" loses its "#".
std::string uncommented(const std::string& text) {
  std::istringstream in(text);
  std::string out, line;
  const std::regex example("#([a-z_]+ = .*|\\[.*\\])");
  while (std::getline(in, line))
    out += (std::regex_match(line, example) ? line.substr(1) : line) + '\n';
  return out;
}

// Every default of the description by the path of its key.
void collect(const Description& description, const std::string& path,
             std::map<std::string, std::string>& out) {
  for (const Key& key : description.keys) {
    if (key.shape == Key::Shape::later) continue;
    const std::string inner = path.empty() ? key.name : path + '.' + key.name;
    if (key.shape == Key::Shape::value) out[inner] = key.initial;
    for (const Variant& variant : key.variants) collect(variant.description, inner, out);
  }
}

}  // namespace

TEST_CASE("Configuration: has these defaults", "[policy][defaults]") {
  std::map<std::string, std::string> defaults;
  collect(describe_configuration(), "", defaults);
  CHECK(defaults ==
        std::map<std::string, std::string>{
            {"hostname", "the system's host name"},
            {"workers", "0"},
            {"user", "no change"},
            {"group", "the user's"},
            {"bare_newline", "\"reject\""},
            {"drain_timeout", "\"1m\""},
            {"include", "none"},
            {"plugin_path", "none"},
            {"listen.address", ""},
            {"listen.tls", "\"none\""},
            {"listen.auth", "\"offer\""},
            {"listen.proxy_from", "nobody"},
            {"listen.xclient_from", "nobody"},
            {"listen.xforward_from", "nobody"},
            {"tls.certificate", "the first of certificates_dir"},
            {"tls.key", "in the certificate's file"},
            {"tls.certificates_dir", "none"},
            {"tls.client_certificates", "\"off\""},
            {"tls.client_ca", "nobody"},
            {"auth.without_tls", "false"},
            {"auth.mechanisms", "[\"SCRAM-SHA-256\", \"CRAM-MD5\", \"PLAIN\", \"LOGIN\"]"},
            {"auth.attempts", "3"},
            {"auth.failure_time", "\"2s\""},
            {"forward.to", ""},
            {"forward.tls", "\"off\""},
            {"forward.tls_name", "the name in to; an address has none"},
            {"forward.tls_ca", "the system's"},
            {"forward.maildir", ""},
            {"forward.protocol", "\"smtp\""},
            {"forward.command", "\"/usr/sbin/exim4\""},
            {"forward.identity", "\"none\""},
            {"forward.max_connections", "20"},
            {"forward.messages_per_connection", "10"},
            {"forward.keep_idle", "\"10s\""},
            {"forward.verify_recipients", "false"},
            {"forward.verify.senders", "the null sender, then double-bounce at us"},
            {"forward.verify.positive", "\"1d\""},
            {"forward.verify.negative", "\"2h\""},
            {"forward.verify.probes", "10"},
            {"forward.verify.beyond", "\"defer\""},
            {"forward.route.domains", ""},
            {"forward.route.to", ""},
            {"forward.route.tls_name", "the name in to; an address has none"},
            {"forward.route.maildir", ""},
            {"forward.timeouts.connect", "\"30s\""},
            {"forward.timeouts.greeting", "\"1m\""},
            {"forward.timeouts.mail", "\"5m\""},
            {"forward.timeouts.rcpt", "\"5m\""},
            {"forward.timeouts.data", "\"2m\""},
            {"forward.timeouts.block", "\"3m\""},
            {"forward.timeouts.final", "\"9m\""},
            {"program.name", ""},
            {"program.manner", "\"sendmail\""},
            {"program.command", ""},
            {"program.at_a_time", "20"},
            {"program.timeout", "\"1m\""},
            {"limits.message_size", "\"50MiB\""},
            {"limits.header_size", "\"1MiB\""},
            {"limits.recipients", "1000"},
            {"limits.errors", "20"},
            {"limits.messages", "100"},
            {"limits.sessions", "0"},
            {"limits.memory_per_message", "\"256KB\""},
            {"limits.received", "100"},
            {"timeouts.command", "\"5m\""},
            {"timeouts.block", "\"3m\""},
            {"timeouts.data", "\"1h\""},
            {"dns.servers", "those of /etc/resolv.conf"},
            {"dns.timeout", "\"1500ms\""},
            {"dns.tries", "3"},
            {"dns.cache_entries", "20000"},
            {"dns.cache_size", "\"8MB\""},
            {"spool.directory", "\"/var/tmp\""},
            {"log.target", "\"stderr\""},
            {"log.level", "\"info\""},
            {"log.format", "\"json\""},
            {"state.path",
             "beside the file, NAME.state for NAME.toml; but "
             "/var/lib/postern/state for /etc/postern/postern.toml"},
            {"state.size", "\"1GB\""},
            {"control.socket",
             "beside the file, NAME.control for NAME.toml; but "
             "/run/postern/control for /etc/postern/postern.toml"},
            {"plugin.use", ""},
            {"plugin.name", "use"},
            {"mixed", "\"split\""},
            {"score.defer_at", "never"},
            {"score.reject_at", "never"},
            {"plugin_defaults.mode", "\"on\""},
            {"plugin_defaults.enforce_at", "\"now\""},
            {"plugin_defaults.exempt.clients", ""},
            {"plugin_defaults.exempt.rdns", ""},
            {"plugin_defaults.exempt.helo", ""},
            {"plugin_defaults.exempt.senders", ""},
            {"plugin_defaults.exempt.senders_file", ""},
            {"plugin_defaults.exempt.recipients", ""},
            {"plugin_defaults.exempt.recipients_file", ""},
            {"plugin_defaults.exempt.passed", ""},
            {"plugin_defaults.exempt.authenticated", "false"},
            {"plugin_defaults.exempt.relay", "false"},
            {"plugin_defaults.on_error", "\"defer\""},
            {"plugin_defaults.timeout", "\"5s\""},
            {"plugin_defaults.parallel", "0"},
            {"plugin_defaults.reply", ""},
            {"plugin_defaults.points", "1"},
            {"plugin_defaults.may_drop", "false"},
            {"plugin.mode", "\"on\""},
            {"plugin.enforce_at", "\"now\""},
            {"plugin.exempt.clients", ""},
            {"plugin.exempt.rdns", ""},
            {"plugin.exempt.helo", ""},
            {"plugin.exempt.senders", ""},
            {"plugin.exempt.senders_file", ""},
            {"plugin.exempt.recipients", ""},
            {"plugin.exempt.recipients_file", ""},
            {"plugin.exempt.passed", ""},
            {"plugin.exempt.authenticated", "false"},
            {"plugin.exempt.relay", "false"},
            {"plugin.on_error", "\"defer\""},
            {"plugin.timeout", "\"5s\""},
            {"plugin.parallel", "0"},
            {"plugin.reply", ""},
            {"plugin.points", "1"},
            {"plugin.may_drop", "false"}});
}

TEST_CASE("load: takes the host name of the system where none is set", "[policy][defaults]") {
  const Loaded loaded = load(
      Bundle::of("postern.toml", "/etc/postern",
                 "[[listen]]\naddress = \"127.0.0.1:0\"\n[forward]\nto = [\"127.0.0.1:25\"]\n"),
      builtin_catalog(), {false});
  CHECK(loaded.usable());
  CHECK_FALSE(loaded.configuration.hostname.empty());
}

TEST_CASE("conf/postern.toml: loads without a problem", "[policy][defaults]") {
  const auto bundle = read_bundle(shipped_path);
  REQUIRE(bundle);
  CHECK(load(*bundle, builtin_catalog()).lines() == std::vector<std::string>{});
}

TEST_CASE("conf/postern.toml: shows every key, and at its default", "[policy][defaults]") {
  std::string text = uncommented(read_text(shipped_path));
  // `to` and `maildir` exclude each other: only the latter's form is of interest here.
  text = std::regex_replace(text, std::regex("\nto = [^\n]*"), "");
  Problems problems({"postern.toml"});
  const auto document = parse_toml(text, 0, problems);
  REQUIRE(document);
  Bundle bundle = Bundle::of("postern.toml", "/etc/postern", text);
  bundle.files.push_back({File::Kind::list, "/etc/postern/recipients", "", ""});
  bundle.files.push_back({File::Kind::list, "/etc/postern/friends", "", ""});
  bundle.files.push_back({File::Kind::list, "/etc/postern/never-filtered", "", ""});
  const Loaded shown = load(bundle, builtin_catalog(), {false});
  CHECK(shown.lines() == std::vector<std::string>{});
  const Configuration& c = shown.configuration;
  const Configuration d;
  CHECK(c.workers == d.workers);
  CHECK(c.drain_timeout == d.drain_timeout);

  std::map<std::string, std::string> defaults;
  collect(describe_configuration(), "", defaults);
  for (const auto& [path, initial] : defaults) {
    CAPTURE(path, initial);
    if (path == "forward.to" || path == "forward.route.to") continue;
    // The common keys are shown where they hold for all.
    const std::string common =
        "plugin_defaults" + path.substr(std::min(path.size(), path.find('.')));
    if (path.starts_with("plugin.") && defaults.count(common) > 0) {
      CHECK(defaults.at(common) == initial);
      continue;
    }
    const Value* value = &*document;
    std::istringstream parts(path);
    std::string part;
    while (value != nullptr && std::getline(parts, part, '.')) {
      const Entry* entry = value->find(part);
      value = entry == nullptr ? nullptr : &entry->value;
      const bool blocks =
          value != nullptr && !value->items.empty() && !value->items[0].entries.empty();
      if (blocks) value = &value->items[0];
    }
    REQUIRE(value != nullptr);
    const bool has_value = initial.starts_with('"') || (!initial.empty() && initial[0] <= '9');
    if (!has_value) continue;
    if (value->type == Value::Type::integer)
      CHECK(std::to_string(value->integer) == initial);
    else if (auto duration = parse_duration(value->text))
      CHECK('"' + policy::text(*duration) + '"' == initial);
    else if (auto size = parse_size(value->text))
      CHECK('"' + policy::text(*size) + '"' == initial);
    else
      CHECK('"' + value->text + '"' == initial);
  }
}

}  // namespace postern::policy
