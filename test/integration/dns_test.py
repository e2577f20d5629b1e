"""The resolver against real name servers: NSD, which knows its zones, and Unbound, which asks it."""

import json
import os
import subprocess
import time
import unittest

from harness import *
from nameserver import free_udp_port, needs_nsd, needs_unbound, nsd, unbound
from peers import ROOT

LONG = "x" * 255
LISTED = "127.0.0.2"

EXAMPLE = f"""$ORIGIN example.test.
$TTL 300
@ SOA ns host 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
@ MX 20 second
@ MX 10 First
@ TXT "v=spf1 ip4:192.0.2." "1 -all"
null MX 0 .
first A 192.0.2.1
first AAAA 2001:db8::1
second A 192.0.2.2
second A 192.0.2.3
alias CNAME first
dangling CNAME nowhere
far CNAME first.elsewhere.invalid.
short 5 A 192.0.2.4
long TXT {' '.join(f'"{LONG}"' for _ in range(120))}
quoted TXT "a\\"b\\000c"
""" + "\n".join(f"many A 10.0.{i // 256}.{i % 256}" for i in range(500)) + "\n"

LIST = f"""$ORIGIN bl.test.
$TTL 300
@ SOA ns host 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
2.0.0.127 A {LISTED}
2.0.0.127 TXT "test entry"
9.2.0.192 A 127.255.255.254
8.2.0.192 A 198.51.100.1
b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2 A 127.0.0.4
"""

REVERSE = """$ORIGIN 2.0.192.in-addr.arpa.
$TTL 300
@ SOA ns.example.test. host.example.test. 1 3600 600 86400 60
@ NS ns.example.test.
1 PTR first.example.test.
1 PTR Second.example.test.
2 CNAME 2.0/25
2.0/25 PTR second.example.test.
3 PTR a\\"b.example.test.
"""

ZONES = {"example.test": EXAMPLE, "bl.test": LIST, "2.0.192.in-addr.arpa": REVERSE}


def lookup(server, *what, limit=60):
    """Gives one answer for each pair of words, and the resolver's counters."""
    program = os.environ.get("POSTERN_LOOKUP", ROOT / "build/release/test/tools/lookup")
    done = subprocess.run([str(program), server, *what], capture_output=True, text=True,
                          timeout=limit, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"lookup ended with {done.returncode}: {done.stderr}")
    *answers, counters = map(json.loads, done.stdout.splitlines())
    return answers, counters


class Answers:
    """What both servers must be understood in. `server` is where to ask."""

    def ask(self, *what):
        answers, _ = lookup(self.server, *what)
        return answers if len(what) > 2 else answers[0]

    def records(self, *what):
        answer = self.ask(*what)
        self.assertNotIn("error", answer)
        self.assertTrue(answer["exists"])
        return answer["records"]

    def test_records_of_each_type(self):
        self.assertEqual(self.records("a", "First.Example.Test."), ["192.0.2.1"])
        self.assertEqual(sorted(self.records("a", "second.example.test")),
                         ["192.0.2.2", "192.0.2.3"])
        self.assertEqual(self.records("aaaa", "first.example.test"), ["2001:db8::1"])
        self.assertEqual(self.records("mx", "example.test"),
                         ["10 first.example.test", "20 second.example.test"])
        self.assertEqual(self.records("mx", "null.example.test"), ["0 "])
        self.assertEqual(self.records("txt", "example.test"), ["v=spf1 ip4:192.0.2.1 -all"])
        self.assertEqual(self.records("txt", "quoted.example.test"), ['a"b\0c'])
        self.assertEqual(sorted(self.records("ptr", "192.0.2.1")),
                         ["first.example.test", "second.example.test"])

    def test_time_to_live(self):
        self.assertEqual(self.ask("a", "short.example.test")["ttl"], 5)
        for name, kind in (("none.example.test", "a"), ("first.example.test", "mx")):
            self.assertLessEqual(self.ask(kind, name)["ttl"], 60)  # the SOA record's minimum

    def test_nothing_there(self):
        no_data, no_name = self.ask("mx", "first.example.test", "a", "none.example.test")
        self.assertEqual((no_data["exists"], no_data["records"]), (True, []))
        self.assertEqual((no_name["exists"], no_name["records"]), (False, []))

    def test_aliases(self):
        self.assertEqual(self.records("a", "alias.example.test"), ["192.0.2.1"])
        self.assertEqual(self.ask("a", "dangling.example.test")["exists"], False)
        self.assertEqual(self.records("ptr", "192.0.2.2"), ["second.example.test"])  # RFC 2317

    def test_long_answers_come_by_tcp(self):
        self.assertEqual(self.records("txt", "long.example.test"), [LONG * 120])
        self.assertEqual(len(set(self.records("a", "many.example.test"))), 500)

    def test_a_host_with_a_quote_in_its_name(self):
        self.assertEqual(self.ask("ptr", "192.0.2.3")["error"], "malformed")

    def test_reverse_and_forward(self):
        self.assertEqual(self.ask("reverse", "192.0.2.1")["confirmed"], ["first.example.test"])
        self.assertEqual(self.ask("reverse", "192.0.2.2")["confirmed"], ["second.example.test"])
        self.assertEqual(self.ask("reverse", "192.0.2.77")["names"], [])

    def test_lists(self):
        listed, other, refusing, gone, six = self.ask(
            "listing", "2.0.0.127.bl.test", "listing", "1.0.0.127.bl.test",
            "listing", "9.2.0.192.bl.test", "listing", "8.2.0.192.bl.test", "listing",
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.test")
        self.assertEqual((listed, other, six), ({"listed": True}, {"listed": False}, {"listed": True}))
        self.assertEqual((refusing["error"], gone["error"]), ("malformed", "malformed"))
        self.assertIn("127.255.255.254", refusing["text"])

    def test_many_at_a_time(self):
        names = [word for i in range(300) for word in ("txt", f"n{i % 150}.example.test")]
        answers, counters = lookup(self.server, *names)
        self.assertTrue(all(answer["exists"] is False for answer in answers))
        self.assertEqual((counters["asked"], counters["joined"], counters["sent"]), (300, 150, 150))

    def test_a_dead_server_before_it(self):
        answers, counters = lookup(f"127.0.0.1:{free_udp_port()},{self.server}",
                                   "a", "first.example.test")
        self.assertEqual(answers[0]["records"], ["192.0.2.1"])
        self.assertEqual(counters["sent"], 2)


@needs_nsd
class Authoritative(Answers, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = nsd(cls.addClassCleanup, ZONES).address

    def test_a_zone_it_does_not_serve(self):
        self.assertEqual(self.ask("a", "elsewhere.invalid")["error"], "servfail")  # REFUSED


@needs_nsd
@needs_unbound
class Recursive(Answers, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = nsd(cls.addClassCleanup, ZONES)
        zones = {zone: cls.authority.address for zone in [*ZONES, "lame.test"]}
        cls.server = unbound(cls.addClassCleanup, zones).address

    def test_a_zone_whose_servers_do_not_serve_it(self):
        self.assertEqual(self.ask("a", "any.lame.test")["error"], "servfail")

    def test_what_is_left_of_the_time_to_live(self):
        first = self.ask("a", "second.example.test")["ttl"]
        time.sleep(1.1)
        self.assertLess(self.ask("a", "second.example.test")["ttl"], first)


if __name__ == "__main__":
    unittest.main()
