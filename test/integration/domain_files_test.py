"""domains/DOMAIN.toml take effect without a reload: for the next transaction of a client who is there
already, too. What cannot be used changes nothing."""

import os
import pathlib
import time
import unittest

from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = 2
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["%s"]
[[plugin]]
use = "badmailfrom"
enforce_at = "rcpt"
mode = "off"
[[plugin]]
use = "rcpt_ok"
domains = ["one.test", "two.test"]
"""
STRICT = '[plugin.badmailfrom]\nmode = "on"\nlist = ["@spam.test"]\n'


class DomainFiles(unittest.TestCase):
    def setUp(self):
        self.downstream = Downstream(self.addCleanup)
        self.server = posternd(self.addCleanup, CONFIG % self.downstream.address,
                               {"domains/two.test.toml": STRICT})
        self.domains = pathlib.Path(self.server.directory, "domains")
        self.workers = children_of(self.server.pid)

    def answers(self, client):
        """What a sender who is listed for some hears for a recipient of either domain."""
        client.must(250, "MAIL FROM:<a@spam.test>")
        codes = [client.command(f"RCPT TO:<x@{domain}>").code for domain in ("one.test", "two.test")]
        client.must(250, "RSET")
        return codes

    def expect(self, *codes, why):
        wait_until(lambda: self.everybody_hears(list(codes)), why)

    def everybody_hears(self, codes):
        """Of both workers: the kernel shares clients out between them."""
        for _ in range(8):
            with Client(self.server.port) as client:
                client.hello()
                if self.answers(client) != codes:
                    return False
        return True

    def test_a_file_that_comes_changes_or_goes_counts_for_the_next_transaction(self):
        client = Client(self.server.port)
        self.addCleanup(client.close)
        client.hello()
        self.assertEqual(self.answers(client), [250, 550])
        began = time.monotonic()
        (self.domains / "one.test.toml").write_text(STRICT)
        wait_until(lambda: self.answers(client) == [550, 550], "the new file counts")
        print(f"a new file counted after {time.monotonic() - began:.2f} s")
        (self.domains / "two.test.toml").write_text(STRICT.replace("spam", "other"))
        wait_until(lambda: self.answers(client) == [550, 250], "the changed one counts")
        (self.domains / "one.test.toml").unlink()
        self.expect(250, 250, why="the removed one counts no longer")
        self.assertEqual(self.answers(client), [250, 250])
        self.assertEqual(children_of(self.server.pid), self.workers)
        self.assertIn("one.test.toml: gone; the site's settings hold", self.server.log())

    def test_what_cannot_be_used_is_told_and_changes_nothing(self):
        (self.domains / "two.test.toml").write_text(STRICT + "lisst = []\n")
        wait_until(lambda: self.server.log().count("not used") == 2, "both workers have told")
        self.assertIn("domains/two.test.toml:4:1: plugin.badmailfrom.lisst: no such key; did you mean",
                      self.server.log())
        self.assertTrue(self.everybody_hears([250, 550]))
        (self.domains / "two.test.toml").write_text("")
        self.expect(250, 250, why="mended, it counts")

    def test_a_file_of_a_list_comes_with_it_and_is_watched_from_then_on(self):
        (pathlib.Path(self.server.directory) / "bad").write_text("@spam.test\n")
        (self.domains / "one.test.toml").write_text('[plugin.badmailfrom]\nmode = "on"\nfile = "bad"\n')
        self.expect(550, 550, why="the list counts")
        (pathlib.Path(self.server.directory) / "bad").write_text("@other.test\n")
        self.expect(250, 550, why="the changed list counts")

    def test_many_at_once_and_a_folder_put_in_the_place_of_another(self):
        other = self.domains.with_name("domains.new")
        other.mkdir()
        for number in range(1500):
            (other / f"d{number}.test.toml").write_text(STRICT)
        (other / "one.test.toml").write_text(STRICT)
        self.domains.rename(self.domains.with_name("domains.old"))
        other.rename(self.domains)
        self.expect(550, 250, why="the other folder counts")
        (self.domains / "one.test.toml").unlink()
        self.expect(250, 250, why="and is listened to")

    def test_a_worker_that_replaces_another_knows_what_changed_since(self):
        (self.domains / "one.test.toml").write_text(STRICT)
        (self.domains / "two.test.toml").unlink()
        self.expect(550, 250, why="it counts")
        for worker in self.workers:
            os.kill(worker, 9)
        wait_until(lambda: len(set(children_of(self.server.pid)) - set(self.workers)) == 2, "others came")
        self.expect(550, 250, why="it still counts")


if __name__ == "__main__":
    unittest.main()
