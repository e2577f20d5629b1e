"""A black list is a directory of empty files: whoever touches one there refuses the next message, without
a reload; whoever removes it lets it in again. Files that a list includes are read again likewise."""

import pathlib
import unittest

from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["%s"]
[[plugin]]
use = "hosts_allow"
enforce_at = "rcpt"
per_client = 0
deny_file = "blacklisted/ips"
[[plugin]]
use = "badmailfrom"
enforce_at = "rcpt"
file = "blacklisted/senders"
domains_file = "blacklisted/domains"
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""
INCLUDING = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["%s"]
[[plugin]]
use = "badmailfrom"
enforce_at = "rcpt"
file = "bad"
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""
# Of each directory, a file that is there from the beginning, so that the directory is.
FILES = {"blacklisted/ips/192.0.2.1": "", "blacklisted/senders/nobody@b.example": "",
         "blacklisted/domains/c.example": ""}


class Lists(unittest.TestCase):
    def test_an_empty_file_is_an_entry_until_it_is_removed(self):
        downstream = Downstream(self.addCleanup)
        server = posternd(self.addCleanup, CONFIG % downstream.address, FILES)
        lists = pathlib.Path(server.directory, "blacklisted")
        self.assertEqual(self.answer(server, "x@sub.c.example"), 550)
        for name, sender in (("ips/127.0.0.1", "a@good.example"), ("senders/a@b.example", "a@b.example"),
                             ("domains/example", "a@d.example")):
            with self.subTest(name):
                self.assertEqual(self.answer(server, sender), 250)
                (lists / name).touch()
                wait_until(lambda: self.answer(server, sender) == 550, f"{name} refuses")
                (lists / name).unlink()
                wait_until(lambda: self.answer(server, sender) == 250, f"{name} refuses no longer")

    def test_included_files_are_watched_and_patterns_may_look_around(self):
        downstream = Downstream(self.addCleanup)
        files = {"bad": "@b.example\n$include more\n$include later\n",
                 "more": "^robot(?!ics@)\n^(a+)+$(?=b)\n"}
        server = posternd(self.addCleanup, INCLUDING % downstream.address, files)
        folder = pathlib.Path(server.directory)
        self.assertEqual(self.answer(server, "robot@good.example"), 550)
        self.assertEqual(self.answer(server, "robotics@good.example"), 250)
        self.assertEqual(self.answer(server, "a" * 60 + "@good.example"), 250)  # too many ways
        wait_until(lambda: "has too many ways to match" in server.log(), "it is told")
        self.assertEqual(self.answer(server, "c@c.example"), 250)
        (folder / "later").write_text("@c.example\n")
        wait_until(lambda: self.answer(server, "c@c.example") == 550, "a file that was missing")
        (folder / "more").write_text("@d.example\n")
        wait_until(lambda: self.answer(server, "d@d.example") == 550, "a file that changes")
        self.assertEqual(self.answer(server, "robot@good.example"), 250)
        self.assertEqual(self.answer(server, "b@b.example"), 550)

    def answer(self, server, sender):
        with Client(server.port) as client:
            client.hello()
            client.must(250, f"MAIL FROM:<{sender}>")
            return client.command("RCPT TO:<x@example.test>").code


FOLDER = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["%s"]
[[plugin]]
use = "virtual_rcpt_ok"
directory = "users"
"""


class Mailboxes(unittest.TestCase):
    def test_a_domains_file_comes_changes_and_goes_without_a_reload(self):
        downstream = Downstream(self.addCleanup)
        server = posternd(self.addCleanup, FOLDER % downstream.address, {"users/one.test": "anna\n"})
        users = pathlib.Path(server.directory, "users")

        def codes():
            with Client(server.port) as client:
                client.hello()
                client.must(250, "MAIL FROM:<a@b.example>")
                return [client.command(f"RCPT TO:<{to}>").code
                        for to in ("anna@one.test", "anna@two.test", "bert@two.test")]

        self.assertEqual(codes(), [250, 550, 550])
        (users / "two.test").write_text("anna\n")
        wait_until(lambda: codes() == [250, 250, 550], "a new domain is known")
        (users / "two.test").write_text("bert\n")
        wait_until(lambda: codes() == [250, 550, 250], "its file is watched")
        (users / "one.test").unlink()
        wait_until(lambda: codes() == [550, 550, 250], "a domain is gone")
        (users / "one.test").write_text("anna\n")
        wait_until(lambda: codes() == [250, 550, 250], "and back")


if __name__ == "__main__":
    unittest.main()
