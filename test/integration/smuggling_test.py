"""SMTP smuggling against the real Postfix (CVE-2023-51764): as Debian ships it, Postfix takes LF.LF for
the end of data. Behind Postern the same octets carry one message or none."""

import unittest

from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = 1
bare_newline = "%s"
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["127.0.0.1:%d"]
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""

SMUGGLED = (b"From: a@example.org\r\nSubject: first\r\n\r\nbody\n.\n"
            b"MAIL FROM:<admin@smuggled.example>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n"
            b"From: admin@smuggled.example\r\nSubject: second\r\n\r\nsmuggled\r\n.\r\n")


def send_attack(port):
    """The code that the end of data gets."""
    with Client(port) as client:
        client.hello()
        client.envelope("a@example.org", ["b@example.test"])
        client.must(354, "DATA")
        client.send(SMUGGLED)
        return client.reply().code


@needs_postfix
class Smuggling(unittest.TestCase):
    def setUp(self):
        self.postfix = postfix(self.addCleanup)

    def senders(self):
        return [message.split(b"Return-Path: <", 1)[1].split(b">", 1)[0]
                for message in self.postfix.messages()]

    def test_postfix_alone_takes_two_messages(self):
        self.assertEqual(send_attack(self.postfix.port), 250)
        wait_until(lambda: len(self.postfix.messages()) == 2, "both messages arrive")
        self.assertIn(b"admin@smuggled.example", self.senders())

    def test_postern_refuses_the_message(self):
        server = posternd(self.addCleanup, CONFIG % ("reject", self.postfix.port))
        self.assertEqual(send_attack(server.port), 550)
        self.assert_only_the_control_arrives(server)

    def test_postern_that_normalizes_forwards_one_message(self):
        server = posternd(self.addCleanup, CONFIG % ("normalize", self.postfix.port))
        self.assertEqual(send_attack(server.port), 250)
        wait_until(self.postfix.messages, "the message arrives")
        (message,) = self.postfix.messages()
        self.assertIn(b"MAIL FROM:<admin@smuggled.example>", message)
        self.assertIn(b"\n.\n", message)  # a line of one dot, which was stuffed on the wire
        self.assertNotIn(b"admin@smuggled.example", self.senders())

    def assert_only_the_control_arrives(self, server):
        """A good message sent afterwards arrives, and nothing before it did."""
        with Client(server.port) as client:
            client.hello()
            reply = client.deliver("a@example.org", ["b@example.test"], "Subject: control\r\n\r\nx\r\n")
            self.assertEqual(reply.code, 250)
        wait_until(self.postfix.messages, "the control arrives")
        (message,) = self.postfix.messages()
        self.assertIn(b"Subject: control", message)


if __name__ == "__main__":
    unittest.main()
