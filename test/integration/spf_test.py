"""spf in front of a real name server: NSD serves the senders' records, clients come from addresses of 127.0.0.0/8."""

import json
import unittest

from harness import *
from nameserver import needs_nsd, nsd

OURS, OTHER = "127.0.0.2", "127.0.0.3"

ZONE = f"""$ORIGIN senders.test.
$TTL 1
@ SOA ns host 1 3600 600 86400 1
@ NS ns
ns A 127.0.0.1
ours TXT "v=spf1 include:_spf.senders" ".test -all exp=why.senders.test"
ours TXT "other=text"
_spf TXT "v=spf1 a:mx.senders.test/32 ~all"
mx A {OURS}
why TXT "%{{i}} is none of our servers"
soft TXT "v=spf1 mx ~all"
soft MX 10 mx
loop TXT "v=spf1 include:loop.senders.test -all"
two TXT "v=spf1 +all"
two TXT "v=spf1 -all"
blank TXT "v=spf1 exists:%{{l}}.list.senders.test -all"
a\\032b.list A 127.0.0.1
"""

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "@DIR@/maildir"
[dns]
servers = ["@DNS@"]
timeout = "500ms"
tries = 2
[[plugin]]
use = "spf"
temperror = "defer"
permerror = "reject"
received_spf = true
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""


@needs_nsd
class Spf(unittest.TestCase):
    def setUp(self):
        self.names = nsd(self.addCleanup, {"senders.test": ZONE})
        self.server = posternd(self.addCleanup, CONFIG.replace("@DNS@", self.names.address))

    def rcpt(self, source, sender, subject="x"):
        """The reply to RCPT; where that is 250, one message is sent as well."""
        with Client(self.server.port, source=source) as client:
            client.hello("client.example")
            client.send(f"MAIL FROM:<{sender}>\r\n")
            self.assertEqual(client.reply().code, 250)
            client.send("RCPT TO:<b@example.test>\r\n")
            reply = client.reply()
            if reply.code == 250:
                client.send("DATA\r\n")
                self.assertEqual(client.reply().code, 354)
                client.send(f"Subject: {subject}\r\n\r\nx\r\n.\r\n")
                self.assertEqual(client.reply().code, 250)
            client.quit()
        return reply

    def message(self, subject):
        return next(each for each in self.server.messages() if f"Subject: {subject}".encode() in each)

    def test_the_domains_own_server_is_let_in_and_another_hears_why_not(self):
        """[line:39]"""
        self.assertEqual(self.rcpt(OURS, "a@ours.senders.test", "by-include").code, 250)
        self.assertIn(b"Received-SPF: pass (mx.example.test:", self.message("by-include"))
        reply = self.rcpt(OTHER, "a@ours.senders.test")
        self.assertEqual((reply.code, reply.text),
                         (550, f"5.7.23 SPF: {OTHER} may not send mail for ours.senders.test; "
                               f"ours.senders.test explains: {OTHER} is none of our servers"))

    def test_a_softfail_is_let_in_and_on_record(self):
        self.assertEqual(self.rcpt(OTHER, "a@soft.senders.test", "soft").code, 250)
        self.assertIn(b"Received-SPF: softfail", self.message("soft"))
        def look():
            return [line for line in self.server.log().splitlines()
                    if line.startswith("{") and '"softfail"' in line]
        record = json.loads(wait_until(look, "the transaction is on record")[0])
        self.assertIn("soft.senders.test", json.dumps(record))

    def test_wrong_records_are_errors_for_good(self):
        for domain in ("loop", "two"):
            with self.subTest(domain=domain):
                reply = self.rcpt(OURS, f"a@{domain}.senders.test")
                self.assertEqual((reply.code, reply.text[:6]), (550, "5.7.24"))

    def test_a_local_part_with_a_blank_is_asked_for(self):
        self.assertEqual(self.rcpt(OTHER, '"a b"@blank.senders.test', "blank").code, 250)
        self.assertEqual(self.rcpt(OTHER, "ab@blank.senders.test").code, 550)

    def test_without_name_server_mail_is_deferred(self):
        """[line:39]"""
        self.names.stop()
        reply = self.rcpt(OURS, "a@ours.senders.test")
        self.assertEqual((reply.code, reply.text[:5]), (451, "4.4.3"))


if __name__ == "__main__":
    unittest.main()
