"""AUTH with swaks, a SCRAM client and smtplib; the configuration of docs/authentication.md."""

import base64
import hashlib
import hmac
import json
import os
import re
import smtplib
import ssl
import unittest

from guide import setups
from harness import *
from peers import write
from tls_test import Encrypted, any_server, made_files, needs_openssl

USER, PASSWORD = "anna@example.net", "correct horse"


def scram(client, user, password, nonce="fyko+d2lbbFgONRv9qkxdawL"):
    """AUTH SCRAM-SHA-256 by RFC 5802, with nothing of ours; gives the last reply and whether the server has
    shown that it knows the password, too."""
    def say(line, text=None):
        reply = client.command(line + base64.b64encode(text.encode()).decode() if text is not None else line)
        return reply, base64.b64decode(reply.text).decode() if reply.code == 334 else ""

    bare = f"n={user},r={nonce}"
    reply, first = say("AUTH SCRAM-SHA-256 ", "n,," + bare)
    if reply.code != 334:
        return reply, False
    fields = dict(field.split("=", 1) for field in first.split(","))
    assert fields["r"].startswith(nonce) and fields["r"] != nonce
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    digest = lambda key, text: hmac.new(key, text if isinstance(text, bytes) else text.encode(), "sha256").digest()
    client_key = digest(salted, "Client Key")
    unproved = "c=biws,r=" + fields["r"]
    said = ",".join((bare, first, unproved))
    signature = digest(hashlib.sha256(client_key).digest(), said)
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    reply, final = say("", f"{unproved},p={base64.b64encode(proof).decode()}")
    if reply.code != 334:
        return reply, False
    known = final == "v=" + base64.b64encode(digest(digest(salted, "Server Key"), said)).decode()
    return say("")[0], known


@needs_openssl
class Submission(unittest.TestCase):
    def setUp(self):
        files = setups("authentication.md")["submission"]
        self.downstream = Downstream(self.addCleanup)
        self.world = free_port()
        config = files["postern.toml"].replace("0.0.0.0:25\"", f"127.0.0.1:{self.world}\"")
        config = config.replace("0.0.0.0:587", "127.0.0.1:@PORT@").replace(":2525", f":{self.downstream.port}")
        config += '[auth]\nfailure_time = "100ms"\n'
        self.server = posternd(self.addCleanup, config, {"passwords": files["passwords"], **made_files("mx")})

    def records(self, event):
        lines = [json.loads(line) for line in self.server.log().split("\n")[:-1] if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def swaks(self, mechanism, password=PASSWORD, *options):
        return swaks(self.server.port, "--auth", mechanism, "--auth-user", USER, "--auth-password", password,
                     *(options or ["--tls"]))

    @needs_swaks
    def test_swaks(self):
        for mechanism in ("PLAIN", "LOGIN"):
            with self.subTest(mechanism):
                done = self.swaks(mechanism)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(self.downstream.ledger), 2)  # to a domain that is not ours
        for message in self.downstream.ledger:
            self.assertRegex(message.octets, rb"with\s+ESMTPSA\s+\(TLSv1.3\s+TLS_")
        for record in self.records("transaction"):
            self.assertEqual(record["protocol"], "ESMTPSA")
            self.assertEqual(record["auth"]["user"], USER)
            self.assertEqual(record["auth"]["by"], "flat_file")

    @needs_swaks
    def test_swaks_with_cram_md5(self):
        write(os.path.join(self.server.directory, "passwords"), f"{USER}:{PASSWORD}\n")
        wait_until(lambda: "passwords: read again" in self.server.log(), "the file is read again")
        # The second worker may be a moment later.
        wait_until(lambda: self.swaks("CRAM-MD5").returncode == 0, "CRAM-MD5 is offered, and serves")

    @needs_swaks
    def test_nobody_is_let_in_without_tls_or_with_another_password(self):
        clear = self.swaks("PLAIN", PASSWORD, "--protocol", "ESMTP")
        self.assertNotEqual(clear.returncode, 0)
        self.assertNotIn("-> AUTH", clear.stdout)
        wrong = self.swaks("PLAIN", "wrong horse")
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn("535 5.7.8", wrong.stdout)
        self.assertEqual(self.downstream.ledger, [])
        log = self.server.log()
        for hidden in (PASSWORD, "wrong horse", base64.b64encode(f"\0{USER}\0wrong horse".encode()).decode()):
            self.assertNotIn(hidden, log)
        self.assertRegex(log, rf"127\.0\.0\.1 is not authenticated as '{re.escape(USER)}' by PLAIN")

    def test_replies(self):
        with Client(self.server.port) as client:
            client.hello()
            self.assertEqual(client.command("AUTH PLAIN").code, 538)
            self.assertEqual(client.command("MAIL FROM:<a@b.example>").code, 530)
        with Client(self.world) as client:
            self.assertFalse([line for line in client.hello() if line.startswith("AUTH")])
            self.assertEqual(client.command("AUTH PLAIN").code, 502)
        with Encrypted(self.server.port) as client:
            wrong = base64.b64encode(b"\0a\0b").decode()
            for _ in range(3):
                self.assertEqual(client.command("AUTH PLAIN " + wrong).code, 535)
            self.assertEqual(client.read_to_end()[:3], b"421")

    def test_scram(self):
        for user, password, right in ((USER, PASSWORD, True), ("berta@example.net", "pencil", True),
                                      ("berta@example.net", "Pencil", False), ("nobody", "pencil", False)):
            with self.subTest(user=user, password=password), Encrypted(self.server.port) as client:
                reply, known = scram(client, user, password)
                self.assertEqual(reply.code, 235 if right else 535)
                self.assertEqual(known, right)
                if right:
                    client.envelope("a@example.org", ["somebody@elsewhere.example"])
                client.quit()

    def test_every_worker_gives_a_stranger_the_same_salt(self):
        salts = set()
        for _ in range(8):
            with Encrypted(self.server.port) as client:
                first = base64.b64encode(b"n,,n=stranger,r=abc").decode()
                reply = client.command("AUTH SCRAM-SHA-256 " + first)
                salts.add(base64.b64decode(reply.text).split(b",")[1])
        self.assertEqual(len(salts), 1)

    def test_starttls_forgets_who_was_authenticated(self):
        """A password that went in the clear proves nothing under TLS."""
        config = """
hostname = "mx.example.test"
[[listen]]
address = "127.0.0.1:@PORT@"
tls = "starttls"
[tls]
certificate = "mx.crt"
key = "mx.key"
[auth]
without_tls = true
[forward]
maildir = "@DIR@/maildir"
[[plugin]]
use = "flat_file"
list = ["anna:secret"]
"""
        server = posternd(self.addCleanup, config, made_files("mx"))
        with Client(server.port) as client:
            client.hello()
            client.must(235, "AUTH PLAIN " + base64.b64encode(b"\0anna\0secret").decode())
            client.must(250, "MAIL FROM:<a@b.example>")
            client.must(250, "RCPT TO:<x@elsewhere.example>")
            client.must(250, "RSET")
            client.must(220, "STARTTLS")
            client.socket = any_server().wrap_socket(client.socket)
            self.assertIn("AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256", client.must(250, "EHLO client.example").lines)
            client.must(250, "MAIL FROM:<a@b.example>")
            self.assertEqual(client.command("RCPT TO:<x@elsewhere.example>").code, 550)
            client.must(250, "RSET")
            client.must(235, "AUTH PLAIN " + base64.b64encode(b"\0anna\0secret").decode())
            client.quit()

    def test_smtplib(self):
        with smtplib.SMTP("127.0.0.1", self.server.port, timeout=60) as client:
            context = any_server()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            client.starttls(context=context)
            client.login(USER, PASSWORD)
            self.assertFalse(client.sendmail("a@example.org", ["b@elsewhere.example"], "Subject: s\r\n\r\nx\r\n"))


if __name__ == "__main__":
    unittest.main()
