"""The file of terse: what statistics for qpsmtpd's logterse read, from two workers, through a rotation."""

import os
import signal
import stat
import unittest

from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = 2
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "maildir"
[[plugin]]
use = "terse"
file = "terse"
time = "@TIME@"
[[plugin]]
use = "badrcptto"
list = ["bad@example.test"]
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""


def fields(line):
    """As such statistics take a line apart."""
    before, rest = line.split("`", 1)
    return before, rest.lstrip(" ").split("\t")


class Terse(unittest.TestCase):
    def start(self, time):
        self.server = posternd(self.addCleanup, CONFIG.replace("@TIME@", time))
        self.path = os.path.join(self.server.directory, "terse")

    def lines(self, path=None):
        try:
            with open(path or self.path, encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def send(self, number):
        with Client(self.server.port) as client:
            client.hello()
            client.must(250, f"MAIL FROM:<a{number}@b.example>")
            client.must(550, "RCPT TO:<bad@example.test>")
            client.must(250, "RCPT TO:<good@example.test>")
            client.must(354, "DATA")
            client.send(f"Message-ID: <{number}@b.example>\r\nSubject: s\r\n\r\nb\r\n.\r\n".encode())
            self.assertEqual(client.reply().code, 250)

    def test_a_line_each_whoever_writes_it(self):
        self.start("none")
        for number in range(20):
            self.send(number)
        wait_until(lambda: len(self.lines()) == 40, "a line for each")
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode) & ~0o640, 0)
        for number in range(20):
            of_this = [fields(line)[1] for line in self.lines() if f"<a{number}@b.example>" in line]
            denied, queued = sorted(of_this, key=lambda each: each[5])
            self.assertEqual(denied[:1] + denied[3:7], ["127.0.0.1", f"<a{number}@b.example>", "<bad@example.test>",
                                                        "badrcptto", "901"])
            self.assertEqual(denied[8:], ["msg denied before queued"])
            self.assertEqual(queued[3:], [f"<a{number}@b.example>", "<good@example.test>", "queued", "",
                                          f"<{number}@b.example>"])

    def test_a_rotation_loses_nothing(self):
        self.start("tai64n")
        self.send(1)
        wait_until(lambda: len(self.lines()) == 2, "both lines")
        os.rename(self.path, self.path + ".1")
        self.server.kill(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(self.path), "a new file")
        number = 2
        while not self.lines():  # until a worker that has heard of it serves
            self.send(number)
            number += 1
        total = 2 * (number - 1)
        wait_until(lambda: len(self.lines()) + len(self.lines(self.path + ".1")) == total, "all lines")
        self.assertRegex(self.lines()[0], r"^@40000000[0-9a-f]{16} ` 127\.0\.0\.1\t")


if __name__ == "__main__":
    unittest.main()
