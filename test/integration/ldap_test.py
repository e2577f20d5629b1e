"""Recipients by way of OpenLDAP's slapd: one that dies, one that is silent, with TLS."""

import itertools
import shutil
import signal
import unittest

from directory import ADMIN, BASE, PASSWORD, SLAPD, Directory
from harness import *

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "maildir"
[[plugin]]
use = "ldap_rcpt"
domains = ["example.test"]
accept = true
uri = "@URI@"
base = "@BASE@"
filter = "(mail=%a)"
bind_dn = "@ADMIN@"
password_file = "password"
patience = "1s"
@KEYS@
"""
MAILS = [f"p{number}@example.test" for number in range(200)]


@unittest.skipUnless(SLAPD and shutil.which("ldapsearch"), "slapd and ldap-utils are not installed")
class Ldap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.slapd = Directory(cls.addClassCleanup, MAILS)
        cls.numbers = itertools.count()

    def start(self, keys="", uri=None, password=PASSWORD):
        text = CONFIG.replace("@URI@", uri or self.slapd.uri).replace("@BASE@", BASE)
        text = text.replace("@ADMIN@", ADMIN).replace("@KEYS@", keys)
        self.server = posternd(self.addCleanup, text, {"password": password + "\n"})

    def rcpt(self, mailbox, client=None):
        """The reply to RCPT, in a session of its own where none is given."""
        if client:
            reply = client.command(f"RCPT TO:<{mailbox}>")
        else:
            with Client(self.server.port) as fresh:
                fresh.hello()
                fresh.must(250, "MAIL FROM:<a@b.example>")
                reply = fresh.command(f"RCPT TO:<{mailbox}>")
        return f"{reply.code} {reply.text.split()[0]}"

    def somebody(self):
        """Of whom nothing is remembered."""
        return MAILS[next(self.numbers)]

    def test_who_is_there_and_who_is_not(self):
        self.start()
        self.assertEqual(self.rcpt(self.somebody()), "250 2.1.5")
        self.assertEqual(self.rcpt("P5@Example.Test"), "250 2.1.5")
        self.assertEqual(self.rcpt("nobody@example.test"), "550 5.1.1")
        for wanted in ('"*"@example.test', '"*)(mail=*"@example.test', '"p1)(|(mail=*"@example.test',
                       '"\\\\2a"@example.test', "*@example.test", "p*@example.test"):
            self.assertEqual(self.rcpt(wanted), "550 5.1.1", wanted)
        self.assertEqual(self.rcpt("p1@elsewhere.test"), "550 5.7.1")

    def test_a_server_that_dies_and_comes_back(self):
        self.start()
        known = self.somebody()
        self.assertEqual(self.rcpt(known), "250 2.1.5")
        self.slapd.process.kill_all(signal.SIGKILL)
        self.assertEqual(self.rcpt(known), "250 2.1.5")  # remembered
        self.assertEqual(self.rcpt(self.somebody()), "451 4.4.3")
        self.slapd.start()
        self.assertEqual(self.rcpt(self.somebody()), "250 2.1.5")
        self.slapd.process.stop()
        self.slapd.start()  # between two lookups: nobody notices
        self.assertEqual(self.rcpt(self.somebody()), "250 2.1.5")
        self.assertEqual(self.rcpt("nobody@example.test"), "550 5.1.1")

    def test_a_silent_server_holds_up_nobody_else(self):
        self.start()
        self.assertEqual(self.rcpt(self.somebody()), "250 2.1.5")
        self.addCleanup(self.slapd.thaw)
        self.slapd.freeze()
        with Client(self.server.port) as waiting, Client(self.server.port) as other:
            waiting.hello()
            waiting.must(250, "MAIL FROM:<a@b.example>")
            waiting.send(f"RCPT TO:<{self.somebody()}>\r\n".encode())
            other.hello()
            for _ in range(20):
                other.must(250, "NOOP")
            reply = waiting.reply()
            self.assertEqual((reply.code, reply.text.split()[0]), (451, "4.4.3"))
        self.assertEqual(self.rcpt(self.somebody()), "451 4.4.3")
        self.slapd.thaw()
        wait_until(lambda: self.rcpt(self.somebody()) == "250 2.1.5", "it is asked again")

    def test_tls(self):
        other = Directory(self.addCleanup, MAILS[:1], names="DNS:elsewhere.test")
        ours = f'ca_file = "{self.slapd.path("cert.pem")}"'
        for keys, slapd, heard in (
                ('tls = "starttls"', self.slapd, "250 2.1.5"),
                ('tls = "verify"\n' + ours, self.slapd, "250 2.1.5"),
                ('tls = "verify"', self.slapd, "451 4.4.3"),  # nobody whom the system knows has signed it
                ('tls = "starttls"', other, "250 2.1.5"),
                ('tls = "verify"\n' + ours, other, "451 4.4.3"),  # signed by somebody else
                (f'tls = "verify"\nca_file = "{other.path("cert.pem")}"', other, "451 4.4.3"),  # another's name
                ('tls = "verify"\nca_file = "/nonexistent"', self.slapd, "451 4.4.3")):
            with self.subTest(keys=keys, heard=heard):
                self.start(keys, slapd.uri)
                self.assertEqual(self.rcpt(MAILS[0]), heard)
                if heard.startswith("250"):
                    self.assertEqual(self.rcpt("nobody@example.test"), "550 5.1.1")
                self.server.stop()

    def test_a_wrong_password_refuses_nobody_for_good(self):
        for password in ("wrong", ""):
            self.start(password=password)
            self.assertEqual(self.rcpt(MAILS[0]), "451 4.4.3")
            self.assertEqual(self.rcpt("nobody@example.test"), "451 4.4.3")
            self.server.stop()

    def test_many_at_once(self):
        self.start('found_for = "0s"')
        clients = [Client(self.server.port) for _ in range(40)]
        for client in clients:
            self.addCleanup(client.close)
            client.hello()
            client.must(250, "MAIL FROM:<a@b.example>")
        for number, client in enumerate(clients):
            mailbox = MAILS[number % 10] if number % 2 == 0 else f"nobody{number % 10}@example.test"
            client.send(f"RCPT TO:<{mailbox}>\r\n".encode())
        self.assertEqual([client.reply().code for client in clients], [250, 550] * 20)
        self.assertLessEqual(self.connections(), 2)

    def connections(self):
        """Those to slapd that are established."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            sockets = [line.split() for line in file][1:]
        return sum(each[2].endswith(f":{self.slapd.port:04X}") and each[3] == "01" for each in sockets)


if __name__ == "__main__":
    unittest.main()
