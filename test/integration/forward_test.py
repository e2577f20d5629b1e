"""Mail through Postern to the real Postfix and Exim: unchanged save our trace field, refused with their
own words. What their administrators have to write is in with_postfix_test.py and with_exim_test.py."""

import unittest

from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["127.0.0.1:%d"]
[[plugin]]
use = "rcpt_accept"
"""

MESSAGE = ("From: you@example.org\r\nTo: someone@example.test\r\nMessage-Id: <1@example.org>\r\n"
           "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nSubject: dots and octets\r\n\r\n"
           ".one dot\r\n..two dots\r\n.\r\n gr\u00fc\u00dfe \r\n" + "x" * 900 + "\r\n\r\nend\r\n").encode()


def received_with_unix_lines(message):
    return message.replace(b"\r\n", b"\n")


class Forward:
    """What holds for any downstream; a class below starts it as self.mta."""

    def postern(self):
        return posternd(self.addCleanup, CONFIG % self.mta.port)

    def deliver(self, server):
        with Client(server.port) as client:
            client.hello("client.example.org")
            return client.deliver("you@example.org", ["someone@example.test"], MESSAGE)

    def delivered(self):
        wait_until(self.mta.messages, "the message arrives")
        (message,) = self.mta.messages()
        return message

    def test_arrives_unchanged_behind_our_received_field(self):
        server = self.postern()
        self.assertEqual(self.deliver(server).code, 250)
        message = self.delivered()
        self.assertTrue(message.endswith(received_with_unix_lines(MESSAGE)), message)
        self.assertEqual(message.count(b"(Postern) with ESMTP"), 1)

    def test_many_messages_share_a_downstream_connection(self):
        server = self.postern()
        for _ in range(25):
            self.assertEqual(self.deliver(server).code, 250)
        wait_until(lambda: len(self.mta.messages()) == 25, "all arrive")

    def test_a_large_message_through_the_spool(self):
        server = self.postern()
        body = MESSAGE + b"0123456789abcdef\r\n" * 200_000
        with Client(server.port) as client:
            client.hello()
            reply = client.deliver("you@example.org", ["someone@example.test"], body)
        self.assertEqual(reply.code, 250)
        self.assertTrue(self.delivered().endswith(received_with_unix_lines(body)))

    def test_without_a_downstream_the_client_is_asked_to_come_back(self):
        server = self.postern()
        self.mta.stop()
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<you@example.org>")
            reply = client.must(451, "RCPT TO:<someone@example.test>")
            self.assertTrue(reply.text.startswith("4.4.1"), reply.text)


@needs_postfix
class Postfix37(Forward, unittest.TestCase):
    def setUp(self):
        self.mta = postfix(self.addCleanup)


@needs_exim
class Exim496(Forward, unittest.TestCase):
    def setUp(self):
        self.mta = exim(self.addCleanup)

    def test_its_refusals_of_recipients_are_relayed(self):
        server = self.postern()
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<you@example.org>")
            client.must(550, "RCPT TO:<reject@example.test>")
            client.must(451, "RCPT TO:<defer@example.test>")
            client.must(250, "RCPT TO:<someone@example.test>")
            client.must(354, "DATA")
            client.send_body(MESSAGE)
            client.must(250)
        self.assertIn(b"dots and octets", self.delivered())


if __name__ == "__main__":
    unittest.main()
