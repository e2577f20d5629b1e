"""What goes in comes out, octet for octet, whoever is behind: 8-bit, UTF-8 in the envelope, 50 MB, DSN parameters, in
lines and in chunks."""

import dataclasses
import pathlib
import subprocess
import unittest

from harness import *
from peers import Exim, Postfix

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[limits]
message_size = "60MB"
[forward]
%s
[[plugin]]
use = "rcpt_accept"
"""

HEADER = ("From: you@example.org\r\nTo: someone@example.test\r\nMessage-Id: <1@example.org>\r\n"
          "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nSubject: %s\r\nMIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")

# Every octet but NUL and the line ends, then what dots can be.
EIGHT_BIT = b"".join(bytes([octet]) * 3 + b"\r\n" for octet in range(1, 256) if octet not in b"\r\n")
DOTS = b".\r\n..\r\n.one\r\n\r\n \r\n.\r\nend without a dot\r\n"
LINE = b"%07d the quick brown fox jumps over the lazy dog, and again\r\n"


@dataclasses.dataclass
class Kind:
    """A message that is not like others, and what EHLO has to offer for it."""
    name: str
    octets: bytes
    needs: str = ""
    parameters: str = ""
    sender: str = "you@example.org"
    recipient: str = "anna@example.test"
    rcpt_parameters: str = ""
    chunk: int = 0  # its octets come in chunks of so many


LARGE = HEADER.encode() % (b"large", b"us-ascii") + b"".join(LINE % i for i in range(800_000))
PLAIN = (HEADER % ("plain", "iso-8859-1")).encode() + EIGHT_BIT + DOTS
UTF8 = (HEADER % ("Gr\u00fc\u00dfe \u4f60\u597d", "utf-8")).encode() + "\u00fc \U0001f4ec\r\n".encode()

KINDS = [
    Kind("8-bit", PLAIN, "8BITMIME", " BODY=8BITMIME"),
    Kind("in chunks", PLAIN, "CHUNKING", " BODY=8BITMIME", chunk=100),
    Kind("UTF-8", UTF8, "SMTPUTF8", " SMTPUTF8 BODY=8BITMIME", sender="j\u00fcrgen@example.org",
         recipient="\u4f60\u597d@example.test"),
    Kind("UTF-8, to an old address", UTF8, "SMTPUTF8", " SMTPUTF8", sender="j\u00fcrgen@example.org"),
    Kind("50 MB", LARGE, "SIZE", f" SIZE={len(LARGE)}"),
]


def send(client, kind):
    """One transaction; the reply to its end."""
    client.must(250, f"MAIL FROM:<{kind.sender}>{kind.parameters}")
    client.must(250, f"RCPT TO:<{kind.recipient}>{kind.rcpt_parameters}")
    if not kind.chunk:
        client.must(354, "DATA")
        client.send_body(kind.octets)
        return client.reply()
    for start in range(0, len(kind.octets), kind.chunk):
        octets = kind.octets[start:start + kind.chunk]
        last = " LAST" if start + kind.chunk >= len(kind.octets) else ""
        client.send(b"BDAT %d%s\r\n" % (len(octets), last.encode()) + octets)
        reply = client.reply()
        if reply.code != 250:
            break
    return reply


class Equal:
    """A class below starts what is behind, says how it is reached, and reads what it has delivered."""
    lacks = ()  # extensions that are not offered, since it has not got them
    line_end = b"\n"  # in what it stores

    @classmethod
    def setUpClass(cls):
        cls.server = posternd(cls.addClassCleanup, CONFIG % cls.forward())
        with Client(cls.server.port) as client:  # what is behind is known from its first connection on
            client.hello()
            client.must(250, "MAIL FROM:<you@example.org>")
            client.command("RCPT TO:<anna@example.test>")

    def offered(self, client):
        return {line.split()[0] for line in client.hello()}

    def test_each_arrives_unchanged(self):
        """[line:3] [line:11] [line:12] [line:17]"""
        known = self.delivered()
        for kind in KINDS:
            with self.subTest(kind.name), Client(self.server.port) as client:
                offered = self.offered(client)
                self.assertEqual(kind.needs in offered, kind.needs not in self.lacks, offered)
                if kind.needs in self.lacks:
                    continue
                reply = send(client, kind)
                self.assertEqual(reply.code, 250, reply)
                wait_until(lambda: len(self.delivered()) == len(known) + 1, "it arrives")
                (message,) = [each for each in self.delivered() if each not in known]
                known.append(message)
                expected = kind.octets.replace(b"\r\n", self.line_end)
                trace = message[:-len(expected)]
                # Not assertEqual: who would read 50 MB?
                self.assertTrue(message[len(trace):] == expected, trace)
                self.assertEqual(trace.count(b"(Postern) with "), 1, trace)
                self.assertEqual(b"UTF8SMTP" in trace.split(b"(Postern)")[1][:60], "SMTPUTF8" in kind.parameters)

    def test_dsn_parameters_arrive_or_are_not_offered(self):
        """[line:13]"""
        kind = Kind("DSN", PLAIN, "DSN", " RET=HDRS ENVID=QQ314159", recipient="held@example.test",
                    rcpt_parameters=" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;some+2Bone@example.test")
        with Client(self.server.port) as client:
            if "DSN" in self.lacks:
                self.assertNotIn("DSN", self.offered(client))
                client.must(555, "MAIL FROM:<you@example.org>" + kind.parameters)
                return
            self.assertIn("DSN", self.offered(client))
            self.assertEqual(send(client, kind).code, 250)
        self.assert_queued_with_dsn()


class OurMaildir(Equal, unittest.TestCase):
    lacks = ("DSN",)
    line_end = b"\r\n"

    @classmethod
    def forward(cls):
        return 'maildir = "@DIR@/maildir"'

    def delivered(self):
        return self.server.messages()


@needs_dovecot
class Dovecot23(Equal, unittest.TestCase):
    lacks = ("DSN", "SMTPUTF8")

    @classmethod
    def forward(cls):
        cls.mta = dovecot(cls.addClassCleanup)
        return f'to = ["{cls.mta.socket}"]\nprotocol = "lmtp"'

    def delivered(self):
        return self.mta.messages("anna")


@needs_postfix
class Postfix37(Equal, unittest.TestCase):
    main = ("message_size_limit = 60000000\nmailbox_size_limit = 0\nvirtual_mailbox_limit = 0\n"
            "smtpd_recipient_restrictions = check_recipient_access inline:{held@example.test=HOLD}, permit\n")

    @classmethod
    def forward(cls):
        cls.mta = Postfix(cls.addClassCleanup, temporary_directory(cls.addClassCleanup), cls.main)
        wait_until(lambda: answers(cls.mta.port, b"220"), f"Postfix greets:\n{cls.mta.log()}")
        return f'to = ["127.0.0.1:{cls.mta.port}"]'

    def delivered(self):
        return self.mta.messages()

    def assert_queued_with_dsn(self):
        hold = pathlib.Path(self.mta.directory, "spool/hold")
        (queued,) = wait_until(lambda: [path for path in hold.rglob("*") if path.is_file()], "it is held")
        shown = subprocess.run(["postcat", "-c", self.mta.config, "-e", "-q", queued.name], check=True,
                               capture_output=True, text=True, timeout=LIMIT).stdout
        for line in ("envelope_id=QQ314159", "ret_flags=2",  # FULL is 1, HDRS 2
                     "notify_flags=10",  # SUCCESS is 2, FAILURE 4, DELAY 8
                     "dsn_orig_rcpt=rfc822;some+one@example.test"):  # Postfix decodes it
            self.assertIn(line + "\n", shown)


@needs_exim
class Exim496(Equal, unittest.TestCase):
    @classmethod
    def forward(cls):
        cls.mta = Exim(cls.addClassCleanup, temporary_directory(cls.addClassCleanup),
                       main="message_size_limit = 60M\ndsn_advertise_hosts = *\n",
                       rcpt="  warn local_parts = held\n       control = freeze\n")
        return f'to = ["127.0.0.1:{cls.mta.port}"]'

    def delivered(self):
        return self.mta.messages()

    def assert_queued_with_dsn(self):
        """In the spool's header file: the flags of a recipient are 2 for SUCCESS and 8 for DELAY."""
        spool = pathlib.Path(self.mta.directory, "spool/input")
        (queued,) = wait_until(lambda: list(spool.rglob("*-H")), "it is frozen")
        shown = queued.read_text(encoding="utf-8")
        for line in ("-dsn_envid QQ314159", "-dsn_ret 2", "rfc822;some+2Bone@example.test"):
            self.assertIn(line, shown)


if __name__ == "__main__":
    unittest.main()
