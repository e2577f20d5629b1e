"""The real Exim as a client that asks for PRDR and sends in chunks: each recipient's reply is his own, and nobody gets
the message twice."""

import os
import re
import shutil
import unittest

from harness import *
from peers import EXIM, reachable_copy, write

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
%s
[[plugin]]
use = "rcpt_ok"
domains = ["example.test", "other.test"]
[[plugin]]
use = "headers"
"""

# One of two recipients wants more of a message than the other.
DOMAIN = """
[recipient."strict@example.test".plugin.headers]
require = ["X-Wanted"]
"""

MESSAGE = (b"From: you@example.org\r\nTo: several@example.test\r\nMessage-Id: <1@example.org>\r\n"
           b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nSubject: for two\r\n\r\n.dots\r\n" + b"x" * 70 + b"\r\n")

EXIM_CONF = """\
exim_path = @EXIM@
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = exim.example.org
spool_directory = @DIR@/spool
log_file_path = @DIR@/log/%slog
log_selector = +smtp_confirmation +pipelining
pid_file_path = @DIR@/exim.pid
daemon_smtp_ports = @PORT@
local_interfaces = 127.0.0.1
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = accept
keep_environment =
never_users =
begin routers
back:
  driver = accept
  domains = example.org
  transport = mbox
out:
  driver = manualroute
  route_list = * 127.0.0.1::@POSTERN@
  self = send
  transport = smtp
begin transports
mbox:
  driver = appendfile
  directory = @DIR@/mail
  maildir_format
  user = Debian-exim
smtp:
  driver = smtp
  hosts_try_prdr = *
  hosts_try_chunking = *
  allow_localhost
begin retry
* * F,1h,1s
"""


class SendingExim(Process):
    """Takes mail on `port`, sends it to the server at `to`; bounces to example.org come back as its messages()."""

    def __init__(self, cleanup, to):
        self.directory = temporary_directory(cleanup)
        self.port = free_port()
        program = reachable_copy(EXIM, self.directory)
        for name in ("spool", "log", "mail"):
            os.mkdir(os.path.join(self.directory, name))
            shutil.chown(os.path.join(self.directory, name), "Debian-exim", "Debian-exim")
        config = os.path.join(self.directory, "exim.conf")
        write(config, EXIM_CONF.replace("@DIR@", self.directory).replace("@EXIM@", program)
              .replace("@PORT@", str(self.port)).replace("@POSTERN@", str(to)))
        super().__init__(cleanup, [program, "-C", config, "-bdf", "-q2s"],
                         os.path.join(self.directory, "exim.log"))
        self.wait_ready(lambda: answers(self.port, b"220"), "Exim greets")

    def mainlog(self):
        with open(os.path.join(self.directory, "log/mainlog"), encoding="utf-8") as log:
            return log.read()

    def is_done(self):
        """With the message that it was sent; a bounce has a name of its own."""
        name = re.search(r" (\S+) <= you@example.org ", self.mainlog())
        return name and f"{name[1]} Completed" in self.mainlog()

    def messages(self):
        return messages_in(os.path.join(self.directory, "mail"))

    def lines(self, mark, address):
        """Of its log: `=>` and `->` for delivered, `**` for bounced, `==` for deferred."""
        return [line for line in self.mainlog().splitlines() if f" {mark} {address} " in line]


@needs_exim
class EximSends(unittest.TestCase):
    def start(self, forward, files=None):
        self.server = posternd(self.addCleanup, CONFIG % forward, files)
        self.mta = SendingExim(self.addCleanup, self.server.port)

    def send(self, recipients):
        """One message into Exim's queue; waits until it is done with it."""
        with Client(self.mta.port) as client:
            client.hello()
            self.assertEqual(client.deliver("you@example.org", recipients, MESSAGE).code, 250)
        wait_until(self.mta.is_done, "Exim is done with it")

    def assert_delivered_once(self, *addresses):
        for address in addresses:
            found = self.mta.lines("=>", address) + self.mta.lines("->", address)
            self.assertEqual(len(found), 1, self.mta.mainlog())
            self.assertIn(" PRDR K ", found[0], "each has a reply, and it came in chunks")

    def assert_bounced_once(self, address, text):
        found = self.mta.lines("**", address)
        self.assertEqual(len(found), 1, self.mta.mainlog())
        self.assertIn(text, found[0])
        wait_until(self.mta.messages, "the bounce comes back")
        (bounce,) = self.mta.messages()
        self.assertIn(address.encode(), bounce)

    def test_one_takes_it_and_another_refuses_its_content(self):
        """[line:54]"""
        self.start('maildir = "@DIR@/maildir"', {"domains/example.test.toml": DOMAIN})
        self.send(["anna@example.test", "strict@example.test"])
        self.assert_delivered_once("anna@example.test")
        self.assert_bounced_once("strict@example.test", "We require a valid X-Wanted field")
        (message,) = self.server.messages()
        self.assertIn(b"Delivered-To: anna@example.test\r\n", message)
        self.assertNotIn(b"strict@example.test", message)
        self.assertTrue(message.endswith(b"\r\n\r\n.dots\r\n" + b"x" * 70 + b"\r\n"), message)

    def test_an_lmtp_server_refuses_for_one_and_defers_for_another(self):
        downstream = Downstream(self.addCleanup, lmtp=True)
        downstream.on("dot", faults.say("552 5.2.2 his mailbox is full"), times=1, after=1)
        downstream.on("dot", faults.say("452 4.2.2 come back"), times=1)
        self.start(f'to = ["{downstream.address}"]\nprotocol = "lmtp"')
        self.send(["anna@example.test", "bert@example.test", "carl@example.test"])
        self.assert_delivered_once("anna@example.test")
        self.assert_bounced_once("bert@example.test", "his mailbox is full")
        self.assertEqual(len(self.mta.lines("==", "carl@example.test")), 1, self.mta.mainlog())
        said = [each.recipients for each in downstream.ledger if each.said]
        self.assertEqual(sorted(said), [["<anna@example.test>"], ["<carl@example.test>"]])

    def test_two_ways_in_one_transaction(self):
        near, far = Downstream(self.addCleanup), Downstream(self.addCleanup)
        far.on("dot", faults.say("554 5.7.1 not here"), times=1)
        self.start(f'to = ["{near.address}"]\n[[forward.route]]\ndomains = ["other.test"]\n'
                   f'to = ["{far.address}"]')
        self.send(["anna@example.test", "bert@other.test"])
        self.assert_delivered_once("anna@example.test")
        self.assert_bounced_once("bert@other.test", "not here")
        self.assertEqual([each.recipients for each in near.ledger], [["<anna@example.test>"]])


if __name__ == "__main__":
    unittest.main()
