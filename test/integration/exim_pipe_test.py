"""protocol = "exim-pipe" with exim4-daemon-light, which knows neither PROXY nor XCLIENT: its log, its ACLs and
its Received field name the client."""

import os
import pathlib
import re
import shutil
import signal
import unittest

from debian_exim import LIGHT
from harness import *
from peers import is_root, reachable_copy, write
from programs import helper, helpers, programs, script

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
proxy_from = ["127.0.0.9"]
[forward]
protocol = "exim-pipe"
command = "%s"
[[plugin]]
use = "rcpt_accept"
"""

EXIM_CONF = """
exim_path = @EXIM@
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = exim.example.test
spool_directory = @DIR@/spool
log_file_path = @DIR@/log/%slog
log_selector = +incoming_port
host_lookup =
tls_advertise_hosts =
acl_smtp_connect = connect
acl_smtp_rcpt = rcpt
acl_smtp_data = data
never_users =
keep_environment =
begin acl
connect:
  deny hosts = 192.0.2.66
       message = this client is not wanted
  accept
rcpt:
  deny local_parts = reject
       message = nobody of that name
  accept
data:
  warn senders = slow@example.org
       delay = 50s
  accept
begin routers
all:
  driver = accept
  transport = mbox
begin transports
mbox:
  driver = appendfile
  directory = @DIR@/mail
  maildir_format
  user = Debian-exim
begin retry
* * F,1h,1m
"""
MESSAGE = b"From: you@example.org\r\nSubject: by pipe\r\n\r\n.dots\r\nand text\r\n"
SENDER, RECIPIENT = "you@example.org", "someone@example.test"


@unittest.skipUnless(is_root and LIGHT.exists(),
                     "exim4-daemon-light is not unpacked under build/peers, or we are not root")
class EximPipe(unittest.TestCase):
    def setUp(self):
        self.directory = temporary_directory(self.addCleanup)
        for name in ("spool", "log", "mail"):
            os.mkdir(f"{self.directory}/{name}")
            shutil.chown(f"{self.directory}/{name}", "Debian-exim", "Debian-exim")
        program = reachable_copy(LIGHT, self.directory)
        write(f"{self.directory}/exim.conf", EXIM_CONF.replace("@DIR@", self.directory)
              .replace("@EXIM@", program))
        command = script(self.directory, "exim",
                         f"exec {program} -C {self.directory}/exim.conf \"$@\"\n")
        self.server = posternd(self.addCleanup, CONFIG % command)

    def log(self, name="mainlog"):
        path = pathlib.Path(self.directory, "log", name)
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def mail(self):
        return messages_in(f"{self.directory}/mail")

    def client_at(self, address, port=4000):
        """A client that a balancer names."""
        client = Client(self.server.port, source="127.0.0.9")
        self.addCleanup(client.close)
        client.send(f"PROXY TCP4 {address} 192.0.2.25 {port} 25\r\n")
        return client

    def deliver(self, client, sender=SENDER):
        client.hello("x.example")
        return client.deliver(sender, [RECIPIENT], MESSAGE)

    def test_its_log_and_received_field_name_the_client(self):
        self.assertEqual(self.deliver(self.client_at("192.0.2.5")).code, 250)
        wait_until(self.mail, "the message arrives")
        (message,) = self.mail()
        self.assertTrue(message.endswith(MESSAGE.replace(b"\r\n", b"\n")), message)
        self.assertIn(b"from [192.0.2.5] (port=4000 helo=x.example)\n\tby exim.example.test with esmtp",
                      message)
        self.assertRegex(self.log(), r"<= you@example\.org H=\(x\.example\) \[192\.0\.2\.5\]:4000 P=esmtp ")

    def test_each_client_is_told_and_no_connection_is_kept(self):
        for number in (5, 6):
            self.assertEqual(self.deliver(self.client_at(f"192.0.2.{number}")).code, 250)
        wait_until(lambda: len(self.mail()) == 2, "both arrive")
        self.assertEqual(re.findall(r"<= .*?\[192\.0\.2\.(\d)\]", self.log()), ["5", "6"])
        wait_until(lambda: not programs(self.server), "no Exim is left")

    def test_the_refusals_of_its_acls_reach_the_client(self):
        client = self.client_at("192.0.2.5")
        client.hello()
        client.must(250, "MAIL FROM:<you@example.org>")
        reply = client.must(550, "RCPT TO:<reject@example.test>")
        self.assertIn("nobody of that name", reply.text)

    def test_a_client_that_exim_does_not_want_is_told_to_come_again(self):
        client = self.client_at("192.0.2.66")
        client.hello()
        client.must(250, "MAIL FROM:<you@example.org>")
        client.must(451, "RCPT TO:<someone@example.test>")
        self.assertIn("[192.0.2.66]", self.log("rejectlog") + self.log())

    def test_an_exim_that_is_killed_in_the_middle_loses_nothing(self):
        client = self.client_at("192.0.2.5")
        client.hello()
        client.envelope("slow@example.org", [RECIPIENT])
        client.must(354, "DATA")
        client.send_body(MESSAGE)
        (exim,) = wait_until(lambda: programs(self.server), "Exim runs")
        wait_until(lambda: any(pathlib.Path(self.directory, "spool/input").glob("*-D")) or
                   any(pathlib.Path(self.directory, "spool/input").rglob("*-D")), "it has the message")
        os.kill(exim, signal.SIGKILL)
        self.assertEqual(client.reply().code, 451)
        self.assertEqual(self.mail(), [])
        self.assertEqual(client.deliver(SENDER, [RECIPIENT], MESSAGE).code, 250)
        wait_until(self.mail, "the message arrives")
        self.assertEqual(len(self.mail()), 1)

    def test_a_client_that_goes_leaves_no_exim_behind(self):
        client = self.client_at("192.0.2.5")
        client.hello()
        client.envelope(SENDER, [RECIPIENT])
        wait_until(lambda: programs(self.server), "Exim runs")
        client.reset()
        wait_until(lambda: not programs(self.server), "no Exim is left")

    def test_a_helper_that_dies_is_replaced(self):
        first = helper(self.server)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: helpers(self.server) not in ([], [first]), "there is another")
        self.assertEqual(self.deliver(self.client_at("192.0.2.5")).code, 250)

    def test_a_reload_has_a_helper_of_its_own_and_an_end_none(self):
        first = helper(self.server)
        with Client(self.server.port) as client:
            client.hello()
            client.envelope(SENDER, [RECIPIENT])
            self.server.kill(signal.SIGHUP)
            wait_until(lambda: len(helpers(self.server)) == 2, "both generations have one")
            client.must(354, "DATA")
            client.send_body(MESSAGE)
            client.must(250)
        wait_until(lambda: first not in helpers(self.server), "the first has ended")
        self.server.kill(signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0)


class Check(unittest.TestCase):
    def check(self, forward):
        config = ('[[listen]]\naddress = "127.0.0.1:0"\n[forward]\nprotocol = "exim-pipe"\n' + forward +
                  '\n[[plugin]]\nuse = "rcpt_accept"\n')
        return run_posternd(self.addCleanup, config, "--check").stderr

    def test_what_does_not_go_with_it_is_refused(self):
        for forward in ('to = ["127.0.0.1:25"]', 'identity = "xclient"', "verify_recipients = true"):
            said = self.check(f'command = "/bin/true"\n{forward}')
            self.assertIn('protocol = "exim-pipe"', said)
            self.assertEqual(len(said.splitlines()), 1, said)

    def test_a_program_that_is_not_there_is_told(self):
        self.assertIn("forward.command: /nowhere/exim4: No such file", self.check('command = "/nowhere/exim4"'))


if __name__ == "__main__":
    unittest.main()
