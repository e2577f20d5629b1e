"""Several downstreams: whose mail goes where, what happens when one is gone, and who is asked about
recipients how often."""

import collections
import threading
import time
import unittest

from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = %d
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
%s
[[plugin]]
use = "rcpt_accept"
"""

MESSAGE = b"Subject: x\r\n\r\nx\r\n"


def deliver(server, *recipients):
    with Client(server.port) as client:
        client.hello()
        return client.deliver("you@example.org", recipients, MESSAGE)


class Pools(unittest.TestCase):
    def start(self, forward, workers=1):
        return posternd(self.addCleanup, CONFIG % (workers, forward))

    def test_each_domain_has_its_way(self):
        site, other = Downstream(self.addCleanup), Downstream(self.addCleanup, lmtp=True)
        server = self.start(f"""
to = ["{site.address}"]
[[forward.route]]
domains = ["other.test", ".other.test"]
to = ["{other.address}"]
protocol = "lmtp"
[[forward.route]]
domains = ["files.test"]
maildir = "files"
""")
        for recipient in ("a@example.test", "a@other.test", "a@sub.other.test", "a@files.test"):
            self.assertEqual(deliver(server, recipient).code, 250)
        self.assertEqual([each.recipients for each in site.ledger], [["<a@example.test>"]])
        self.assertEqual([each.recipients for each in other.ledger],
                         [["<a@other.test>"], ["<a@sub.other.test>"]])
        self.assertEqual(len(server.messages("files")), 1)
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<you@example.org>")
            client.must(250, "RCPT TO:<a@example.test>")
            self.assertTrue(client.must(450, "RCPT TO:<a@other.test>").text.startswith("4.5.3"))

    def test_shares_and_the_loss_of_one(self):
        one, two, spare = (Downstream(self.addCleanup) for _ in range(3))
        server = self.start(f"""
to = [{{ address = "{one.address}", weight = 1 }}, {{ address = "{two.address}", weight = 2 }}, "{spare.address}"]
messages_per_connection = 1
""")
        for _ in range(12):
            self.assertEqual(deliver(server, "a@example.test").code, 250)
        self.assertEqual([len(each.ledger) for each in (one, two, spare)], [4, 8, 0])
        two.refuse()
        for _ in range(6):
            self.assertEqual(deliver(server, "a@example.test").code, 250)
        self.assertEqual([len(each.ledger) for each in (one, two, spare)], [10, 8, 0])
        one.refuse()
        self.assertEqual(deliver(server, "a@example.test").code, 250)
        self.assertEqual(len(spare.ledger), 1)
        two.listen()
        wait_until(lambda: deliver(server, "a@example.test").code == 250 and len(two.ledger) > 8,
                   "the one that is back gets mail again")

    def test_a_downstream_with_a_limit_of_connections_gets_all_mail(self):
        downstream = Downstream(self.addCleanup)

        def greet(connection):
            if downstream.open_connections > 3:
                connection.send(b"421 4.7.0 too many connections\r\n")
                raise Gone
            return "220 downstream.example ready"

        downstream.on("greeting", greet)
        server = self.start(f'to = ["{downstream.address}"]\nmessages_per_connection = 3')
        codes = collections.Counter()

        def send():
            for _ in range(5):
                codes[deliver(server, "a@example.test").code] += 1

        clients = [threading.Thread(target=send) for _ in range(10)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(2 * LIMIT)
        self.assertEqual(codes, {250: 50})
        self.assertEqual(len(downstream.ledger), 50)

    def test_a_dictionary_attack_is_answered_here(self):
        downstream = Downstream(self.addCleanup)
        asked, fault_at, lock = collections.Counter(), downstream.fault, threading.Lock()

        def count(phase):
            with lock:
                asked[phase] += 1
            return fault_at(phase)

        downstream.fault = count
        downstream.on("rcpt", faults.say("550 5.1.1 no such user"))
        server = self.start(f"""
to = ["{downstream.address}"]
verify_recipients = true
verify = {{ probes = 20, senders = ["<>"] }}
""", workers=2)
        began, codes = time.monotonic(), collections.Counter()

        def attack(first):
            with Client(server.port) as client:
                client.hello()
                client.must(250, "MAIL FROM:<you@example.org>")
                for number in range(first, 10_000, 20):
                    codes[client.command(f"RCPT TO:<victim{number}@example.test>").code] += 1

        attackers = [threading.Thread(target=attack, args=(first,)) for first in range(20)]
        for attacker in attackers:
            attacker.start()
        for attacker in attackers:
            attacker.join(2 * LIMIT)
        seconds = time.monotonic() - began
        self.assertEqual(codes[550] + codes[450], 10_000)
        # A probe is a transaction; the first ones also ask about a recipient who cannot exist.
        self.assertLessEqual(asked["mail"], 20 + 20 * seconds)
        self.assertLessEqual(asked["rcpt"], 2 * asked["mail"])
        self.assertGreater(codes[450], 9_000 - 20 * seconds)


if __name__ == "__main__":
    unittest.main()
