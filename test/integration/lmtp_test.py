"""Mail by LMTP: to the real Dovecot, over TCP and a unix socket, and to a scripted server that answers
its recipients differently."""

import os
import unittest

from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["%s"]
protocol = "lmtp"
[[plugin]]
use = "rcpt_accept"
"""

MESSAGE = (b"From: you@example.org\r\nSubject: dots and octets\r\nMessage-Id: <1@example.org>\r\n\r\n"
           b".one dot\r\n..two\r\n gr\xc3\xbc\xc3\x9fe\r\nend\r\n")

PEOPLE = ["anna@example.test", "bert@example.test", "carl@example.test"]


def deliver(server, recipients, message=MESSAGE):
    with Client(server.port) as client:
        client.hello("client.example.org")
        return client.deliver("you@example.org", recipients, message)


@needs_dovecot
class Dovecot23(unittest.TestCase):
    def setUp(self):
        self.mta = dovecot(self.addCleanup)

    def delivered(self, user):
        wait_until(lambda: self.mta.messages(user), f"the message arrives for {user}")
        (message,) = self.mta.messages(user)
        return message

    def test_arrives_unchanged_behind_our_received_field(self):
        for user, place in (("anna", self.mta.address), ("bert", self.mta.socket)):
            with self.subTest(place):
                server = posternd(self.addCleanup, CONFIG % place)
                self.assertEqual(deliver(server, [f"{user}@example.test"]).code, 250)
                message = self.delivered(user)
                self.assertTrue(message.endswith(MESSAGE.replace(b"\r\n", b"\n")), message)
                self.assertEqual(message.count(b"(Postern) with ESMTP"), 1)
                server.stop()

    def test_many_recipients_and_messages_share_a_connection(self):
        server = posternd(self.addCleanup, CONFIG % self.mta.address)
        for _ in range(12):
            self.assertEqual(deliver(server, PEOPLE).code, 250)
        for user in ("anna", "bert", "carl"):
            self.assertEqual(len(self.mta.messages(user)), 12)

    def test_its_refusals_of_recipients_are_relayed(self):
        server = posternd(self.addCleanup, CONFIG % self.mta.socket)
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<you@example.org>")
            reply = client.must(550, "RCPT TO:<nobody@example.test>")
            self.assertIn("5.1.1", reply.text)

    def test_stopped_and_started_again(self):
        server = posternd(self.addCleanup, CONFIG % self.mta.socket)
        self.mta.stop()
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<you@example.org>")
            self.assertTrue(client.must(451, "RCPT TO:<anna@example.test>").text.startswith("4.4.1"))


class Scripted(unittest.TestCase):
    def test_taken_for_some_comes_again_for_the_others_alone(self):
        downstream = Downstream(self.addCleanup, lmtp=True)
        server = posternd(self.addCleanup, CONFIG % downstream.address)
        downstream.on("dot", faults.say("552 5.2.2 his mailbox is full"), times=1, after=1)
        people = ["a@example.test", "b@example.test"]
        self.assertEqual(deliver(server, people).code, 451)
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<you@example.org>")
            client.must(250, "RCPT TO:<a@example.test>")
            client.must(450, "RCPT TO:<b@example.test>")
            client.must(354, "DATA")
            client.send_body(MESSAGE)
            client.must(250)
        self.assertEqual([each.recipients for each in downstream.ledger], [["<a@example.test>"]])
        downstream.on("dot", faults.say("552 5.2.2 his mailbox is full"), times=1)
        self.assertEqual(deliver(server, people[1:]).code, 552)
        self.assertEqual(len(downstream.ledger), 1)


if __name__ == "__main__":
    unittest.main()
