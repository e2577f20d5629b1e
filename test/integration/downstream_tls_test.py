"""TLS towards the mail server behind: real Postfix and Exim with each mode of forward.tls, certificates that are
not what they should be, and somebody who speaks in the clear behind the reply to STARTTLS."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from harness import *

NAME = "mx.example.test"

CONFIG = """
hostname = "postern.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["127.0.0.1:%d"]
%s
[[plugin]]
use = "rcpt_accept"
"""

MESSAGE = b"Subject: x\r\n\r\nx\r\n"
VERIFY = 'tls = "verify"\ntls_name = "%s"\ntls_ca = "%s"'

needs_openssl = unittest.skipUnless(shutil.which("openssl"), "the program openssl is not installed")


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


class Authority:
    """ca.crt in a directory of its own, and what it signs."""

    def __init__(self, cleanup):
        self.directory = pathlib.Path(temporary_directory(cleanup))
        self.certificate = self.directory / "ca.crt"
        openssl("req", "-x509", *self._key("ca"), "-subj", "/CN=the authority", "-out", self.certificate)

    def _key(self, stem):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.directory / f"{stem}.key")

    def sign(self, name, days=30):
        """The paths of a new certificate and its key."""
        stem = f"{name}.{days}"
        request, certificate = self.directory / f"{stem}.csr", self.directory / f"{stem}.crt"
        openssl("req", *self._key(stem), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.directory / "ca.key",
                "-CAcreateserial", "-copy_extensions", "copy", "-days", days, "-out", certificate)
        key = self.directory / f"{stem}.key"
        key.chmod(0o644)  # Exim reads it as its own user
        return certificate, key


class DownstreamTls(unittest.TestCase):
    def posternd(self, port, forward, files=None):
        return posternd(self.addCleanup, CONFIG % (port, forward), files)

    def deliver(self, port, forward):
        """The reply to a message, or to its recipient; what the record says of TLS; the server."""
        server = self.posternd(port, forward)
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<you@example.org>")
            reply = client.command("RCPT TO:<someone@example.test>")
            if reply.code == 250:
                client.must(354, "DATA")
                client.send_body(MESSAGE)
                reply = client.reply()
            client.quit()
        record = wait_until(lambda: self.record(server), "the transaction is recorded")
        return reply, record.get("target_tls"), server

    @staticmethod
    def record(server):
        whole = server.log().split("\n")[:-1]
        lines = [line for line in whole if '"event":"transaction"' in line]
        return json.loads(lines[-1]) if lines else None

    def assert_encrypted(self, port, forward, verified):
        reply, tls, _ = self.deliver(port, forward)
        self.assertEqual(reply.code, 250, reply)
        self.assertEqual(tls["version"], "TLSv1.3")
        self.assertEqual(tls["verified"], verified)

    def assert_in_clear(self, port, forward, why):
        reply, tls, _ = self.deliver(port, forward)
        self.assertEqual(reply.code, 250, reply)
        self.assertEqual(tls, {"none": why} if why else None)

    def assert_insecure(self, port, forward, says):
        reply, _, server = self.deliver(port, forward)
        self.assertEqual(reply.code, 451, reply)
        self.assertTrue(reply.text.startswith("4.7.5"), reply)
        self.assertIn(says, server.log())

    # What every mode makes of a server with a good certificate, and with others.

    def each_mode(self, port, authority):
        self.assert_in_clear(port, "", None)
        self.assert_encrypted(port, 'tls = "may"', False)
        self.assert_encrypted(port, 'tls = "require"', False)
        self.assert_encrypted(port, VERIFY % (NAME, authority.certificate), True)

    def others_fail(self, port, authority, stranger):
        self.assert_insecure(port, VERIFY % ("other.example.test", authority.certificate), "ostname mismatch")
        self.assert_insecure(port, VERIFY % (NAME, stranger.certificate), "set tls_name")

    def expired_fails(self, port, authority):
        self.assert_insecure(port, VERIFY % (NAME, authority.certificate), "certificate has expired")
        self.assert_encrypted(port, 'tls = "require"', False)

    def without_tls_fails(self, port, authority):
        self.assert_in_clear(port, 'tls = "may"', "not offered")
        self.assert_insecure(port, 'tls = "require"', "smtpd_tls_security_level")
        self.assert_insecure(port, VERIFY % (NAME, authority.certificate), "tls_advertise_hosts")


@needs_openssl
@needs_postfix
class BehindPostfix(DownstreamTls):
    def postfix(self, files=None):
        main = ""
        if files:
            main = ("smtpd_tls_security_level = may\nsmtpd_tls_received_header = yes\n"
                    f"smtpd_tls_cert_file = {files[0]}\nsmtpd_tls_key_file = {files[1]}\n")
        return Postfix(self.addCleanup, temporary_directory(self.addCleanup), main)

    def test_each_mode(self):
        authority = Authority(self.addCleanup)
        server = self.postfix(authority.sign(NAME))
        self.each_mode(server.port, authority)
        wait_until(lambda: len(server.messages()) == 4, "all have come")
        under_tls = [each for each in server.messages() if b"(using TLSv1.3 " in each]
        self.assertEqual(len(under_tls), 3)
        for identity in ("xclient", "xforward"):
            self.assert_encrypted(server.port, f'identity = "{identity}"\ntls = "require"', False)
        self.assert_encrypted(server.proxy_port, 'identity = "proxy-v2"\ntls = "require"', False)
        self.others_fail(server.port, authority, Authority(self.addCleanup))

    def test_expired(self):
        authority = Authority(self.addCleanup)
        self.expired_fails(self.postfix(authority.sign(NAME, -1)).port, authority)

    def test_without_tls(self):
        self.without_tls_fails(self.postfix().port, Authority(self.addCleanup))

    def test_sessions_are_resumed(self):
        authority = Authority(self.addCleanup)
        server = self.posternd(self.postfix(authority.sign(NAME)).port,
                               VERIFY % (NAME, authority.certificate) + "\nmessages_per_connection = 1")
        for _ in range(2):
            with Client(server.port) as client:
                client.hello()
                self.assertEqual(client.deliver("you@example.org", ["someone@example.test"], MESSAGE).code, 250)
                client.quit()
        wait_until(lambda: '"resumed":true' in server.log(), "the second connection resumed the first's session")


@needs_openssl
@needs_exim
class BehindExim(DownstreamTls):
    def exim(self, files):
        tls = f"tls_advertise_hosts = *\ntls_certificate = {files[0]}\ntls_privatekey = {files[1]}"
        return Exim(self.addCleanup, temporary_directory(self.addCleanup), tls=tls)

    def test_each_mode(self):
        authority = Authority(self.addCleanup)
        server = self.exim(authority.sign(NAME))
        self.each_mode(server.port, authority)
        wait_until(lambda: len(server.messages()) == 4, "all have come")
        under_tls = [each for each in server.messages() if b"with esmtps" in each]
        self.assertEqual(len(under_tls), 3)
        self.others_fail(server.port, authority, Authority(self.addCleanup))


class Injected(DownstreamTls):
    def test_a_reply_in_the_clear_before_the_handshake(self):
        for mode in ("may", "require"):
            with self.subTest(mode):
                server = Downstream(self.addCleanup, (*CAPABILITIES, "STARTTLS"))
                server.on("starttls", lambda _: "220 2.0.0 go ahead\r\n250 2.0.0 whatever you say next")
                self.assert_insecure(server.port, f'tls = "{mode}"', "injects replies")
                self.assertEqual(server.ledger, [])

    def test_what_is_no_handshake(self):
        server = Downstream(self.addCleanup, (*CAPABILITIES, "STARTTLS"))

        def goes_at_the_first_octets(connection):
            connection.send(b"220 2.0.0 go ahead\r\n")
            connection.more()
            raise Gone

        server.on("starttls", goes_at_the_first_octets)
        self.assert_insecure(server.port, 'tls = "require"', "set tls = \\\"may\\\"")
        self.assert_in_clear(server.port, 'tls = "may"', "handshake failed")


@needs_openssl
class Check(unittest.TestCase):
    """What --check says of forward.tls and its neighbours."""

    def assert_told(self, forward, pattern, status=1, to="127.0.0.1:25", files=None):
        config = CONFIG.replace("@PORT@", "0").replace("127.0.0.1:%d", to) % forward
        done = run_posternd(self.addCleanup, config, "--check", files=files)
        self.assertRegex(done.stderr, pattern)
        self.assertEqual(done.returncode, status, done.stderr)

    def test_what_is_wrong(self):
        with self.subTest("an address has no name"):
            self.assert_told('tls = "verify"', r"postern.toml:8:7: forward.tls: 127.0.0.1:25 has no name")
        with self.subTest("a name has one"):
            self.assert_told('tls = "verify"', r"^$", 0, "localhost:25")
        with self.subTest("a name that is none"):
            self.assert_told('tls = "verify"\ntls_name = "a b"', r":9:12: forward.tls_name: 'a b' is not a host name")
        with self.subTest("no such file"):
            self.assert_told('tls = "verify"\ntls_name = "a.example"\ntls_ca = "nowhere"',
                             r":10:10: forward.tls_ca: .*/nowhere: No such file")
        with self.subTest("no certificates"):
            for text in ("rubbish\n", ""):
                self.assert_told('tls = "verify"\ntls_name = "a.example"\ntls_ca = "ca"',
                                 r":10:10: forward.tls_ca: .*/ca: no certificates", files={"ca": text})
        with self.subTest("of a route"):
            self.assert_told('tls = "verify"\ntls_name = "a.example"\n[[forward.route]]\ndomains = ["b.example"]\n'
                             'to = ["127.0.0.1:24"]', r":10:1: forward.route.tls: 127.0.0.1:24 has no name")

    def test_a_file_that_cannot_be_read_keeps_the_old_configuration(self):
        authority = Authority(self.addCleanup)
        text = authority.certificate.read_text(encoding="ascii")
        server = posternd(self.addCleanup, CONFIG % (9, VERIFY % (NAME, "ca.crt")), {"ca.crt": text})
        os.remove(os.path.join(server.directory, "ca.crt"))
        server.kill(1)  # SIGHUP
        wait_until(lambda: "generation 1 goes on" in server.log(), "the reload is refused")
        self.assertIn("ca.crt: No such file", server.log())
        self.assertTrue(answers(server.port, b"220"))


if __name__ == "__main__":
    unittest.main()
