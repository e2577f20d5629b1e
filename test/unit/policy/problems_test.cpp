// Bad configurations, and the line that each gets.
#include <fmt/format.h>

#include "catch.hpp"
#include "files_in_memory.hpp"

namespace postern::policy {

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
      {"enforce_at = \"rcpt\"",
       "8:1: forward.enforce_at: no such key; 'enforce_at' stands in [plugin_defaults] or "
       "[[plugin]]"},
      {"[spool]\nblock = \"3s\"",
       "9:1: spool.block: no such key; 'block' stands in [forward.timeouts] or [timeouts]"},
      {"[spool]\nspool = 1", "9:1: spool.spool: no such key; 'spool' is a table of its own"},
      {"[forward.timeouts]\ncolour = 1",
       "9:1: forward.timeouts.colour: no such key; known here: connect, greeting, mail, rcpt, "
       "data, block, final"},
      {"[limits]\nmessage_size = \"50\"",
       "9:16: limits.message_size: '50' needs a unit, for example \"50MiB\""},
      {"[limits]\nmessage_size = 50",
       "9:16: limits.message_size: expected a size with its unit, found an integer; for example "
       "\"50MiB\""},
      {"[limits]\nmemory_per_message = \"64\"",
       "9:22: limits.memory_per_message: '64' needs a unit, for example \"64KB\""},
      {"[limits]\nmessage_size = \"1B\"",
       "9:16: limits.message_size: \"1B\" is too small; at least \"1KB\""},
      {"[limits]\nrecipients = \"many\"",
       "9:14: limits.recipients: expected an integer, found a string"},
      {"[limits]\nrecipients = 0", "9:14: limits.recipients: 0 is too small; at least 1"},
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
       "9:11: timeouts.command: \"0s\" is too small; at least \"100ms\""},
      {"[timeouts]\ncommand = true",
       "9:11: timeouts.command: expected a duration, found true or false"},
      {"identity = \"xforwad\"",
       "8:12: forward.identity: 'xforwad' is not \"none\", \"xforward\", \"xclient\", \"proxy-v1\" "
       "or \"proxy-v2\"; "
       "did you mean \"xforward\"?"},
      {"protocol = \"exim-pipe\"",
       "7:6: forward.to: protocol = \"exim-pipe\" starts command instead of connecting; remove it"},
      {"[[program]]\nname = \"A\"\ncommand = [\"/bin/true\"]",
       "9:8: program.name: a name has lower-case letters, digits, '-' and '_', at most 64"},
      {"[[program]]\nname = \"a\"\ncommand = [\"true\"]",
       "10:11: program.command: 'true' is no absolute path"},
      {"[[program]]\nname = \"a\"\ncommand = []", "10:11: program.command: names no program"},
      {"[[program]]\nname = \"a\"\nmanner = \"exim-pipe\"\ncommand = [\"/bin/true\"]",
       "10:10: program.manner: 'exim-pipe' is not \"sendmail\", \"bsmtp\" or \"qmail-queue\""},
      {"[[program]]\nname = \"a\"\ncommand = [\"/bin/true\"]\n[[program]]\nname = \"a\"\ncommand = "
       "[\"/bin/true\"]",
       "12:8: program.name: 'a' stands twice"},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\ntls = \"starttls\"",
       "10:7: listen.tls: there is no certificate; set certificate and key in [tls]"},
      {"[tls]\nkey = \"/nowhere/k\"",
       "9:7: tls.key: a key without its certificate; set tls.certificate"},
      {"[tls]\ncertificates = \"x\"",
       "9:1: tls.certificates: no such key; did you mean 'certificate'?"},
      {"[tls]\nclient_certificates = \"require\"",
       "9:23: tls.client_certificates: \"require\" needs tls.client_ca: who signs the "
       "certificates"},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\nproxy_from = \"10.0.0.0/8\"",
       "10:14: listen.proxy_from: expected a list, found a string"},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\nxclient_from = [\"10.0.0.0/33\"]",
       "10:17: listen.xclient_from: '10.0.0.0/33': the prefix length is a number from 0 to 32"},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\nproxy_from = [\"10.1.0.0/16\", \"::1\"]\n"
       "xclient_from = [\"192.0.2.1\", \"10.0.0.0/8\"]",
       "11:16: listen.xclient_from: 10.0.0.0/8 and 10.1.0.0/16 of proxy_from overlap: clients of a "
       "balancer there may use XCLIENT themselves; list it in one of the two"},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\nproxy_from = [\"::/0\"]\n"
       "xforward_from = [\"2001:db8::1\"]",
       "11:17: listen.xforward_from: 2001:db8::1/128 and ::/0 of proxy_from overlap: clients of a "
       "balancer there may use XFORWARD themselves; list it in one of the two"},
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
       "9:9: log.level: 'warn' is not \"debug\", \"info\", \"notice\", \"warning\" or \"error\"; "
       "did you mean \"warning\"?"},
      {"[log]\ntarget = \"/var/log/postern.log\"",
       "9:10: log.target: '/var/log/postern.log' is none of \"stderr\", \"journal\", \"syslog\" or "
       "\"file:PATH\"; did you mean \"file:/var/log/postern.log\"?"},
      {"[log]\ntarget = \"sysslog\"",
       "9:10: log.target: 'sysslog' is none of \"stderr\", \"journal\", \"syslog\" or "
       "\"file:PATH\"; did you mean \"syslog\"?"},
      {"[log]\ntarget = \"file:\"",
       "9:10: log.target: 'file:' is none of \"stderr\", \"journal\", \"syslog\" or \"file:PATH\""},
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
      {"[[plugin]]\nuse = \"rcpt_ok\"\ndomains = [\"a.example\"]\nmode = \"quarantine\"",
       "11:8: plugin.mode: 'quarantine' is not available in this version; use \"on\", \"off\", "
       "\"observe\", \"tag\", \"score\" or \"defer\""},
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
      {"[\"unix:\"]", "7:7: forward.to: expected \"unix:PATH\""},
      {"[{ weight = 2 }]",
       "7:7: forward.to: 'address' is missing; write { address = \"HOST:PORT\" }"},
      {"[{ address = \"127.0.0.1:25\", weight = 0 }]",
       "7:44: forward.to: 0 is too small; at least 1"},
      {"[{ address = \"127.0.0.1:25\", wait = 1 }]",
       "7:35: forward.to: no such key here: wait; known here: address, weight"},
      {"[\"[::1]:2525\"]\n[[listen]]\naddress = \"[::]:2525\"",
       "7:6: forward.to: [::1]:2525 is where we listen ourselves; messages would go in circles"},
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
    while (name.size() < size) name += "abcdefghi.";
    name.resize(size - 1, 'a');
    name += 'a';
    const Loaded loaded = load_text(good_with("[forward]\nto = [\"" + name + ":25\"]"), true);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].text.find("it is longer than 253 octets") != std::string::npos);
  }
}

}  // namespace postern::policy
