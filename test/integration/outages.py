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
        traffic = Traffic(self.addCleanup, CLIENTS, port, recipient="someone@example.net",
                          source=CLIENT)
        self.wait_for_more(traffic.ledger.acknowledged, "mail flows")
        for begin, end in ((self.mta.kill_all, self.mta.start),
                           (lambda: self.mta.kill_all(signal.SIGSTOP),
                            lambda: self.mta.kill_all(signal.SIGCONT)),
                           (self.mta.stop, self.mta.start)):
            begin()
            self.wait_for_more(traffic.ledger.codes, "the clients are asked to come back")
            end()
            self.wait_for_more(traffic.ledger.acknowledged, "mail flows again")
        traffic.end()
        self.assertEqual({code // 100 for code in traffic.ledger.codes}, {4}, traffic.ledger.codes)
        kept = traffic.ledger.acknowledged
        wait_until(lambda: kept <= set(ids_in(self.mta.messages())),
                   f"all {len(kept)} acknowledged messages arrive")

    @staticmethod
    def wait_for_more(things, what):
        before = len(things)
        wait_until(lambda: len(things) >= before + SOME, what)
