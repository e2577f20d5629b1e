"""Decision records: what an administrator asks for is there, and postern-records(5) names what is written,
all of it and nothing else."""

import json
import os
import pathlib
import re
import unittest

from harness import *
from peers import ROOT

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["%s"]
[[plugin]]
use = "badmailfrom"
list = ["spammer@example.org"]
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""
MESSAGE = ("From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nSubject: =?utf-8?b?w7xiZXI=?= all\r\n"
           "Message-ID: <1@example.org>\r\n\r\nhello\r\n")


class Records(unittest.TestCase):
    def start(self):
        self.downstream = Downstream(self.addCleanup)
        return posternd(self.addCleanup, CONFIG % self.downstream.address)

    def records(self, server, event):
        lines = [json.loads(line) for line in server.log().split("\n")[:-1] if line.startswith("{")]
        return [line for line in lines if line.get("event") == event and line["helo"]]

    def talk(self, server):
        """An accepted message with a refused recipient, then a deferred one."""
        self.downstream.on("dot", lambda _: "250 2.0.0 queued as 4F2A1", times=1)
        self.downstream.on("dot", lambda _: "451 4.3.0 later", times=1)
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@example.org> SIZE=100")
            client.must(250, "RCPT TO:<b@example.test>")
            client.must(550, "RCPT TO:<c@elsewhere.example>")
            client.must(354, "DATA")
            client.send_body(MESSAGE)
            client.must(250)
            client.must(451, self.envelope_and_body(client))
            client.quit()
            self.source = client
        return wait_until(lambda: len(found := self.records(server, "transaction")) == 2 and found, "records")

    def envelope_and_body(self, client):
        client.envelope("a@example.org", ["b@example.test"])
        client.must(354, "DATA")
        client.send_body(MESSAGE)

    def test_a_transaction_tells_who_what_where_and_for_how_long(self):
        server = self.start()
        first, second = self.talk(server)
        [session] = wait_until(lambda: self.records(server, "session"), "the session's")
        told = {key: first[key] for key in (
            "client", "local", "local_port", "helo", "protocol", "reverse_path", "parameters", "outcome",
            "message_id", "from", "subject", "target", "worker", "generation")}
        self.assertEqual(told, {
            "client": "127.0.0.1", "local": "127.0.0.1", "local_port": server.port,
            "helo": "client.example.org", "protocol": "ESMTP", "reverse_path": "a@example.org",
            "parameters": "SIZE=100", "outcome": "accepted", "message_id": "<1@example.org>",
            "from": "Jürgen <j@example.org>", "subject": "über all", "target": self.downstream.address,
            "worker": "0", "generation": "1"})
        accepted, refused = first["recipients"]
        self.assertEqual((accepted["path"], accepted["code"], accepted["by"]),
                         ("b@example.test", 250, "downstream"))
        self.assertEqual((refused["path"], refused["code"], refused["by"]),
                         ("c@elsewhere.example", 550, "core:relaying"))
        self.assertEqual(first["reply"], {"code": 250, "enhanced": "2.0.0", "text": "queued as 4F2A1",
                                          "by": "downstream"})
        self.assertEqual((second["outcome"], second["reply"]["text"]), ("refused", "later"))
        self.assertLessEqual(0, first["handover_us"])
        self.assertLessEqual(first["handover_us"], first["us"])
        self.assertEqual(first["session"], session["id"])
        self.assertTrue(first["id"].startswith(session["id"] + "."))
        self.assertEqual((session["ending"], session["transactions"], session["accepted"]), ("quit", 2, 1))
        self.assertEqual(session["local_port"], server.port)

    def test_hostile_text_stays_one_line_of_json(self):
        server = self.start()
        with Client(server.port) as client:
            client.hello()
            client.envelope("a@example.org", ["b@example.test"])
            client.must(354, "DATA")
            client.send_body("Subject: \x1b[2J`x` " + "x" * 3000 + "\r\nMessage-ID: a\tb\"\\\r\n\r\nx\r\n")
            client.must(250)
        [record] = wait_until(lambda: self.records(server, "transaction"), "the record")
        self.assertLessEqual(len(record["subject"]), 1100)
        self.assertNotIn("\x1b", server.log())


class Manual(unittest.TestCase):
    """By text: the names that the source writes, and those of the page."""
    page = (ROOT / "man/postern-records.5.scd").read_text(encoding="utf-8")
    sources = ["lib/postern/session/record.cpp", "lib/postern/session/trail.cpp",
               "lib/postern/session/hearing.cpp"]

    def written(self):
        text = "".join((ROOT / name).read_text(encoding="utf-8") for name in self.sources)
        names = set(re.findall(r'\.(?:key|begin|begin_array)\("(\w+)"\)', text))
        daemon = (ROOT / "daemon/worker_process.cpp").read_text(encoding="utf-8")
        return names | set(re.findall(r'\{"(\w+)", std::to_string\(orders', daemon))

    def documented(self):
        return {name.replace("\\", "") for name in re.findall(r"(?m)^\*([\w\\]+)\*$", self.page)}

    def test_every_name_that_is_written_is_documented_and_no_other(self):
        self.assertEqual(self.documented(), self.written())


if __name__ == "__main__":
    unittest.main()
