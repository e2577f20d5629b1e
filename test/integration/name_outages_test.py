"""Names by way of real servers, in the middle of whose work something happens: Postern asks Unbound, that asks
rbldnsd for the block list and NSD for the clients' names."""

import itertools
import signal
import unittest

from harness import *
from nameserver import needs_nsd, needs_rbldnsd, needs_unbound, nsd, rbldnsd, unbound

# Networks of clients. Each address is used once: no cache knows anything of it.
LISTED, UNLISTED = "127.1", "127.2"
TEXT = "Spam came from here"

ZONE = """$TTL 1
@ SOA ns.example.test. host.example.test. 1 3600 600 86400 1
@ NS ns.example.test.
"""
ZONES = {"127.in-addr.arpa": ZONE + "* PTR client.example.test.\n",
         "example.test": ZONE + "ns A 127.0.0.1\nclient A 127.0.0.1\n"}

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "@DIR@/maildir"
[dns]
servers = ["%s"]
timeout = "500ms"
tries = 2
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
[[plugin]]
use = "fcrdns"
require = "name"
on_error = "defer"
enforce_at = "rcpt"
[[plugin]]
use = "dnsbl"
zones = ["bl.test"]
on_error = "defer"
"""


@needs_nsd
@needs_rbldnsd
@needs_unbound
class NameOutages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        keep = cls.addClassCleanup
        cls.servers = {"list": rbldnsd(keep, "bl.test", [LISTED + ".0.0/16"], TEXT),
                       "names": nsd(keep, ZONES)}
        stubs = dict.fromkeys(ZONES, cls.servers["names"].address)
        cls.servers["resolver"] = unbound(keep, {"bl.test": cls.servers["list"].address, **stubs})
        cls.postern = posternd(keep, CONFIG % cls.servers["resolver"].address)
        cls.hosts = itertools.count()

    def rcpt(self, network):
        """The reply to a client whom nobody has heard of."""
        high, low = divmod(next(self.hosts), 250)
        with Client(self.postern.port, source=f"{network}.{high}.{low + 1}") as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@example.org>")
            reply = client.command("RCPT TO:<b@example.test>")
            client.quit()
        return reply

    def wait_for(self, network, code, what):
        return wait_until(lambda: self.rcpt(network).code == code, what)

    def wait_for_good_times(self):
        self.wait_for(UNLISTED, 250, "who is not listed passes")
        self.wait_for(LISTED, 550, "who is listed does not")

    def outages_of(self, which):
        def kill():
            self.servers[which].kill_all()

        def stop():
            self.servers[which].stop()

        def start():
            self.servers[which] = self.servers[which].again()

        def pause():
            self.servers[which].kill_all(signal.SIGSTOP)

        def go_on():
            self.servers[which].kill_all(signal.SIGCONT)

        self.wait_for_good_times()
        for begin, end in ((kill, start), (pause, go_on), (stop, start)):
            begin()
            for network in (UNLISTED, LISTED):
                self.assertEqual(self.rcpt(network).code // 100, 4)
            end()
            self.wait_for_good_times()

    def test_an_outage_of_the_block_list_is_a_deferral_and_passes(self):
        self.outages_of("list")

    def test_an_outage_of_the_authoritative_server_is_a_deferral_and_passes(self):
        self.outages_of("names")

    def test_an_outage_of_the_resolver_is_a_deferral_and_passes(self):
        self.outages_of("resolver")


if __name__ == "__main__":
    unittest.main()
