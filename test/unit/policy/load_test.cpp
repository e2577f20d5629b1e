#include <postern/policy/load.hpp>

#include <fmt/format.h>

#include "catch.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;

// A good file; `extra` follows from line 6 on, within [forward].
std::string good_with(const std::string& extra) {
  return "hostname = \"mx.example.net\"\n[[plugin]]\nuse = \"rcpt_accept\"\n[[listen]]\naddress = "
         "\"127.0.0.1:2525\"\n" +
         extra;
}

constexpr const char* forward = "[forward]\nto = [\"127.0.0.1:2526\"]\n";

Loaded load_text(const std::string& content, bool resolve = false) {
  return load(Bundle::of("postern.toml", "/etc/postern", content), {resolve});
}

Lines lines_of(const std::string& content) { return load_text(content).lines(); }

}  // namespace

TEST_CASE("load: tells a wrong value with its place, its key and the remedy", "[policy][load]") {
  struct Row {
    std::string written;  // lines 8 and following; [forward] with `to` are 6 and 7
    std::string line;
  };
  const auto row = GENERATE(values<Row>({
      {"identiy = \"none\"", "8:1: forward.identiy: no such key; did you mean 'identity'?"},
      {"max-connections = 3",
       "8:1: forward.max-connections: no such key; did you mean 'max_connections'?"},
      {"[limit]", "8:2: limit: no such key; did you mean 'limits'?"},
      {"[limits]\nhostname = \"x\"",
       "9:1: limits.hostname: no such key; 'hostname' stands at the top of the file, before the "
       "first table"},
      {"message_size = \"1MB\"",
       "8:1: forward.message_size: no such key; 'message_size' stands in [limits]"},
      {"domains = [\"a.example\"]",
       "8:1: forward.domains: no such key; 'domains' stands in [[plugin]]"},
      {"[spool]\nblock = \"3s\"",
       "9:1: spool.block: no such key; 'block' stands in [forward.timeouts] or [timeouts]"},
      {"[spool]\nspool = 1", "9:1: spool.spool: no such key; 'spool' is a table of its own"},
      {"[forward.timeouts]\ncolour = 1",
       "9:1: forward.timeouts.colour: no such key; known here: connect, greeting, mail, rcpt, "
       "data, block, final"},
      {"[limits]\nmessage_size = \"50\"",
       "9:16: limits.message_size: '50' needs a unit, for example \"50MB\""},
      {"[limits]\nmessage_size = 50",
       "9:16: limits.message_size: expected a size with its unit, found an integer; for example "
       "\"50MB\""},
      {"[limits]\nmemory_per_message = \"64\"",
       "9:22: limits.memory_per_message: '64' needs a unit, for example \"64KB\""},
      {"[limits]\nmessage_size = \"1KB\"",
       "9:16: limits.message_size: \"1KB\" is too small; at least \"64KB\""},
      {"[limits]\nrecipients = \"many\"",
       "9:14: limits.recipients: expected an integer, found a string"},
      {"[limits]\nrecipients = 99", "9:14: limits.recipients: 99 is too small; at least 100"},
      {"[limits]\nrecipients = 1000000",
       "9:14: limits.recipients: 1000000 is too large; at most 100000"},
      {"[limits]\nsessions = -1", "9:12: limits.sessions: a negative number makes no sense here"},
      {"[limits]\nerrors = 1.5", "9:10: limits.errors: expected an integer, found a fraction"},
      {"[timeouts]\ncommand = \"5min\"",
       "9:11: timeouts.command: '5min': no such unit as 'min'; units are ms, s, m, h and d"},
      {"[timeouts]\ncommand = 300",
       "9:11: timeouts.command: expected a duration with its unit, found an integer; for example "
       "\"300s\""},
      {"[timeouts]\ncommand = \"0s\"",
       "9:11: timeouts.command: \"0s\" is too small; at least \"1s\""},
      {"[timeouts]\ncommand = true",
       "9:11: timeouts.command: expected a duration, found true or false"},
      {"identity = \"xforwad\"",
       "8:12: forward.identity: 'xforwad' is not \"none\", \"xforward\", \"xclient\", \"proxy-v1\" "
       "or \"proxy-v2\"; "
       "did you mean \"xforward\"?"},
      {"protocol = \"lmtp\"",
       "8:12: forward.protocol: 'lmtp' is not available in this version; use \"smtp\""},
      {"verify_recipients = true",
       "8:1: forward.verify_recipients: is not available in this version; remove it"},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\ntls = \"starttls\"",
       "10:7: listen.tls: 'starttls' is not available in this version; use \"none\""},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\nproxy_from = [\"10.0.0.0/8\"]",
       "10:1: listen.proxy_from: is not available in this version; remove it"},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\nxclient_from = []",
       "10:1: listen.xclient_from: is not available in this version; remove it"},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\nxforward_from = []",
       "10:1: listen.xforward_from: is not available in this version; remove it"},
      {"[dns]\nservers = [\"127.0.0.1:53\"]",
       "8:2: dns: is not available in this version; remove it"},
      {"[[listen]]\naddress = \"127.0.0.1\"",
       "9:11: listen.address: '127.0.0.1' is not ADDRESS:PORT or [IPV6]:PORT; for example "
       "\"0.0.0.0:25\" or "
       "\"[::]:25\""},
      {"[[listen]]\naddress = 25",
       "9:11: listen.address: expected \"ADDRESS:PORT\", found an integer"},
      {"[[listen]]", "8:1: listen.address: is missing; expected an address with its port"},
      {"[[listen]]\naddress = \"127.0.0.1:2525\"",
       "9:11: listen.address: 127.0.0.1:2525 is already in postern.toml:5; remove one"},
      {"[[limits]]\nerrors = 3", "8:1: limits: expected a table, found a list; write [limits]"},
      {"[log]\nlevel = \"warn\"",
       "9:9: log.level: 'warn' is not \"debug\", \"info\", \"warning\" or \"error\"; did you mean "
       "\"warning\"?"},
      {"[log]\ntarget = \"/var/log/postern.log\"",
       "9:10: log.target: '/var/log/postern.log' is none of \"stderr\", \"syslog\" or "
       "\"file:PATH\"; did you mean "
       "\"file:/var/log/postern.log\"?"},
      {"[log]\ntarget = \"sysslog\"",
       "9:10: log.target: 'sysslog' is none of \"stderr\", \"syslog\" or \"file:PATH\"; did you "
       "mean \"syslog\"?"},
      {"[log]\ntarget = \"journal\"",
       "9:10: log.target: 'journal' is not available in this version; \"stderr\" reaches the "
       "journal under systemd"},
      {"[spool]\ndirectory = \"\"", "9:13: spool.directory: a path is not empty and has no NUL"},
      {"maildir = \"/var/mail/postern\"",
       "8:1: forward.maildir: to and maildir exclude each other; keep one"},
      {"[[plugin]]\nuse = \"rcpt_okay\"",
       "9:7: plugin.use: no plugin 'rcpt_okay'; did you mean \"rcpt_ok\"?"},
      {"[[plugin]]\nuse = \"dnsbl\"",
       "9:7: plugin.use: no plugin 'dnsbl'; there are \"rcpt_ok\", \"rcpt_accept\""},
      {"[[plugin]]\ndomains = [\"a.example\"]",
       "8:1: plugin.use: is missing; name one of \"rcpt_ok\", \"rcpt_accept\""},
      {"[[plugin]]\nuse = 1",
       "9:7: plugin.use: expected a string, found an integer; name one of \"rcpt_ok\", "
       "\"rcpt_accept\""},
      {"[[plugin]]\nuse = \"rcpt_ok\"",
       "8:1: plugin: rcpt_ok takes nothing without domains or recipients_file; set one of them"},
      {"[[plugin]]\nuse = \"rcpt_ok\"\ndomain = [\"a.example\"]\nrecipients_file = \"x\"",
       "10:1: plugin.domain: no such key; did you mean 'domains'?"},
      {"[[plugin]]\nuse = \"rcpt_ok\"\ndomains = [\"a..example\"]",
       "10:12: plugin.domains: 'a..example' is not a domain: it has an empty label"},
      {"[[plugin]]\nuse = \"rcpt_ok\"\ndomains = \"a.example\"",
       "10:11: plugin.domains: expected a list, found a string"},
      {"[[plugin]]\nuse = \"rcpt_ok\"\ndomains = [\"a.example\", 3]",
       "10:25: plugin.domains: expected a domain, found an integer"},
      {"[[plugin]]\nuse = \"rcpt_accept\"\nmode = \"observe\"",
       "10:1: plugin.mode: is not available in this version; remove it"},
      {"[plugin.rcpt_ok]", ""},  // syntax: plugin is a list of blocks
  }));
  CAPTURE(row.written);
  const Lines found = lines_of(good_with(forward + row.written));
  REQUIRE_FALSE(found.empty());
  if (!row.line.empty()) CHECK(found.front() == "postern.toml:" + row.line);
  // The only line, but for the row whose list the test does not have.
  if (row.written.find("recipients_file") == std::string::npos) CHECK(found.size() == 1);
}

TEST_CASE("load: judges forward.to by its form", "[policy][load]") {
  struct Row {
    std::string to;
    std::string line;
  };
  const auto row = GENERATE(values<Row>({
      {"\"127.0.0.1:2526\"",
       "7:6: forward.to: expected a list, found a string; write [\"127.0.0.1:2526\"]"},
      {"[]", "7:6: forward.to: the list is empty; name at least one \"HOST:PORT\""},
      {"[25]", "7:7: forward.to: expected \"HOST:PORT\", found an integer"},
      {"[\"127.0.0.1\"]",
       "7:7: forward.to: '127.0.0.1' is not HOST:PORT: the port is missing; for example "
       "\"127.0.0.1:25\""},
      {"[\"127.0.0.1:0\"]",
       "7:7: forward.to: '127.0.0.1:0' is not HOST:PORT: a port is a number from 1 to 65535"},
      {"[\"127.0.0.1:65536\"]",
       "7:7: forward.to: '127.0.0.1:65536' is not HOST:PORT: a port is a number from 1 to 65535"},
      {"[\"127.0.0:25\"]",
       "7:7: forward.to: '127.0.0:25' is not HOST:PORT: the host is neither an address nor a name"},
      {"[\"::1:25\"]",
       "7:7: forward.to: '::1:25' is not HOST:PORT: an IPv6 address stands in brackets, for "
       "example "
       "\"[2001:db8::1]:25\""},
      {"[\"mail_1.example:25\"]",
       "7:7: forward.to: 'mail_1.example:25' is not HOST:PORT: it has a character that no domain "
       "has"},
      {"[\"127.0.0.1:2525\"]",
       "7:6: forward.to: 127.0.0.1:2525 is where we listen ourselves; messages would go in "
       "circles"},
  }));
  CAPTURE(row.to);
  CHECK(lines_of(good_with("[forward]\nto = " + row.to)) == Lines{"postern.toml:" + row.line});
}

TEST_CASE("load: refuses host names longer than a resolver takes, before it asks one",
          "[policy][load]") {
  for (const std::size_t size : {254u, 255u, 256u, 257u, 1000u}) {
    std::string name;
    while (name.size() < size) name += "a.";
    name.resize(size - 1);
    name += 'a';
    const Loaded loaded = load_text(good_with("[forward]\nto = [\"" + name + ":25\"]"), true);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].text.find("it is longer than 253 octets") != std::string::npos);
  }
}

TEST_CASE("load: says what a file as a whole lacks", "[policy][load]") {
  CHECK(lines_of("hostname = \"mx.example.net\"\n") ==
        Lines{"postern.toml:1:1: listen: no [[listen]] block; say where to listen, for example "
              "[[listen]] with "
              "address = \"127.0.0.1:2525\"",
              "postern.toml:1:1: forward: no [forward] table; say who takes the messages over, for "
              "example "
              "[forward] with to = [\"127.0.0.1:2526\"]",
              "postern.toml:1:1: plugin: no [[plugin]] takes recipients; only mail to "
              "mx.example.net is "
              "accepted. Add one with use = \"rcpt_ok\""});
  CHECK(lines_of(good_with("[forward]\n")) ==
        Lines{"postern.toml:6:2: forward: neither to nor maildir; set to = [\"127.0.0.1:2526\"] or "
              "maildir = "
              "\"PATH\""});
}

TEST_CASE("load: lives without plugins, but says so", "[policy][load]") {
  const Loaded loaded = load_text(std::string("hostname = \"mx.example.net\"\n") +
                                  "[[listen]]\naddress = \"127.0.0.1:2525\"\n" + forward);
  CHECK(loaded.usable());
  CHECK(loaded.problems.size() == 1);
}

TEST_CASE("load: refuses what is no host name", "[policy][load]") {
  struct Row {
    std::string name;
    std::string why;
  };
  const auto row =
      GENERATE(values<Row>({{"mx_1.example.net", "it has a character that no domain has"},
                            {"mx..net", "it has an empty label"},
                            {"mx.example.net.", "it has an empty label"},
                            {"-mx.example.net", "a label begins or ends with a hyphen"},
                            {"a b", "it has a character that no domain has"}}));
  CHECK(lines_of(
            fmt::format("[[plugin]]\nuse = \"rcpt_accept\"\n[[listen]]\naddress = \"[::1]:0\"\n{}"
                        "[log]\n",
                        forward)) == Lines{});
  CHECK(lines_of(fmt::format(
            "hostname = \"{}\"\n[[plugin]]\nuse = \"rcpt_accept\"\n[[listen]]\naddress = "
            "\"[::1]:0\"\n{}",
            row.name, forward)) ==
        Lines{fmt::format("postern.toml:1:12: hostname: '{}' is not a host name: {}; for example "
                          "\"mx.example.net\"",
                          row.name, row.why)});
}

TEST_CASE("load: tells the place of a syntax error, and nothing that only follows from it",
          "[policy][load]") {
  const Lines found = lines_of("hostname = \"mx.example.net\"\n[[listen]\naddress = 1\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("postern.toml:2:"));
  CHECK(lines_of("a = 1\na = 2\n").at(0).starts_with("postern.toml:2:"));
  CHECK(lines_of("hostname = mx.example.net\n").at(0).starts_with("postern.toml:1:12: "));
  CHECK_FALSE(load_text("hostname = \"a\xff\"\n").usable());
  CHECK_FALSE(load_text(std::string("\0", 1)).usable());
  CHECK_FALSE(load_text(std::string(100'000, '[')).usable());
}

TEST_CASE("load: tells every mistake at once, in order, and stops at twenty", "[policy][load]") {
  const Lines found = lines_of(good_with(
      std::string(forward) + "[limits]\nerrors = 0\nrecipents = 3\n[timeouts]\ndata = \"x\"\n"));
  CHECK(found ==
        Lines{"postern.toml:9:10: limits.errors: 0 is too small; at least 1",
              "postern.toml:10:1: limits.recipents: no such key; did you mean 'recipients'?",
              "postern.toml:12:8: timeouts.data: 'x' is not a whole number with a unit, for "
              "example \"10s\""});
  std::string many;
  for (int i = 0; i < 25; ++i) many += fmt::format("zzzzzz{} = 1\n", i);
  const Lines lines = lines_of(good_with(std::string(forward) + "[limits]\n" + many));
  REQUIRE(lines.size() == 21);
  CHECK(lines.back() == "postern.toml: and 5 more like these");
}

TEST_CASE("load: makes an odd key or value readable", "[policy][load]") {
  const Lines found =
      lines_of(good_with(std::string(forward) + "\"\\n\\u001b[2J\" = 1\nidentity = \"\\r\\n\""));
  REQUIRE(found.size() == 2);
  CHECK(found[0] ==
        "postern.toml:8:1: forward.\\x0a\\x1b[2J: no such key; known here: to, maildir, protocol, "
        "identity, max_connections, messages_per_connection, keep_idle, timeouts");
  CHECK(found[1].starts_with("postern.toml:9:12: forward.identity: '\\x0d\\x0a' is not \"none\""));
}

TEST_CASE("load: reads every key into its member", "[policy][load]") {
  const Loaded loaded = load_text(R"(
hostname = "mx.example.net"
workers = 3
user = "mail"
group = "adm"
bare_newline = "normalize"
drain_timeout = "2m"
[[listen]]
address = "[::1]:25"
tls = "none"
[[listen]]
address = "127.0.0.1:0"
[forward]
to = ["127.0.0.1:2526", "[2001:db8::1]:25", "mail.example.net:25"]
protocol = "smtp"
identity = "proxy-v2"
max_connections = 7
messages_per_connection = 5
keep_idle = "3s"
timeouts = { connect = "1s", greeting = "2s", mail = "3s", rcpt = "4s", data = "5s", block = "6s", final = "7s" }
[limits]
message_size = "10MB"
header_size = "100KB"
recipients = 200
errors = 5
messages = 6
sessions = 7
memory_per_message = "64KiB"
received = 50
[timeouts]
command = "10s"
block = "20s"
data = "30s"
[spool]
directory = "spool"
[log]
target = "file:log/postern.log"
level = "debug"
format = "text"
[[plugin]]
use = "rcpt_ok"
domains = ["Example.NET", ".example.org"]
)");
  CHECK(loaded.lines() == Lines{});
  const Configuration& c = loaded.configuration;
  using namespace std::chrono_literals;
  CHECK(c.hostname == "mx.example.net");
  CHECK(c.workers == 3);
  CHECK(c.user == "mail");
  CHECK(c.group == "adm");
  CHECK(c.bare_newline == BareNewline::normalize);
  CHECK(c.drain_timeout == 120s);
  REQUIRE(c.listen.size() == 2);
  CHECK(c.listen[0].address.text() == "[::1]:25");
  CHECK(c.listen[1].address.text() == "127.0.0.1:0");
  REQUIRE(c.forward.to.addresses.size() == 2);  // the name is left out when names are not resolved
  CHECK(c.forward.to.addresses[1].text() == "[2001:db8::1]:25");
  CHECK(c.forward.to.names == Lines{"127.0.0.1:2526", "[2001:db8::1]:25", "mail.example.net:25"});
  CHECK(c.forward.identity == Identity::proxy_v2);
  CHECK(c.forward.max_connections == 7);
  CHECK(c.forward.messages_per_connection == 5);
  CHECK(c.forward.keep_idle == 3s);
  CHECK(c.forward.timeouts.connect == 1s);
  CHECK(c.forward.timeouts.greeting == 2s);
  CHECK(c.forward.timeouts.mail == 3s);
  CHECK(c.forward.timeouts.rcpt == 4s);
  CHECK(c.forward.timeouts.data == 5s);
  CHECK(c.forward.timeouts.block == 6s);
  CHECK(c.forward.timeouts.final == 7s);
  CHECK(c.limits.message_size.octets == 10'000'000);
  CHECK(c.limits.header_size.octets == 100'000);
  CHECK(c.limits.recipients == 200);
  CHECK(c.limits.errors == 5);
  CHECK(c.limits.messages == 6);
  CHECK(c.limits.sessions == 7);
  CHECK(c.limits.memory_per_message.octets == 65'536);
  CHECK(c.limits.received == 50);
  CHECK(c.timeouts.command == 10s);
  CHECK(c.timeouts.block == 20s);
  CHECK(c.timeouts.data == 30s);
  CHECK(c.spool.directory.text == "/etc/postern/spool");
  CHECK(c.log.target.kind == LogTarget::Kind::file);
  CHECK(c.log.target.path == "/etc/postern/log/postern.log");
  CHECK(c.log.level == LogLevel::debug);
  CHECK(c.log.format == LogFormat::text);
  using Answer = RecipientTable::Answer;
  CHECK(loaded.recipients.look("a", "example.net") == Answer::accepted);
  CHECK(loaded.recipients.look("a", "x.example.org") == Answer::accepted);
  CHECK(loaded.recipients.look("a", "mx.example.net") == Answer::accepted);
  CHECK(loaded.recipients.look("a", "example.com") == Answer::relaying_denied);
}

TEST_CASE("load: looks a name up once, when asked to", "[policy][load]") {
  const Loaded loaded =
      load_text(good_with("[forward]\nto = [\"localhost:2526\", \"127.0.0.2:25\"]\n"), true);
  CHECK(loaded.lines() == Lines{});
  const auto& addresses = loaded.configuration.forward.to.addresses;
  REQUIRE(addresses.size() >= 2);
  CHECK(addresses.front().ip.is_loopback());
  CHECK(addresses.front().port == 2526);
  CHECK(addresses.back().text() == "127.0.0.2:25");
}

TEST_CASE("load: looks at users and folders when asked to", "[policy][load]") {
  const std::string text = "user = \"no-such-user-here\"\n" +
                           good_with(
                               "[forward]\nmaildir = \"/nonexistent/x/mail\"\n[spool]\ndirectory = "
                               "\"/nonexistent\"\n");
  CHECK(lines_of(text) == Lines{});
  CHECK(load_text(text, true).lines() ==
        Lines{"postern.toml:1:8: user: no user 'no-such-user-here' on this system",
              "postern.toml:8:11: forward.maildir: /nonexistent/x: No such file or directory; make "
              "it, and let "
              "our user write to it",
              "postern.toml:10:13: spool.directory: /nonexistent: No such file or directory; name "
              "a folder that "
              "we may write to"});
}

TEST_CASE("load: joins tables and blocks of included files, and refuses a key that stands twice",
          "[policy][load]") {
  Bundle bundle =
      Bundle::of("postern.toml", "/etc/postern", good_with("[forward]\nidentity = \"none\"\n"));
  bundle.files.push_back(
      {File::Kind::settings, "conf.d/a.toml",
       "[forward]\nto = [\"127.0.0.1:2526\"]\nidentity = \"xclient\"\n[[listen]]\naddress = "
       "\"127.0.0.1:2587\"\n",
       ""});
  const Loaded loaded = load(bundle, {false});
  CHECK(loaded.lines() ==
        Lines{"conf.d/a.toml:3:1: forward.identity: is also set in postern.toml:7; a key "
              "stands in one file only"});
  CHECK(loaded.configuration.listen.size() == 2);
  CHECK(loaded.configuration.forward.to.addresses.size() == 1);
}

TEST_CASE("load_master: reads what the master needs and has no opinion about the rest",
          "[policy][load]") {
  const auto read = [](const std::string& text) {
    return load_master(Bundle::of("postern.toml", "/etc/postern", text));
  };
  const LoadedMaster good = read(
      "user = \"postern\"\ngroup = \"mail\"\nworkers = 2\ncolour = 1\n[forward]\nto = "
      "3\n[[listen]]\naddress = "
      "\"127.0.0.1:2525\"\n");
  CHECK(good.problems.empty());
  CHECK(good.settings.user == "postern");
  CHECK(good.settings.group == "mail");
  CHECK(good.settings.workers == 2);
  REQUIRE(good.settings.listen.size() == 1);
  CHECK(good.settings.listen[0].text() == "127.0.0.1:2525");
  const LoadedMaster bad = read("workers = \"two\"\n");
  CHECK_FALSE(bad.usable());
  REQUIRE(bad.problems.size() == 2);
  CHECK(bad.problems[1].line() ==
        "postern.toml:1:11: workers: expected an integer, found a string");
}

}  // namespace postern::policy
