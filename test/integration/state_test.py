"""The state store under a daemon of two workers, and the command that looks into it."""

import json
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
use = "greylisting"
delay = "1s"
learn = 0
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""
ENTRY = "greylisting/mail 127.0.0.0/24 a@b.example x@example.test"


class State(unittest.TestCase):
    def run_command(self, *words, stdin=""):
        config = os.path.join(self.server.directory, "postern.toml")
        return subprocess.run([COMMAND, "--config", config, *words], capture_output=True, text=True,
                              timeout=2 * LIMIT, input=stdin, check=False)

    def state(self, *words, **more):
        done = self.run_command("state", *words, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def recipient(self):
        with Client(self.server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@b.example>")
            return client.command("RCPT TO:<x@example.test>").code

    def test_what_one_worker_remembers_all_know_and_the_command_shows(self):
        self.server = posternd(self.addCleanup, CONFIG)
        self.assertEqual(self.recipient(), 451)
        wait_until(lambda: ENTRY in self.state("list"), "the entry is there")
        self.assertRegex(self.state("list", "greylisting/"), r"grey \d+  \(expires in (48h|2d)\)")
        self.assertEqual(self.state("list", "other/"), "")
        wait_until(lambda: self.recipient() == 250, "a second has passed")
        for _ in range(20):  # whichever worker it is
            wait_until(lambda: self.recipient() == 250, "every worker knows it")
        entry = json.loads(self.state("get", "--json", ENTRY))
        self.assertEqual(entry["key"], ENTRY)
        self.assertRegex(entry["value"], r"white \d+")

        dump = self.state("dump")
        self.assertEqual(self.state("erase", "--prefix", "greylisting/"), "1 erased\n")
        self.assertEqual(self.run_command("state", "get", ENTRY).returncode, 1)
        self.assertEqual(self.state("load", stdin=dump), "1 loaded\n")
        self.assertEqual(self.state("dump"), dump)
        refused = self.run_command("state", "load", stdin=dump + "nonsense\n")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("standard input:2", refused.stderr)

    def test_it_outlives_the_daemon(self):
        self.server = posternd(self.addCleanup, CONFIG)
        self.assertEqual(self.recipient(), 451)
        self.server.stop()
        self.assertIn(ENTRY, self.state("list"))

    def test_where_it_cannot_be_opened_mail_goes_on_and_status_tells(self):
        self.server = posternd(self.addCleanup, CONFIG + '[state]\npath = "postern.toml"\n')
        self.assertEqual(self.recipient(), 250)  # on_error of greylisting is next
        told = self.run_command("status").stdout
        self.assertIn("cannot use the state store", told)
        self.assertIn("state.path", self.run_command("check").stderr)


if __name__ == "__main__":
    unittest.main()
