#include <postern/policy/load.hpp>

#include <fmt/format.h>

#include "builtin_catalog.hpp"
#include "catch.hpp"
#include "files_in_memory.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
TEST_CASE("load: says what a file as a whole lacks", "[policy][load]") {
  CHECK(lines_of("hostname = \"mx.example.net\"\n") ==
        Lines{"postern.toml:1:1: listen: no [[listen]] block; say where to listen, for example "
              "[[listen]] with "
              "address = \"127.0.0.1:2525\"",
              "postern.toml:1:1: forward: no [forward] table; say who takes the messages over, for "
              "example "
              "[forward] with to = [\"127.0.0.1:2526\"]",
              "postern.toml:1:1: plugin: no [[plugin]] takes recipients, so all mail is refused as "
              "relaying. Add one with use = \"rcpt_ok\""});
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

TEST_CASE("load: lives with tables that have no effect yet, but says so", "[policy][load]") {
  const Loaded loaded = load_text(good_with(forward) + "[metrics]\nlisten = \"127.0.0.1:9925\"\n");
  CHECK(loaded.usable());
  CHECK(loaded.lines() == Lines{"postern.toml:8:2: metrics: has no effect in this version"});
}

TEST_CASE("load: the state store lies beside the file, or where the packaged unit has it",
          "[policy][load]") {
  const auto folder = [](const char* root, const char* at, const char* text) {
    return state_settings(Bundle::of(root, at, text)).path.text;
  };
  CHECK(folder("postern.toml", "/etc/postern", "") == "/var/lib/postern/state");
  CHECK(folder("other.toml", "/etc/postern", "") == "/etc/postern/other.state");
  CHECK(folder("postern.toml", "/srv/mail", "") == "/srv/mail/postern.state");
  CHECK(folder("postern.toml", "/srv/mail", "[state]\npath = \"s\"\n") == "/srv/mail/s");
  const Loaded loaded = load_text(good_with(forward) + "[state]\nurl = \"redis://localhost\"\n");
  CHECK_FALSE(loaded.usable());
  CHECK(loaded.lines().size() == 1);
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

TEST_CASE("load: survives a file that is cut anywhere", "[policy][load]") {
  const std::string whole = read_text(POSTERN_SOURCE_ROOT "/conf/postern.toml");
  for (std::size_t size = 0; size < whole.size(); size += 23) {
    CAPTURE(size);
    for (const std::string& line : lines_of(whole.substr(0, size))) {
      CHECK(line.starts_with("postern.toml:"));
      CHECK(line.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("load: refuses keys nested so deep that their tables would exhaust the stack",
          "[policy][load]") {
  std::string deep = "\n";
  for (int i = 0; i < 100'000; ++i) deep += "a.";
  CHECK(lines_of(deep + "a = 1\n") == Lines{"postern.toml:2:1: more than 200 dots in a row"});
}

TEST_CASE("load: reads a list that two blocks name only once", "[policy][load]") {
  const std::string block = "[[plugin]]\nuse = \"rcpt_ok\"\nrecipients_file = \"recipients\"\n";
  Bundle bundle = Bundle::of("postern.toml", "/etc/postern",
                             good_with(forward + block + block + "name = \"rcpt_ok:again\"\n"));
  bundle.files.push_back({File::Kind::list, "/etc/postern/recipients", "nobody\n", ""});
  CHECK(load(bundle, builtin_catalog(), {false}).problems.size() == 1);
}

TEST_CASE("load: makes an odd key or value readable", "[policy][load]") {
  const Lines found =
      lines_of(good_with(std::string(forward) + "\"\\n\\u001b[2J\" = 1\nidentity = \"\\r\\n\""));
  REQUIRE(found.size() == 2);
  CHECK(found[0] == "postern.toml:8:1: forward.\\x0a\\x1b[2J: no such key; see postern.toml(5)");
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
verify_recipients = true
verify = { senders = ["probe@mx.example.net", "<>"], positive = "2d", negative = "1h", probes = 3, beyond = "pass" }
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
[dns]
servers = ["127.0.0.1:5353", "[2001:db8::53]:53"]
timeout = "250ms"
tries = 2
cache_entries = 1000
cache_size = "1MiB"
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
  REQUIRE(c.forward.to.servers.size() == 2);  // the name is left out when names are not resolved
  CHECK(c.forward.to.servers[1].address.text() == "[2001:db8::1]:25");
  CHECK(c.forward.verify_recipients);
  CHECK(c.forward.verify.senders == Lines{"probe@mx.example.net", "<>"});
  CHECK(c.forward.verify.positive == 48h);
  CHECK(c.forward.verify.negative == 1h);
  CHECK(c.forward.verify.probes == 3);
  CHECK(c.forward.verify.beyond == VerifyBeyond::pass);
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
  REQUIRE(c.dns.servers.size() == 2);
  CHECK(c.dns.servers[0].text() == "127.0.0.1:5353");
  CHECK(c.dns.servers[1].text() == "[2001:db8::53]:53");
  CHECK(c.dns.timeout == 250ms);
  CHECK(c.dns.tries == 2);
  CHECK(c.dns.cache_entries == 1000);
  CHECK(c.dns.cache_size.octets == 1024 * 1024);
  CHECK(c.spool.directory.text == "/etc/postern/spool");
  CHECK(c.log.target.text == "file:/etc/postern/log/postern.log");
  CHECK(c.log.level == Level::debug);
  CHECK(c.log.format == LogFormat::text);
  const auto& domains = rcpt_ok(*loaded.snapshot).domains;
  REQUIRE(domains.size() == 2);
  CHECK(domains[0].matches("example.net"));
  CHECK(domains[1].matches("x.example.org"));
}

TEST_CASE("load: looks a name up once, when asked to", "[policy][load]") {
  const Loaded loaded =
      load_text(good_with("[forward]\nto = [\"localhost:2526\", \"127.0.0.2:25\"]\n"), true);
  CHECK(loaded.lines() == Lines{});
  const auto& addresses = loaded.configuration.forward.to.servers;
  REQUIRE(addresses.size() >= 2);
  CHECK(addresses.front().address.socket.ip.is_loopback());
  CHECK(addresses.front().address.socket.port == 2526);
  CHECK(addresses.back().address.text() == "127.0.0.2:25");
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
  const Loaded loaded = load(bundle, builtin_catalog(), {false});
  CHECK(loaded.lines() ==
        Lines{"conf.d/a.toml:3:1: forward.identity: is also set in postern.toml:7; a key "
              "stands in one file only"});
  CHECK(loaded.configuration.listen.size() == 2);
  CHECK(loaded.configuration.forward.to.servers.size() == 1);
}

TEST_CASE("log.level: has the names of the log itself", "[policy][load]") {
  for (std::size_t i = 0; i < names_of(Level{}).size(); ++i)
    CHECK(names_of(Level{})[i] == name(static_cast<Level>(i)));
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
