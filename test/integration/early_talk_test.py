"""What a client says before it is greeted is answered, and noted in the session's record."""

import json
import os
import signal
import socket
import unittest

from conversation import all_arrived
from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "@DIR@/maildir"
[[plugin]]
use = "rcpt_accept"
"""


def sessions_of(server, helo):
    lines = [line for line in server.log().split("\n")[:-1] if '"event":"session"' in line]
    return [record for record in map(json.loads, lines) if record["helo"] == helo]


class EarlyTalk(unittest.TestCase):
    def setUp(self):
        self.server = posternd(self.addCleanup, CONFIG)

    def record(self, helo):
        wait_until(lambda: sessions_of(self.server, helo), "the session is on record")
        return sessions_of(self.server, helo)[0]

    def test_is_noted(self):
        (worker,) = self.server.workers()
        os.kill(worker, signal.SIGSTOP)  # so that the client has spoken before it is accepted
        try:
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=LIMIT) as client:
                client.sendall(b"EHLO early.example\r\nQUIT\r\n")
                wait_until(lambda: all_arrived(client), "it has spoken")
                os.kill(worker, signal.SIGCONT)
                answer = b"".join(iter(lambda: client.recv(4096), b""))
        finally:
            os.kill(worker, signal.SIGCONT)
        self.assertTrue(answer.startswith(b"220 "), answer)
        self.assertIn(b"\r\n221 ", answer)
        self.assertTrue(self.record("early.example").get("early_talker"))

    def test_is_not_noted_of_a_client_that_waits(self):
        with Client(self.server.port) as client:
            client.hello("patient.example")
            client.quit()
        self.assertNotIn("early_talker", self.record("patient.example"))


if __name__ == "__main__":
    unittest.main()
