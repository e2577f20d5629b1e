"""The harness tries itself: processes, the raw client, the scripted downstream and the real servers."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest
import unittest.mock

from harness import *

HERE = pathlib.Path(__file__).resolve().parent
MESSAGE = "Subject: hello\r\n\r\none\r\n.two\r\n"
STUFFED = b"Subject: hello\r\n\r\none\r\n.two\r\n"


class Processes(unittest.TestCase):
    def start(self, script):
        directory = temporary_directory(self.addCleanup)
        return Process(self.addCleanup, ["sh", "-c", script], os.path.join(directory, "log"))

    def test_stop_ends_the_whole_group(self):
        server = self.start("sleep 300 & sleep 300")
        wait_until(lambda: len(children_of(server.pid)) == 2, "both sleep")
        children = children_of(server.pid)
        server.stop()
        self.assertEqual([pid for pid in children if os.path.exists(f"/proc/{pid}")], [])
        self.assertEqual(server.wait(), -signal.SIGTERM)

    def test_stop_kills_who_ignores_term(self):
        server = self.start("trap '' TERM; echo ready; while :; do sleep 1; done")
        server.wait_ready(lambda: "ready" in server.log())
        start = time.monotonic()
        server.stop()
        self.assertEqual(server.wait(), -signal.SIGKILL)
        self.assertGreater(time.monotonic() - start, 1.9)

    def test_a_program_that_ends_early_is_an_error_at_once_with_its_output(self):
        server = self.start("echo no such thing >&2; exit 3")
        start = time.monotonic()
        with self.assertRaisesRegex(RuntimeError, "(?s)ended with 3.*no such thing"):
            server.wait_ready(lambda: False)
        self.assertLess(time.monotonic() - start, LIMIT / 2)

    def test_wait_until_gives_up_at_its_limit(self):
        with self.assertRaisesRegex(TimeoutError, "the sky falls"):
            wait_until(lambda: False, "the sky falls", limit=0.1)

    def test_a_test_run_that_is_ended_leaves_nothing_behind(self):
        script = ("from harness import *\nimport sys\nd = temporary_directory(lambda f: None)\n"
                  "p = Process(lambda f: None, ['sleep', '300'], d + '/log')\n"
                  "print(p.pid, d, flush=True)\nimport time\ntime.sleep(300)\n")
        with subprocess.Popen([sys.executable, "-c", script], cwd=HERE, text=True,
                              stdout=subprocess.PIPE) as run:
            pid, directory = run.stdout.readline().split()
            self.assertTrue(os.path.exists(f"/proc/{pid}"))
            run.terminate()
            run.wait(LIMIT)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the program has gone")
        self.assertFalse(os.path.exists(directory))


class ScriptedDownstream(unittest.TestCase):
    def setUp(self):
        self.server = Downstream(self.addCleanup)

    def client(self, **options):
        client = Client(self.server.port, **options)
        self.addCleanup(client.close)
        return client

    def test_takes_a_message_and_writes_it_into_the_ledger(self):
        client = self.client()
        self.assertIn("PIPELINING", client.hello())
        reply = client.deliver("a@example.org", ["b@example.test", "c@example.test"], MESSAGE)
        self.assertEqual(reply.code, 250)
        [kept] = self.server.ledger
        self.assertEqual((kept.sender, kept.recipients), ("<a@example.org>",
                                                         ["<b@example.test>", "<c@example.test>"]))
        self.assertEqual(kept.octets, STUFFED)
        self.assertTrue(kept.said)
        self.assertEqual(client.quit().code, 221)

    def test_ends_data_at_crlf_dot_crlf_and_nowhere_else_however_it_arrives(self):
        tricky = b"\n.\n\r\n.\n\n.\r\n\r.\r\r\n..\r\nx"
        client = self.client()
        client.hello()
        client.envelope("a@example.org", ["b@example.test"])
        client.must(354, "DATA")
        client.send_slowly(tricky + b"\r\n.\r\n")
        self.assertEqual(client.reply().code, 250)
        self.assertEqual(self.server.ledger[0].octets, b"\n.\n\r\n\n\n.\r\n\r.\r\r\n.\r\nx\r\n")
        self.assertEqual(client.deliver("a@x.test", ["b@x.test"], "").code, 250)
        self.assertEqual(self.server.ledger[1].octets, b"\r\n")

    def test_keeps_xforward_for_one_transaction(self):
        client = self.client()
        client.hello()
        client.must(250, "XFORWARD ADDR=192.0.2.1 NAME=a+3Db")
        client.deliver("a@x.test", ["b@x.test"], MESSAGE)
        client.deliver("a@x.test", ["b@x.test"], MESSAGE)
        self.assertEqual([m.xforward for m in self.server.ledger],
                         [{"ADDR": "192.0.2.1", "NAME": "a=b"}, {}])

    def test_reads_a_proxy_header(self):
        server = Downstream(self.addCleanup, proxy=True)
        with Client(server.port) as client:
            client.send("PROXY TCP4 192.0.2.1 127.0.0.1 1000 25\r\n")
            client.hello()
            client.deliver("a@x.test", ["b@x.test"], MESSAGE)
        self.assertEqual(server.ledger[0].proxy, "PROXY TCP4 192.0.2.1 127.0.0.1 1000 25")

    def test_answers_for_each_recipient_in_lmtp(self):
        server = Downstream(self.addCleanup, lmtp=True)
        server.on("dot", faults.say("552 5.2.2 full"), times=1)
        with Client(server.port) as client:
            client.must(220)
            client.must(250, "LHLO x.test")
            client.envelope("a@x.test", ["full@x.test", "b@x.test"])
            client.must(354, "DATA")
            client.send_body(MESSAGE)
            self.assertEqual([reply.code for reply in client.replies(2)], [552, 250])
        self.assertEqual([m.recipients for m in server.ledger], [["<b@x.test>"]])

    def test_answers_a_phase_otherwise_as_often_as_told(self):
        self.server.on("rcpt", faults.say("450 4.2.1 busy"), times=1, after=1)
        client = self.client()
        client.hello()
        client.must(250, "MAIL FROM:<a@x.test>")
        codes = [client.command(f"RCPT TO:<{n}@x.test>").code for n in range(3)]
        self.assertEqual(codes, [250, 450, 250])

    def test_a_message_refused_at_the_dot_is_not_in_the_ledger(self):
        self.server.on("dot", faults.say("550 5.7.1 no"))
        client = self.client()
        client.hello()
        self.assertEqual(client.deliver("a@x.test", ["b@x.test"], MESSAGE).code, 550)
        self.assertEqual(self.server.ledger, [])

    def test_a_kept_message_whose_reply_is_lost_is_marked(self):
        self.server.on("dot", faults.keep_then(faults.close))
        client = self.client()
        client.hello()
        with self.assertRaises(ConnectionError):
            client.deliver("a@x.test", ["b@x.test"], MESSAGE)
        self.assertEqual([m.said for m in self.server.ledger], [False])

    def test_every_fault_shows_at_every_phase(self):
        steps = {"greeting": 0, "helo": 1, "mail": 2, "rcpt": 3, "data": 4, "dot": 5}
        for phase, step in steps.items():
            for name, seen in FAULTS_SEEN.items():
                with self.subTest(phase=phase, fault=name):
                    self.server.heal()
                    self.server.on(phase, getattr(faults, name))
                    with self.assertRaises(seen):  # a reset may come as early as in connecting
                        self.talk(self.client(), step, 0.3 if name == "hang" else LIMIT)

    def talk(self, client, step, patience):
        """Up to the reply to `step`, which is awaited for `patience` seconds."""
        lines = ["EHLO x.test", "MAIL FROM:<a@x.test>", "RCPT TO:<b@x.test>", "DATA", "x\r\n."]
        for line in lines[:step]:
            client.reply()
            client.send(line + "\r\n")
        client.timeout = patience
        client.reply()

    def test_an_endless_line_has_no_end_and_an_endless_reply_no_last_line(self):
        for name, marker in {"endless_line": b"250-xxxx", "endless_reply": b"250-and so on\r\n"}.items():
            with self.subTest(name):
                self.server.heal()
                self.server.on("dot", getattr(faults, name))
                client = self.client()
                client.hello()
                client.envelope("a@x.test", ["b@x.test"])
                client.must(354, "DATA")
                client.send_body(MESSAGE)
                got = client.read_at_least(1 << 20)
                self.assertTrue(got.startswith(marker))
                self.assertEqual(got.count(b"\n") == 0, name == "endless_line")
                self.assertNotIn(b"\n250 ", got)
                client.reset()

    def test_refuses_connections_and_listens_again_on_the_same_port(self):
        self.server.refuse()
        with self.assertRaises(ConnectionRefusedError):
            self.client()
        self.server.listen()
        self.assertEqual(self.client().reply().code, 220)

    def test_drops_all_connections_as_a_crash_would(self):
        client = self.client()
        client.hello()
        self.server.drop_all()
        self.assertEqual(client.read_to_end(), b"")
        wait_until(lambda: self.server.open_connections == 0, "the connection has gone")


FAULTS_SEEN = {
    "close": ConnectionError,
    "reset": ConnectionError,
    "hang": TimeoutError,
    "garbage": ProtocolError,
}


class RawClient(unittest.TestCase):
    def test_half_closes_and_still_reads(self):
        server = Downstream(self.addCleanup)
        with Client(server.port) as client:
            client.hello()
            client.send("NOOP\r\n")
            client.half_close()
            self.assertEqual(client.reply().code, 250)
            self.assertEqual(client.read_to_end(), b"")

    def test_resets(self):
        server = Downstream(self.addCleanup)
        client = Client(server.port)
        client.hello()
        client.reset()
        wait_until(lambda: server.open_connections == 0, "the server noticed")

    def test_notices_silence(self):
        server = Downstream(self.addCleanup).on("helo", faults.hang)
        with Client(server.port) as client:
            client.must(220)
            client.send("EHLO x.test\r\n")
            self.assertTrue(client.silent(0.2))

    def test_refuses_replies_that_are_none(self):
        for wrong in ("999 x", "25 x", "250-a\r\n251 b", "250 a\n250 b", "250_a"):
            with self.subTest(wrong):
                server = Downstream(self.addCleanup).on("greeting", faults.say(wrong))
                with Client(server.port) as client, self.assertRaises(ProtocolError):
                    client.reply()


FAKE_POSTERND = """#!{python}
import socket, sys, tomllib
config = tomllib.load(open(sys.argv[2], "rb"))
host, port = config["listen"][0]["address"].split(":")
if "--check" in sys.argv: sys.exit(config["listen"][0].get("status", 0))
server = socket.create_server((host, int(port)))
print("listening in", config["forward"]["maildir"], flush=True)
while True: server.accept()[0].sendall(b"220 fake\\r\\n")
"""
CONFIG = """[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "@DIR@/maildir"
"""


@unittest.skipIf(sys.version_info < (3, 11), "the stand-in for posternd needs Python's tomllib")
class StartsPosternd(unittest.TestCase):
    def setUp(self):
        directory = temporary_directory(self.addCleanup)
        program = pathlib.Path(directory, "posternd")
        program.write_text(FAKE_POSTERND.format(python=sys.executable))
        program.chmod(0o755)
        patch = unittest.mock.patch.dict(os.environ, {"POSTERND": str(program)})
        patch.start()
        self.addCleanup(patch.stop)

    def test_fills_in_port_and_directory_and_waits_for_the_greeting(self):
        server = posternd(self.addCleanup, CONFIG)
        with Client(server.port) as client:
            self.assertEqual(client.reply().text, "fake")
        self.assertIn(f"listening in {server.directory}/maildir", server.log())
        self.assertEqual(server.workers(), [])

    def test_shows_the_output_of_a_posternd_that_does_not_start(self):
        with self.assertRaisesRegex(RuntimeError, "KeyError: 'forward'"):
            posternd(self.addCleanup, CONFIG.split("[forward]")[0])

    def test_runs_a_check_to_its_end(self):
        bad = CONFIG.replace("[forward]", "status = 1\n[forward]")
        self.assertEqual(run_posternd(self.addCleanup, CONFIG, "--check").returncode, 0)
        self.assertEqual(run_posternd(self.addCleanup, bad, "--check").returncode, 1)


class RealServers(unittest.TestCase):
    def try_delivery(self, peer):
        with Client(peer.port) as client:
            client.hello()
            reply = client.deliver("a@example.org", ["b@example.test"], MESSAGE)
            self.assertEqual(reply.code, 250)
            client.quit()
        [message] = wait_until(peer.messages, "the message is delivered")
        self.assertIn(b".two", message)

    @needs_smtp_sink
    def test_smtp_sink_takes_a_message_and_what_smtp_source_sends(self):
        sink = smtp_sink(self.addCleanup)
        with Client(sink.port) as client:
            client.hello()
            self.assertEqual(client.deliver("a@x.test", ["b@x.test"], MESSAGE).code, 250)
        load = smtp_source(sink.port, "-s", 2, "-m", 20, "-l", 500)
        self.assertEqual(load.returncode, 0, load.stderr)

    @needs_swaks
    def test_swaks_delivers_to_the_scripted_downstream(self):
        server = Downstream(self.addCleanup)
        ran = swaks(server.port, "--body", "by swaks")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn(b"by swaks", server.ledger[0].octets)

    @needs_postfix
    def test_postfix_delivers_and_takes_xforward_xclient_and_proxy(self):
        server = postfix(self.addCleanup)
        self.try_delivery(server)
        with Client(server.port) as client:
            keywords = [line.split()[0] for line in client.hello()]
            self.assertIn("XFORWARD", keywords)
            self.assertIn("XCLIENT", keywords)
        with Client(server.proxy_port) as client:
            client.send("PROXY TCP4 192.0.2.1 127.0.0.1 1000 25\r\n")
            client.hello()
        wait_until(lambda: "192.0.2.1" in server.log(), "Postfix logs the client of the header")
        server.stop()
        self.assertFalse(answers(server.port))

    @needs_exim
    def test_exim_delivers_refuses_and_takes_proxy(self):
        server = exim(self.addCleanup)
        self.try_delivery(server)
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@example.org>")
            self.assertEqual(client.command("RCPT TO:<reject@example.test>").code, 550)
            self.assertEqual(client.command("RCPT TO:<defer@example.test>").code, 451)
        with Client(server.port, source="127.0.0.2") as client:
            client.send("PROXY TCP4 192.0.2.1 127.0.0.1 1000 25\r\n")
            self.assertIn("[192.0.2.1]", self.greet(client))
        server.stop()
        self.assertFalse(answers(server.port))

    @staticmethod
    def greet(client):
        client.must(220)
        return client.must(250, "EHLO client.example.org").text


if __name__ == "__main__":
    unittest.main()
