"""TLS with the programs that people use: openssl s_client, swaks; certificates that change, keys that only root
may read, sessions that resume on another worker."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import unittest

from harness import *
from peers import is_root, write
from process import LIMIT

CONFIG = """
hostname = "mx.example.test"
workers = 2
[[listen]]
address = "127.0.0.1:@PORT@"
tls = "starttls"
[[listen]]
address = "127.0.0.1:%d"
tls = "implicit"
[tls]
certificate = "mx.crt"
key = "mx.key"
certificates_dir = "certs"
[forward]
maildir = "@DIR@/maildir"
[[plugin]]
use = "rcpt_accept"
"""

CHECKED = """
hostname = "mx.example.test"
[[listen]]
address = "127.0.0.1:0"
tls = "starttls"
%s
[forward]
maildir = "@DIR@/maildir"
[[plugin]]
use = "rcpt_accept"
"""

needs_openssl = unittest.skipUnless(shutil.which("openssl"), "the program openssl is not installed")


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, timeout=LIMIT,
                          check=False)


def make_certificate(directory, stem, *names):
    """STEM.crt and STEM.key in the directory; gives the certificate as PEM."""
    certificate, key = (os.path.join(directory, stem + end) for end in (".crt", ".key"))
    made = openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + names[0], "-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names),
                   "-keyout", key, "-out", certificate)
    if made.returncode != 0:
        raise RuntimeError(made.stderr.decode())
    return pathlib.Path(certificate).read_text(encoding="ascii")


def made_files(*stems):
    """Certificates for a configuration that is still to be written: name -> text."""
    with contextlib.ExitStack() as stack:
        directory = temporary_directory(stack.callback)
        for stem in stems:
            make_certificate(directory, stem, stem + ".example.test")
        return {name: pathlib.Path(directory, name).read_text(encoding="ascii") for name in os.listdir(directory)}


class Encrypted(Client):
    """A client whose session is under TLS: after STARTTLS, or at once."""

    def __init__(self, port, at_once=False, name=None, context=None, session=None):
        super().__init__(port)
        if not at_once:
            self.hello()
            self.must(220, "STARTTLS")
        context = context or any_server()
        self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)
        if at_once:
            self.must(220)
        self.must(250, "EHLO client.example.org")

    def certificate(self):
        return ssl.DER_cert_to_PEM_cert(self.socket.getpeercert(binary_form=True))


def any_server():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def normal(pem):
    return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(pem))


@needs_openssl
class Tls(unittest.TestCase):
    def start(self, config=CONFIG):
        self.implicit = free_port()
        self.files = {**made_files("mx"), **{"certs/" + n: t for n, t in made_files("other").items()}}
        self.server = posternd(self.addCleanup, config % self.implicit, self.files)
        return self.server

    def records(self, event="session"):
        lines = [json.loads(line) for line in self.server.log().split("\n")[:-1] if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def presented(self, name=None):
        with Encrypted(self.server.port, name=name) as client:
            return client.certificate()

    def replace(self, name, text):
        """As certbot and every other careful program does it."""
        path = os.path.join(self.server.directory, name)
        write(path + ".new", text)
        os.rename(path + ".new", path)

    def test_openssl_s_client(self):
        self.start()
        for options in (["-starttls", "smtp", "-connect", f"127.0.0.1:{self.server.port}"],
                        ["-connect", f"127.0.0.1:{self.implicit}"]):
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(options=options, version=version):
                    done = openssl("s_client", *options, version, "-quiet", "-crlf",
                                   given=b"EHLO client.example.org\nQUIT\n")
                    self.assertIn(b"221 2.0.0", done.stdout, done.stderr)
        refused = openssl("s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{self.server.port}", "-tls1_1",
                          "-cipher", "ALL:@SECLEVEL=0")
        self.assertNotEqual(refused.returncode, 0)

    @needs_swaks
    def test_swaks(self):
        self.start()
        for port, option in ((self.server.port, "--tls"), (self.implicit, "--tls-on-connect")):
            with self.subTest(option):
                done = swaks(port, option)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        messages = self.server.messages()
        self.assertEqual(len(messages), 2)
        for message in messages:
            self.assertRegex(message, rb"with\s+ESMTPS\s+\(TLSv1.3\s+TLS_")
        for record in self.records("transaction"):
            self.assertEqual(record["tls"]["version"], "TLSv1.3")

    def test_commands_behind_starttls_are_not_run(self):
        self.start()
        with Client(self.server.port) as client:
            client.hello()
            client.send("STARTTLS\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<a@example.test>\r\n")
            client.must(220)
            client.socket = any_server().wrap_socket(client.socket)
            self.assertEqual(client.command("RCPT TO:<a@example.test>").code, 503)
            client.must(250, "EHLO client.example.org")
            client.quit()
        wait_until(lambda: "somebody injects commands" in self.server.log(), "the log tells")

    def test_a_session_resumes_on_every_worker(self):
        self.start()
        context = any_server()
        with Encrypted(self.server.port, context=context) as client:
            self.assertFalse(client.socket.session_reused)
            session = client.socket.session
            client.quit()

        def both_have_resumed():
            with Encrypted(self.server.port, context=context, session=session) as client:
                self.assertTrue(client.socket.session_reused)
                client.quit()
            slots = {r["id"].split("-")[1] for r in self.records() if r.get("tls", {}).get("resumed")}
            return slots == {"0", "1"}
        wait_until(both_have_resumed, "both workers have resumed the session")

    def test_a_name_gets_its_certificate(self):
        self.start()
        for name, stem in ((None, "mx"), ("other.example.test", "certs/other"), ("unknown.example", "mx")):
            with self.subTest(name):
                self.assertEqual(self.presented(name), normal(self.files[stem + ".crt"]))

    def test_a_changed_certificate_is_presented_without_a_reload(self):
        self.start()
        old = Encrypted(self.server.port)
        with old:
            fresh = made_files("mx")
            self.replace("mx.key", fresh["mx.key"])  # for a moment the two do not belong together
            self.replace("mx.crt", fresh["mx.crt"])
            for _ in self.server.workers():
                wait_until(lambda: self.presented() == normal(fresh["mx.crt"]), "the new one is presented")
            old.must(250, "NOOP")
            added = made_files("late")
            for name, text in added.items():
                self.replace("certs/" + name, text)
            wait_until(lambda: self.presented("late.example.test") == normal(added["late.crt"]),
                       "the added one is presented")

    def test_a_broken_one_changes_nothing(self):
        self.start()
        self.replace("mx.crt", "rubbish")
        wait_until(lambda: "mx.crt: no certificate in PEM form" in self.server.log(), "the log tells")
        self.assertEqual(self.presented(), normal(self.files["mx.crt"]))
        os.remove(os.path.join(self.server.directory, "certs", "other.key"))
        wait_until(lambda: "other.crt: a certificate without its key" in self.server.log(), "the log tells")
        self.assertEqual(self.presented("other.example.test"), normal(self.files["certs/other.crt"]))
        self.server.workers()
        self.server.kill(1)  # SIGHUP: the same files, judged anew
        wait_until(lambda: "generation 1 goes on" in self.server.log(), "the reload is refused")
        self.assertEqual(self.presented(), normal(self.files["mx.crt"]))

    @unittest.skipUnless(is_root, "wants root")
    def test_a_key_that_only_root_may_read(self):
        directory = temporary_directory(self.addCleanup)
        make_certificate(directory, "mx", "mx.example.test")
        os.chmod(os.path.join(directory, "mx.key"), 0o600)
        config = 'user = "nobody"\n' + CONFIG.replace('= "mx.crt"', f'= "{directory}/mx.crt"').replace(
            '= "mx.key"', f'= "{directory}/mx.key"')
        config = config.replace('certificates_dir = "certs"\n', "").replace('maildir = "@DIR@/maildir"',
                                                                             'to = ["127.0.0.1:9"]')
        self.implicit = free_port()
        self.server = posternd(self.addCleanup, config % self.implicit)
        for worker in self.server.workers():
            status = pathlib.Path(f"/proc/{worker}/status").read_text(encoding="ascii")
            self.assertNotIn("\nUid:\t0\t", status)
        certificate = pathlib.Path(directory, "mx.crt").read_text(encoding="ascii")
        self.assertEqual(self.presented(), normal(certificate))
        fresh = make_certificate(directory, "mx", "mx.example.test")
        os.chmod(os.path.join(directory, "mx.key"), 0o600)
        wait_until(lambda: self.presented() == normal(fresh), "the new one is presented")
        os.kill(self.server.workers()[0], 9)  # its successor has the new one, too
        wait_until(lambda: "the next one starts" in self.server.log(), "a worker is replaced")
        for _ in range(8):
            self.assertEqual(self.presented(), normal(fresh))

    def test_a_slow_handshake_holds_up_nobody(self):
        self.start()
        with contextlib.ExitStack() as stack:
            for _ in range(50):
                slow = stack.enter_context(socket.create_connection(("127.0.0.1", self.implicit)))
                slow.sendall(b"\x16\x03\x01")
            for port, at_once in ((self.server.port, False), (self.implicit, True)):
                with Encrypted(port, at_once) as client:
                    client.envelope("a@example.org", ["b@example.test"])
                    client.quit()


@needs_openssl
class Check(unittest.TestCase):
    """What --check says of [tls]: file, line, key."""

    def told(self, tls, files=None):
        done = run_posternd(self.addCleanup, CHECKED % tls, "--check", files=files)
        return done.returncode, done.stderr

    def assert_told(self, tls, pattern, files=None, status=1):
        code, text = self.told(tls, files)
        self.assertRegex(text, pattern)
        self.assertEqual(code, status, text)

    def test_what_is_wrong(self):
        files = {**made_files("mx", "other"), "rubbish": "rubbish\n"}
        pair = '[tls]\ncertificate = "mx.crt"\nkey = "%s"'
        with self.subTest("good"):
            self.assertEqual(self.told(pair % "mx.key", files), (0, ""))
        with self.subTest("no certificate"):
            self.assert_told("", r"postern.toml:5:7: listen.tls: there is no certificate")
        with self.subTest("without a key"):
            self.assert_told('[tls]\ncertificate = "mx.crt"', r":7:15: tls.certificate: .*mx.crt holds no key", files)
        with self.subTest("another one's key"):
            self.assert_told(pair % "other.key", r":8:7: tls.key: .*other.key: not the key of the certificate in .*mx.crt",
                             files)
        with self.subTest("unreadable"):
            self.assert_told(pair % "nowhere.key", r":8:7: tls.key: .*nowhere.key: No such file or directory", files)
        with self.subTest("rubbish"):
            self.assert_told('[tls]\ncertificate = "rubbish"\nkey = "mx.key"',
                             r":7:15: tls.certificate: .*rubbish: no certificate in PEM form", files)
        with self.subTest("a key alone"):
            self.assert_told('[tls]\nkey = "mx.key"', r":7:7: tls.key: a key without its certificate", files)
        with self.subTest("a folder"):
            self.assert_told('[tls]\ncertificates_dir = "certs"', r":7:20: tls.certificates_dir: .*mx.crt: a certificate",
                             {"certs/mx.crt": files["mx.crt"]})
        with self.subTest("a folder without any"):
            self.assert_told('[tls]\ncertificates_dir = "certs"', r":7:20: tls.certificates_dir: .*certs holds no certificate",
                             {"certs/README": "nothing"})
        with self.subTest("a folder alone is enough"):
            self.assertEqual(self.told('[tls]\ncertificates_dir = "certs"',
                                       {"certs/mx.pem": files["mx.crt"] + files["mx.key"]}), (0, ""))
        with self.subTest("required of whom?"):
            self.assert_told(pair % "mx.key" + '\nclient_certificates = "require"',
                             r":9:23: tls.client_certificates: .*needs tls.client_ca", files)
        with self.subTest("authorities that are none"):
            self.assert_told(pair % "mx.key" + '\nclient_certificates = "ask"\nclient_ca = "rubbish"',
                             r":10:13: tls.client_ca: .*rubbish: no certificates", files)


if __name__ == "__main__":
    unittest.main()
