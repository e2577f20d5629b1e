"""dnsbl in front of real servers: NSD serves the list, clients come from addresses of 127.0.0.0/8."""

import json
import unittest

from harness import *
from nameserver import needs_nsd, nsd

LISTED, UNLISTED = "127.0.0.2", "127.0.0.3"
TEXT = "Spam came from here, see https://bl.test/127.0.0.2"

ZONE = f"""$ORIGIN bl.test.
$TTL 1
@ SOA ns host 1 3600 600 86400 1
@ NS ns
ns A 127.0.0.1
2.0.0.127 A 127.0.0.2
2.0.0.127 TXT "{TEXT}"
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
use = "dnsbl"
zones = ["bl.test"]
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""


@needs_nsd
class DnsList(unittest.TestCase):
    def setUp(self):
        self.names = nsd(self.addCleanup, {"bl.test": ZONE})
        self.server = posternd(self.addCleanup, CONFIG.replace("@DNS@", self.names.address))

    def rcpt(self, source, helo):
        """The reply to RCPT; where that is 250, one message is sent as well."""
        with Client(self.server.port, source=source) as client:
            client.hello(helo)
            client.send("MAIL FROM:<a@example.org>\r\n")
            self.assertEqual(client.reply().code, 250)
            client.send("RCPT TO:<b@example.test>\r\n")
            reply = client.reply()
            if reply.code == 250:
                client.send("DATA\r\n")
                self.assertEqual(client.reply().code, 354)
                client.send(f"Subject: {helo}\r\n\r\nx\r\n.\r\n")
                self.assertEqual(client.reply().code, 250)
            client.quit()
        return reply

    def records(self, helo):
        """What is on record of the session that greeted so."""
        def look():
            found = [line for line in self.server.log().splitlines()
                     if line.startswith("{") and helo in line]
            return found if any('"event":"session"' in line for line in found) else None
        return list(map(json.loads, wait_until(look, f"the session of {helo} is on record")))

    def delivered(self, subject):
        return any(f"Subject: {subject}".encode() in each for each in self.server.messages())

    def test_a_listed_client_hears_the_text_of_the_list(self):
        reply = self.rcpt(LISTED, "listed.example")
        self.assertEqual((reply.code, reply.text), (550, "5.7.1 " + TEXT))
        self.assertFalse(self.delivered("listed.example"))
        self.assertIn("bl.test", json.dumps(self.records("listed.example")))

    def test_an_unlisted_client_is_let_in(self):
        self.assertEqual(self.rcpt(UNLISTED, "unlisted.example").code, 250)
        self.assertTrue(self.delivered("unlisted.example"))

    def test_without_name_server_mail_passes_and_the_record_says_so(self):
        self.assertEqual(self.rcpt(LISTED, "before.example").code, 550)
        self.names.stop()
        self.assertEqual(self.rcpt("127.0.0.4", "after.example").code, 250)
        self.assertTrue(self.delivered("after.example"))
        record = json.dumps(self.records("after.example"))
        self.assertIn('"plugin": "dnsbl"', record)
        self.assertIn("bl.test", record)
        self.assertIn('"effect": "failed"', record)


if __name__ == "__main__":
    unittest.main()
