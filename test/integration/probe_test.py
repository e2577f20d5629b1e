"""`postern downstream probe` with scripted servers and the real ones: what it finds out, and that it does no server
any harm."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import faults
from debian_exim import LIGHT
from harness import *
from peers import EXIM, is_root, posternd_path, reachable_copy, write
from exim_pipe_test import EXIM_CONF


def probe(address, *options):
    """Run to its end; gives the exit status and what it said."""
    program = pathlib.Path(posternd_path()).parent.parent / "cli/postern"
    done = subprocess.run([program, "downstream", "probe", address, *options], capture_output=True,
                          text=True, timeout=LIMIT, stdin=subprocess.DEVNULL, check=False)
    if done.stderr:
        raise RuntimeError(done.stderr)
    return done.returncode, done.stdout


def found(address, *options):
    """The object, and its lines of [forward] as a dictionary."""
    status, text = probe(address, "--json", *options)
    report = json.loads(text)
    lines = dict(line["line"].split(" = ", 1) for line in report["forward"])
    if (status == 0) != report["talks"]:
        raise AssertionError(f"status {status}: {text}")
    return report, lines


class Scripted(unittest.TestCase):
    def test_an_ordinary_server(self):
        server = Downstream(self.addCleanup, capabilities=("PIPELINING", "SIZE 1000", "LIMITS MAILMAX=5"))
        report, lines = found(server.address)
        self.assertEqual(lines, {"to": f'["{server.address}"]', "identity": '"none"', "tls": '"off"',
                                 "messages_per_connection": "5"})
        self.assertEqual(report["extensions"], "PIPELINING SIZE=1000")
        self.assertEqual(report["proxy"], "not needed")
        self.assertEqual(server.ledger, [])

    def test_the_page_is_a_configuration(self):
        server = Downstream(self.addCleanup)
        status, page = probe(server.address)
        self.assertEqual(status, 0)
        config = f'[[listen]]\naddress = "127.0.0.1:0"\n{page}\n[[plugin]]\nuse = "rcpt_accept"\n'
        # tls of the downstream has a test of its own.
        config = "\n".join(line for line in config.splitlines() if not line.startswith("tls = "))
        checked = run_posternd(self.addCleanup, config, "--check")
        self.assertEqual((checked.returncode, checked.stderr), (0, ""), page)

    def test_xforward_and_xclient(self):
        _, lines = found(Downstream(self.addCleanup).address)
        self.assertEqual(lines["identity"], '"xforward"')
        both = Downstream(self.addCleanup, capabilities=("XCLIENT NAME ADDR", "XFORWARD NAME ADDR"))
        _, lines = found(both.address)
        self.assertEqual(lines["identity"], '"xclient"')

    def test_lmtp(self):
        server = Downstream(self.addCleanup, lmtp=True)
        server.on("helo", faults.say("500 5.5.1 what?"), times=1)
        _, lines = found(server.address)
        self.assertEqual(lines["protocol"], '"lmtp"')
        self.assertNotIn("identity", lines)

    def test_whether_unknown_recipients_are_refused(self):
        for said, asked, verifies in (("550 5.1.1 unknown", (), "true"), ("250 2.1.5 yes", (), "false"),
                                      ("450 4.2.0 later", (), "false"),
                                      ("550 5.7.1 not you", ("--recipient", "a@example.net"), "false")):
            server = Downstream(self.addCleanup)
            server.on("rcpt", faults.say(said))
            _, lines = found(server.address, *(asked or ("--domain", "example.net")))
            self.assertEqual(lines["verify_recipients"], verifies, said)
        server = Downstream(self.addCleanup)
        server.on("rcpt", faults.say("550 5.1.1 unknown"), times=1)
        report, lines = found(server.address, "--recipient", "a@example.net")
        self.assertEqual((lines["verify_recipients"], report["recipient"]), ("true", 250))
        self.assertEqual(server.ledger, [])

    def test_one_that_wants_a_proxy_header(self):
        server = Downstream(self.addCleanup, proxy=True)  # version 1, which ends its line
        server.on("connect", faults.say_and_close("421 4.3.0 no header"), times=2)
        status, text = probe(server.address, "--json")
        self.assertEqual(status, 0, text)
        self.assertIn("proxy-v1", text)

    def test_what_is_no_mail_server_is_told_within_its_time(self):
        for fault in (faults.close, faults.reset, faults.garbage, faults.endless_line,
                      faults.endless_reply, faults.say_and_close()):
            server = Downstream(self.addCleanup)
            server.on("greeting", fault)
            report, lines = found(server.address)
            self.assertFalse(report["talks"])
            self.assertEqual(lines, {})
            self.assertTrue(report["trouble"])

    def test_nobody_listens(self):
        report, _ = found(f"127.0.0.1:{free_port()}")
        self.assertIn("refused", report["trouble"])

    def test_arguments(self):
        for arguments in (("nonsense",), ("127.0.0.1:25", "--recipient", "nobody"),
                          ("127.0.0.1:25", "--domain", "a..b")):
            with self.assertRaises(RuntimeError):
                probe(*arguments)


@needs_postfix
class RealPostfix(unittest.TestCase):
    def test_it_is_told_how_postfix_hears_of_clients(self):
        mta = postfix(self.addCleanup)
        report, lines = found(f"127.0.0.1:{mta.port}", "--domain", "example.test")
        self.assertEqual(lines["identity"], '"xclient"')
        self.assertIn("ADDR", report["xclient"].split())
        self.assertEqual(report["proxy"], "not needed")
        self.assertEqual(lines["verify_recipients"], "false")  # this one takes anybody
        report, lines = found(f"127.0.0.1:{mta.proxy_port}")
        self.assertEqual(lines["identity"], '"proxy-v2"')
        self.assertEqual(report["proxy"], "v1 or v2")
        self.assertEqual(mta.messages(), [])


@unittest.skipUnless(is_root and LIGHT.exists() and EXIM.exists(),
                     "Exim is not unpacked under build/peers, or we are not root")
class RealExim(unittest.TestCase):
    def exim(self, program, more=""):
        directory = temporary_directory(self.addCleanup)
        for name in ("spool", "log", "mail"):
            os.mkdir(f"{directory}/{name}")
            shutil.chown(f"{directory}/{name}", "Debian-exim", "Debian-exim")
        port, program = free_port(), reachable_copy(program, directory)
        write(f"{directory}/exim.conf", f"daemon_smtp_ports = {port}\nlocal_interfaces = 127.0.0.1\n"
              f"pid_file_path = {directory}/pid\n{more}" +
              EXIM_CONF.replace("@DIR@", directory).replace("@EXIM@", program))
        server = Process(self.addCleanup, [program, "-C", f"{directory}/exim.conf", "-bdf"],
                         f"{directory}/said")
        server.wait_ready(lambda: answers(port), "Exim listens")
        return f"127.0.0.1:{port}"

    def test_the_light_one(self):
        report, lines = found(self.exim(LIGHT))
        self.assertEqual(lines["identity"], '"none"')
        self.assertTrue(report["remarks"])

    def test_the_heavy_one_that_wants_a_proxy_header(self):
        report, lines = found(self.exim(EXIM, "hosts_proxy = 127.0.0.1\n"), "--domain", "example.test")
        self.assertEqual(lines["identity"], '"proxy-v2"')
        self.assertIn("503", report["trouble"])
        self.assertEqual(report["unknown_recipient"], 250)


if __name__ == "__main__":
    unittest.main()
