"""A set-up of a guide, running: the mail server and Postern with the guide's own lines, and behind them a
block list of rbldnsd's, asked through Unbound. One for each test class."""

import re
import unittest

from guide import CLIENT, LISTED, Places, setups, stands_in
from harness import Client, free_port, posternd, swaks, temporary_directory, wait_until
from nameserver import rbldnsd, unbound

LIST = "zen.spamhaus.org"  # what the guides ask
LIST_SAYS = "Spam came from here"

MESSAGE = ("From: you@example.org\r\nTo: someone@example.net\r\nMessage-Id: <1@example.org>\r\n"
           "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nSubject: dots and octets\r\n\r\n"
           ".one dot\r\n..two dots\r\n.\r\n gr\u00fc\u00dfe \r\n" + "x" * 900 + "\r\n\r\nend\r\n")
# What servers on the way may put before a message.
TRACE = {"return-path", "envelope-to", "delivery-date", "received", "x-original-to", "delivered-to"}
NO_RELAYING = (454, 550, 554)  # Postfix defers it as long as nobody tells it otherwise


class GuideSetup:
    """A class of tests says `guide` and `setup`, and how to make the mail server of it."""

    guide = setup = None

    @classmethod
    def setUpClass(cls):
        cls.postern_port, cls.behind, cls.own, cls.submission = (free_port() for _ in range(4))
        cls.list = rbldnsd(cls.addClassCleanup, LIST, [LISTED], LIST_SAYS)
        cls.resolver = unbound(cls.addClassCleanup, {LIST: cls.list.address})
        places = Places(cls.postern_port, cls.behind, cls.own, cls.submission, cls.resolver.address)
        cls.files = {name: places.fill(text) for name, text in setups(cls.guide)[cls.setup].items()}
        cls.mta = cls.make_mta()
        cls.server = cls.postern(cls.addClassCleanup, cls.files["postern.toml"], cls.postern_port)
        cls.client_port = cls.postern_port

    @classmethod
    def postern(cls, cleanup, config, port):
        return posternd(cleanup, config, port=port)

    # ---- a client -----------------------------------------------------------------------------

    def connect(self, source=CLIENT, port=None):
        client = Client(port or self.client_port, source=source)
        client.hello("client.example.org")
        return client

    def rcpt(self, recipient, source=CLIENT, port=None):
        """What a client hears who writes to this recipient."""
        with self.connect(source, port) as client:
            client.must(250, "MAIL FROM:<you@example.org>")
            reply = client.command(f"RCPT TO:<{recipient}>")
            client.quit()
        return reply

    def deliver(self, message, recipients=("someone@example.net",), source=CLIENT):
        with self.connect(source) as client:
            reply = client.deliver("you@example.org", recipients, message.encode())
            client.quit()
        return reply

    # ---- what has happened ---------------------------------------------------------------------

    def new_message(self, before):
        """The one that came after `before` were there."""
        wait_until(lambda: len(self.mta.messages()) > len(before), "the message arrives")
        return [each for each in self.mta.messages() if each not in before][0].decode()

    def assert_logged(self, file, log):
        """The lines of the guide's file are in what `log` gives, soon."""
        for line in self.files[file].splitlines():
            wait_until(lambda line=line: stands_in(log(), line), f"“{line}” in the log")


class Filters:
    """What holds wherever Postern stands."""

    def test_mail_passes_and_is_unchanged_save_trace_fields(self):
        before = self.mta.messages()
        path = temporary_directory(self.addCleanup) + "/message"
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(MESSAGE.removesuffix("\r\n"))  # swaks ends it
        done = swaks(self.client_port, "--to", "someone@example.net", "--ehlo", "client.example.org",
                     "--local-interface", CLIENT, "--data", "@" + path)
        self.assertEqual(done.returncode, 0, done.stdout)
        arrived, sent = self.new_message(before), MESSAGE.replace("\r\n", "\n")
        self.assertTrue(arrived.endswith(sent), arrived)
        self.assert_trace(arrived[:-len(sent)])
        self.assert_logged("mta.log", self.mta.log)

    def assert_trace(self, fields):
        names = re.findall(r"^([^\s:]+):", fields, re.MULTILINE)
        self.assertLessEqual({name.lower() for name in names}, TRACE, fields)
        self.assertEqual(fields.count("(Postern) with ESMTP"), 1, fields)

    def test_an_unknown_recipient_hears_the_mail_servers_own_refusal(self):
        reply = self.rcpt("nobody-here@example.net")
        self.assertEqual(reply.code, 550)
        heard = [f"550-{line}" for line in reply.lines[:-1]] + [f"550 {reply.lines[-1]}"]
        for line in self.files["client.log"].splitlines():
            self.assertTrue(any(stands_in(each, line) for each in heard), heard)
        words = re.sub(r"^(\d\S* )*", "", heard[-1].rpartition(": ")[2])  # Postern adds 5.0.0 to Exim's
        wait_until(lambda: words in self.mta.log(), f"“{words}” in {self.mta.log()}")

    def test_nobody_relays(self):
        reply = self.rcpt("anybody@example.com")
        self.assertIn(reply.code, NO_RELAYING, reply)


class EachSetupIsRun:
    """A class says `guide`, and in which `module` its set-ups are tested."""

    def test_each_block_of_the_guide_is_run(self):
        suite = unittest.defaultTestLoader.loadTestsFromName(self.module)
        classes = {type(test) for tests in suite for test in tests}
        run = {each.setup for each in classes if issubclass(each, GuideSetup)}
        self.assertEqual(set(setups(self.guide)), run)


class FiltersByList(Filters):
    def test_a_listed_client_is_refused(self):
        reply = self.rcpt("someone@example.net", source=LISTED)
        self.assertEqual((reply.code, reply.text), (550, "5.7.1 " + LIST_SAYS))

    def test_posterns_log_shows_what_the_guide_shows(self):
        self.assertEqual(self.deliver(MESSAGE).code, 250)
        self.assertEqual(self.rcpt("someone@example.net", source=LISTED).code, 550)
        self.assert_logged("postern.log", self.server.log)


class KeepsConnections:
    """Clients share connections to the mail server: one must not suffer from what another does."""

    def test_refusals_of_many_clients_spoil_no_connection(self):
        for _ in range(25):  # Postfix hangs up after 20 errors
            self.assertEqual(self.rcpt("nobody-here@example.net").code, 550)
        self.assertEqual(self.deliver(MESSAGE).code, 250)


class DoesNotTrustPostern:
    """Postern's address must open no relay, whatever Postern lets through."""

    def test_nobody_relays_through_the_mail_server_though_postern_takes_every_recipient(self):
        config = re.sub(r'use = "rcpt_ok".*\ndomains = .*\n', 'use = "rcpt_accept"\n',
                        self.files["postern.toml"])
        port = free_port()
        self.postern(self.addCleanup, config.replace(f":{self.postern_port}\"", f":{port}\""), port)
        reply = self.rcpt("anybody@example.com", port=port)
        self.assertIn(reply.code, NO_RELAYING, reply)
        self.assertRegex(reply.text.lower(), "relay")
        self.assertEqual(self.rcpt("someone@example.net", port=port).code, 250)
