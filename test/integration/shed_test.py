"""A dictionary attack under a daemon of two workers: its network is shed, another is not."""

import os
import subprocess
import unittest

from harness import *
from peers import posternd_path

COMMAND = os.path.join(os.path.dirname(os.path.dirname(posternd_path())), "cli", "postern")
CONFIG = """
hostname = "mx.example.test"
workers = 2
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "maildir"
[[plugin]]
use = "shed"
threshold = 30
ban_for = "1h"
[[plugin]]
use = "rcpt_ok"
recipients = ["x@example.test"]
"""
BAN = "shed/ban 127.0.0.0/24"


class Shed(unittest.TestCase):
    def state(self, *words):
        config = os.path.join(self.server.directory, "postern.toml")
        done = subprocess.run([COMMAND, "--config", config, "state", *words], capture_output=True, text=True,
                              timeout=2 * LIMIT, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def greeting(self, source):
        with Client(self.server.port, source=source) as client:
            return client.reply()

    def guess(self, number):
        """A session of the attack, from one of many addresses: the codes that it heard."""
        with Client(self.server.port, source=f"127.0.0.{1 + number % 200}") as client:
            greeting = client.reply()
            if greeting.code != 220:
                return [greeting.code]
            client.must(250, "EHLO guesser.example")
            client.must(250, "MAIL FROM:<a@b.example>")
            heard = []
            while len(heard) < 3:
                reply = client.command(f"RCPT TO:<guess{number}.{len(heard)}@example.test>")
                heard.append(reply.code)
                if "Too many errors" in reply.text:  # the ban ends sessions that are open
                    break
            return heard

    def test_the_workers_share_the_ban(self):
        self.server = posternd(self.addCleanup, CONFIG)
        self.assertEqual(self.guess(0), [550, 550, 550])
        heard = []
        for number in range(1, 200):
            heard = self.guess(number)
            if heard == [554]:
                break
        self.assertEqual(heard, [554])
        # Others' updates are seen within 10 ms; a connection takes less.
        wait_until(lambda: all(self.greeting("127.0.0.250").code == 554 for _ in range(20)), "every worker knows it")
        text = self.greeting("127.0.0.250").text
        self.assertRegex(text, r"^5\.7\.1 Too many errors from 127\.0\.0\.0/24: try again in (60|59) minutes$")

        for _ in range(20):
            self.assertEqual(self.greeting("127.0.1.1").code, 220)
        with Client(self.server.port, source="127.0.1.1") as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@b.example>")
            client.must(250, "RCPT TO:<x@example.test>")
        self.assertIn(BAN, self.state("list", "shed/"))
        self.state("erase", BAN)
        wait_until(lambda: all(self.greeting("127.0.0.250").code == 220 for _ in range(20)), "it is let in again")


if __name__ == "__main__":
    unittest.main()
