"""A 250 is a promise: whatever is killed, and whenever, no acknowledged message is lost."""

import os
import random
import signal
import threading
import time
import unittest

from harness import *
from traffic import Ledger, ids_in, send_until

CLIENTS = 200
KILLS = 6
BETWEEN = CLIENTS // KILLS + 1  # messages acknowledged between two kills, however long that takes

CONFIG = """
hostname = "mx.example.test"
workers = 2
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
%s
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""


class Promise(unittest.TestCase):
    def setUp(self):
        self.ledger = Ledger()
        self.ended = threading.Event()
        self.clients = []

    def start_clients(self, server):
        self.clients = [threading.Thread(target=send_until,
                                         args=(server.port, self.ledger, self.ended, str(n)))
                        for n in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def end_clients(self):
        self.ended.set()
        for client in self.clients:
            client.join(2 * LIMIT)  # it may be waiting for a reply
        self.assertFalse(any(client.is_alive() for client in self.clients), "a client hangs")

    def deliver_under(self, server, disturb, pause):
        """200 clients deliver while `disturb` is called again and again: after `pause` seconds, or as
        much later as mail flows again."""
        self.start_clients(server)
        self.addCleanup(self.ended.set)  # or they would go on after a failure
        for kill in range(KILLS):
            before = len(self.ledger.acknowledged)
            time.sleep(pause)
            wait_until(lambda: len(self.ledger.acknowledged) >= before + BETWEEN,
                       f"mail flows after {kill} kills")
            disturb()
        self.end_clients()
        return self.ledger

    def assert_kept(self, ledger, found):
        lost = ledger.acknowledged - set(found)
        self.assertFalse(lost, f"{len(lost)} of {len(ledger.acknowledged)} acknowledged are lost")

    def kill_a_worker(self, server):
        workers = server.workers()
        if workers:
            try:
                kill_9(random.choice(workers))
            except ProcessLookupError:
                pass

    def test_killed_workers_and_a_maildir(self):
        server = posternd(self.addCleanup, CONFIG % 'maildir = "@DIR@/maildir"')
        ledger = self.deliver_under(server, lambda: self.kill_a_worker(server), 1.0)
        found = ids_in(server.messages())
        self.assert_kept(ledger, found)
        self.assertFalse(ledger.refused & set(found), "refused, and delivered all the same")

    def test_killed_workers_and_a_downstream(self):
        downstream = Downstream(self.addCleanup)
        server = posternd(self.addCleanup, CONFIG % f'to = ["{downstream.address}"]')
        ledger = self.deliver_under(server, lambda: self.kill_a_worker(server), 1.0)
        self.assert_kept(ledger, ids_in(message.octets for message in downstream.ledger))

    def test_a_downstream_that_drops_its_connections(self):
        downstream = Downstream(self.addCleanup)
        server = posternd(self.addCleanup, CONFIG % f'to = ["{downstream.address}"]')
        ledger = self.deliver_under(server, downstream.drop_all, 0.7)
        found = ids_in(message.octets for message in downstream.ledger if message.said)
        self.assert_kept(ledger, found)

    def test_a_killed_master(self):
        server = posternd(self.addCleanup, CONFIG % 'maildir = "@DIR@/maildir"')
        self.start_clients(server)
        self.addCleanup(self.ended.set)
        wait_until(lambda: len(self.ledger.acknowledged) > CLIENTS, "mail flows")
        kill_9(server.pid)
        self.end_clients()
        self.assert_kept(self.ledger, ids_in(server.messages()))

    @needs_postfix
    def test_a_killed_postfix(self):
        """Postfix's own 250s count: what it acknowledged is in its queue, and comes out of it."""
        mta = postfix(self.addCleanup)
        server = posternd(self.addCleanup, CONFIG % f'to = ["127.0.0.1:{mta.port}"]')

        def kill_its_smtpds():
            for pid in children_of(mta.pid):
                with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == "smtpd":
                        kill_9(pid)

        ledger = self.deliver_under(server, lambda: ignore_gone(kill_its_smtpds), 1.0)
        wait_until(lambda: ledger.acknowledged <= set(ids_in(mta.messages())), "Postfix delivers all")


def kill_9(pid):
    os.kill(pid, signal.SIGKILL)


def ignore_gone(action):
    try:
        action()
    except (ProcessLookupError, FileNotFoundError):
        pass


if __name__ == "__main__":
    unittest.main()
