"""The plugin pipe with real programs: Postfix's sendmail, exim -bS, a qmail-queue by script; what they may do, how
they are killed, and that none ever takes half a message for a whole one."""

import os
import pathlib
import shutil
import signal
import unittest

from debian_exim import LIGHT
from exim_pipe_test import EXIM_CONF
from harness import *
from peers import is_root, reachable_copy, write
from programs import helper, programs, script

CONFIG = """
hostname = "mx.example.test"
workers = 1
%s
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["127.0.0.1:9"]
[[program]]
name = "it"
manner = "%s"
command = %s
timeout = "%s"
[[plugin]]
use = "pipe"
program = "it"
[[plugin]]
use = "rcpt_accept"
"""
MESSAGE = b"From: you@example.org\r\nMessage-Id: <1@example.org>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nSubject: by program\r\n\r\n.dots\r\nand text\r\n"
SENDER, RECIPIENT = "you@example.org", "someone@example.test"


class Piped(unittest.TestCase):
    def start(self, manner, command, timeout="30s", top=""):
        words = "[" + ", ".join(f'"{word}"' for word in command) + "]"
        self.server = posternd(self.addCleanup, CONFIG % (top, manner, words, timeout))

    def assert_logged(self, text):
        wait_until(lambda: text in self.server.log(), f"“{text}” in the log")

    def folder(self):
        directory = temporary_directory(self.addCleanup)
        os.chmod(directory, 0o777)
        return directory

    def client(self):
        client = Client(self.server.port)
        self.addCleanup(client.close)
        client.hello()
        return client

    def deliver(self, recipients=(RECIPIENT,), message=MESSAGE):
        return self.client().deliver(SENDER, list(recipients), message)


class Scripts(Piped):
    def test_a_qmail_queue_gets_the_message_and_the_envelope(self):
        out = self.folder()
        self.start("qmail-queue", [script(out, "queue", f"cat >{out}/message\ncat <&1 >{out}/envelope\n")])
        self.assertEqual(self.deliver([RECIPIENT, "b@example.test"]).code, 250)
        self.assertEqual(pathlib.Path(out, "envelope").read_bytes(),
                         b"Fyou@example.org\0Tsomeone@example.test\0Tb@example.test\0\0")
        message = pathlib.Path(out, "message").read_bytes()
        self.assertTrue(message.endswith(MESSAGE.replace(b"\r\n", b"\n")), message)

    def test_its_status_is_the_answer(self):
        out = self.folder()
        queue = script(out, "queue", f"cat >/dev/null; exit $(cat {out}/status)\n")
        self.start("qmail-queue", [queue])
        for status, code in ((0, 250), (31, 554), (53, 451), (81, 451)):
            pathlib.Path(out, "status").write_text(str(status), encoding="ascii")
            self.assertEqual(self.deliver().code, code, status)
        self.assert_logged("status 53")

    def test_what_it_says_is_in_the_log_and_bounded(self):
        out = self.folder()
        noisy = script(out, "noisy", "cat >/dev/null\nyes 'I am full' | head -c 1000000 >&2\nexit 75\n")
        self.start("sendmail", [noisy])
        self.assertEqual(self.deliver().code, 451)
        self.assert_logged("status 75: I am full")
        self.assertLess(len(self.server.log()), 100_000)

    def test_a_large_message_through_a_slow_reader(self):
        out = self.folder()
        self.start("sendmail", [script(out, "slow", f"sleep 1; cat >{out}/message\n")])
        body = MESSAGE + b"0123456789abcdef\r\n" * 500_000
        self.assertEqual(self.deliver(message=body).code, 250)
        self.assertTrue(pathlib.Path(out, "message").read_bytes().endswith(body.replace(b"\r\n", b"\n")))

    def test_one_that_stops_reading_and_ends_is_no_promise(self):
        out = self.folder()
        self.start("sendmail", [script(out, "lazy", "head -c 10 >/dev/null; exit 0\n")])
        self.assertEqual(self.deliver(message=MESSAGE + b"x" * 70 + b"\r\n" * 3_000_000).code, 451)

    def test_one_that_hangs_is_killed_with_all_that_it_started(self):
        out = self.folder()
        self.start("sendmail", [script(out, "hang", f"sleep 1000 & echo $! >{out}/pid; wait\n")], "1s")
        self.assertEqual(self.deliver().code, 451)
        child = int(pathlib.Path(out, "pid").read_text(encoding="ascii"))
        wait_until(lambda: not os.path.exists(f"/proc/{child}") or self.is_zombie(child), "it has gone")
        wait_until(lambda: not programs(self.server), "nothing is left")

    @staticmethod
    def is_zombie(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            return True

    def test_a_worker_that_is_killed_in_the_middle_ends_no_input(self):
        out = self.folder()
        taking = script(out, "taking", f"touch {out}/began; cat >{out}/message; touch {out}/whole\n")
        self.start("sendmail", [script(out, "slow", f"touch {out}/runs; sleep 2; exec {taking} \"$@\"\n")])
        client = self.client()
        client.envelope(SENDER, [RECIPIENT])
        client.must(354, "DATA")
        client.send_body(MESSAGE + b"0123456789abcdef\r\n" * 500_000)
        wait_until(lambda: os.path.exists(f"{out}/runs"), "it runs")
        helping = helper(self.server)
        for worker in self.server.workers():
            if worker != helping:
                os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not programs(self.server), "it is killed")
        self.assertFalse(os.path.exists(f"{out}/whole"))

    def test_a_program_that_is_not_there_any_more_defers(self):
        out = self.folder()
        path = script(out, "gone", "exit 0\n")
        self.start("sendmail", [path])
        os.unlink(path)
        self.assertEqual(self.deliver().code, 451)
        self.assert_logged("No such file")

    def test_options_in_addresses_are_refused(self):
        out = self.folder()
        self.start("sendmail", [script(out, "show", f"cat >/dev/null; printf '%s\\n' \"$@\" >{out}/arguments\n"),
                                "--first"])
        client = self.client()
        client.must(250, f"MAIL FROM:<{SENDER}>")
        client.must(501, "RCPT TO:<-oQ/tmp@example.test>")
        client.must(250, 'RCPT TO:<"$(touch x)"@example.test>')
        client.must(354, "DATA")
        client.send_body(MESSAGE)
        client.must(250)
        self.assertEqual(pathlib.Path(out, "arguments").read_text(encoding="ascii").splitlines(),
                         ["--first", "-i", "-f", SENDER, "--", '"$(touch x)"@example.test'])

    @unittest.skipUnless(is_root, "wants root")
    def test_programs_run_as_our_user_and_may_still_be_setuid(self):
        out = self.folder()
        show = script(out, "show", f"cat >/dev/null; cat /proc/self/status >{out}/status; env >{out}/env; ls -l /proc/self/fd >{out}/fds\n")
        self.start("sendmail", [show], top='user = "nobody"\ngroup = "nogroup"')
        self.assertEqual(self.deliver().code, 250)
        status = dict(line.split(":", 1) for line in
                      pathlib.Path(out, "status").read_text(encoding="ascii").splitlines() if ":" in line)
        self.assertEqual(status["Uid"].split(), ["65534"] * 4)
        self.assertEqual(status["Gid"].split(), ["65534"] * 4)
        self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(int(status["CapPrm"], 16), 0)
        self.assertEqual(status["NoNewPrivs"].strip(), "0")
        self.assertEqual(status["CapBnd"].strip(), self.ours("CapBnd"))
        self.assertNotIn("HOME", pathlib.Path(out, "env").read_text(encoding="utf-8"))
        descriptors = pathlib.Path(out, "fds").read_text(encoding="utf-8").splitlines()[1:]
        self.assertLessEqual(len(descriptors), 4, descriptors)  # and the one that ls reads

    @staticmethod
    def ours(key):
        with open("/proc/self/status", encoding="ascii") as status:
            return next(line.split()[1] for line in status if line.startswith(key))

    @unittest.skipUnless(is_root, "wants root")
    def test_programs_that_come_with_a_reload_want_a_restart(self):
        plain = CONFIG.split("[[program]]", maxsplit=1)[0] % 'user = "nobody"\ngroup = "nogroup"'
        plain += '[[plugin]]\nuse = "rcpt_accept"\n'
        self.server = posternd(self.addCleanup, plain)
        path = pathlib.Path(self.server.directory, "postern.toml")
        path.write_text(path.read_text(encoding="utf-8") +
                        '[[program]]\nname = "x"\ncommand = ["/bin/true"]\n', encoding="utf-8")
        self.server.kill(signal.SIGHUP)
        wait_until(lambda: "restart posternd" in self.server.log(), "it says so")
        self.client()


@needs_postfix
class PostfixSendmail(Piped):
    def test_its_sendmail_takes_a_message(self):
        mta = postfix(self.addCleanup)
        self.start("sendmail", ["/usr/sbin/sendmail", "-C", mta.config])
        self.assertEqual(self.deliver().code, 250)
        wait_until(mta.messages, "the message arrives")
        (message,) = mta.messages()
        self.assertTrue(message.endswith(MESSAGE.replace(b"\r\n", b"\n")), message)


@unittest.skipUnless(is_root and LIGHT.exists(),
                     "exim4-daemon-light is not unpacked under build/peers, or we are not root")
class EximBatch(Piped):
    def setUp(self):
        self.directory = temporary_directory(self.addCleanup)
        for name in ("spool", "log", "mail"):
            os.mkdir(f"{self.directory}/{name}")
            shutil.chown(f"{self.directory}/{name}", "Debian-exim", "Debian-exim")
        program = reachable_copy(LIGHT, self.directory)
        write(f"{self.directory}/exim.conf", EXIM_CONF.replace("@DIR@", self.directory)
              .replace("@EXIM@", program).replace("acl_smtp_connect", "acl_not_smtp = accept\n#"))
        self.start("bsmtp", [program, "-C", f"{self.directory}/exim.conf", "-bS"])

    def mail(self):
        return messages_in(f"{self.directory}/mail")

    def test_a_batch_is_taken(self):
        self.assertEqual(self.deliver().code, 250)
        wait_until(self.mail, "the message arrives")
        (message,) = self.mail()
        self.assertTrue(message.endswith(MESSAGE.replace(b"\r\n", b"\n")), message)
        self.assertIn(b"(envelope-from <you@example.org>)", message)


if __name__ == "__main__":
    unittest.main()
