"""What a mail server may do to us in the middle of its work: be killed, stand still, be restarted."""

import re
import signal

from guide import CLIENT
from harness import free_port, wait_until
from traffic import Traffic, ids_in

CLIENTS = 8
SOME = 10  # messages, refusals: enough to say that it flows, or does not

# So short that a server that stands still is noticed within the test.
SHORT = ('timeouts = { greeting = "1s", mail = "1s", rcpt = "1s", data = "1s", block = "1s", '
         'final = "1s" }')


class SurvivesOutages:
    """For a set-up of a guide with Postern in front: beside its Postern one with short timeouts."""

    def test_no_outage_of_the_mail_server_loses_mail_or_asks_for_a_restart(self):
        port = free_port()
        config = re.sub(r"(?m)^\[forward\]$", f"[forward]\n{SHORT}", self.files["postern.toml"])
        self.postern(self.addCleanup, config.replace(f":{self.postern_port}\"", f":{port}\""), port)
        mta = self.mta
        assert_nothing_is_lost(self, port, (
            (mta.kill_all, mta.start),
            (lambda: mta.kill_all(signal.SIGSTOP), lambda: mta.kill_all(signal.SIGCONT)),
            (mta.stop, mta.start)))


def assert_nothing_is_lost(test, port, outages):
    """Clients deliver at `port` without a pause, while each of the outages begins and ends: they hear
    nothing worse than 4xx, and what they heard 250 for arrives at the test's mail server."""
    traffic = Traffic(test.addCleanup, CLIENTS, port, recipient="someone@example.net", source=CLIENT)
    ledger = traffic.ledger
    wait_for_more(ledger.acknowledged, "mail flows")
    for begin, end in outages:
        begin()
        wait_for_more(ledger.codes, "the clients are asked to come back")
        end()
        wait_for_more(ledger.acknowledged, "mail flows again")
    traffic.end()
    test.assertEqual({code // 100 for code in ledger.codes}, {4}, ledger.codes)
    test.mta.run_queue()  # what could not go on at once
    wait_until(lambda: ledger.acknowledged <= set(ids_in(test.mta.messages())),
               f"all {len(ledger.acknowledged)} acknowledged messages arrive")


def wait_for_more(things, what):
    before = len(things)
    wait_until(lambda: len(things) >= before + SOME, what)
