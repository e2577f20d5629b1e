"""The control socket and the commands that use it: status, reload, stop; and who may not harm it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import unittest

from harness import *
from peers import posternd_path

COMMAND = os.path.join(os.path.dirname(os.path.dirname(posternd_path())), "cli", "postern")
CONFIG = """
hostname = "mx.example.test"
workers = 2
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "maildir"
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""
MESSAGE = "Subject: hello\r\n\r\nhello\r\n"


class Test(unittest.TestCase):
    def start(self, config=CONFIG):
        server = posternd(self.addCleanup, config)
        self.path = os.path.join(server.directory, "postern.control")
        wait_until(lambda: self.status(server)["workers"] and self.healthy(server), "it is well")
        return server

    def run_command(self, server, *words, directory=None):
        config = os.path.join(directory or server.directory, "postern.toml")
        return subprocess.run([COMMAND, "--config", config, *words], capture_output=True, text=True,
                              timeout=2 * LIMIT, stdin=subprocess.DEVNULL, check=False)

    def lines(self, server):
        return [json.loads(line) for line in self.run_command(server, "status", "--json").stdout.splitlines()]

    def status(self, server):
        """The master's line."""
        lines = self.lines(server)
        return lines[-1] if lines else {"workers": [], "counters": {}, "healthy": False}

    def healthy(self, server):
        return self.run_command(server, "status", "--json").returncode == 0

    def rewrite(self, server, config):
        with open(os.path.join(server.directory, "postern.toml"), "w", encoding="utf-8") as file:
            file.write(config.replace("@PORT@", str(server.port)))

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(self.path)  # waits where there is no room
        client.settimeout(LIMIT)
        return client

    def answer(self, client):
        """All that it says until it closes."""
        said = b""
        with contextlib.suppress(ConnectionResetError):  # it has not read all that we sent
            while got := client.recv(65536):
                said += got
        return [json.loads(line) for line in said.splitlines()]


class Status(Test):
    def test_each_worker_answers_and_the_master_sums_up(self):
        server = self.start()
        *workers, master = self.lines(server)
        self.assertEqual(sorted(line["pid"] for line in workers), sorted(server.workers()))
        self.assertEqual(sorted(line["worker"] for line in workers), [0, 1])
        self.assertEqual({line["generation"] for line in workers}, {1})
        self.assertEqual(master["pid"], server.pid)
        self.assertEqual(master["configuration"], os.path.join(server.directory, "postern.toml"))
        self.assertEqual((master["state"], master["generation"], master["silent"]), ("running", 1, []))
        self.assertEqual(master["listening"], [f"127.0.0.1:{server.port}"])
        self.assertEqual({worker["state"] for worker in master["workers"]}, {"serving"})

    def test_for_people_it_is_a_page(self):
        server = self.start()
        ran = self.run_command(server, "status")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        for part in (r"^posternd \d+\.\d+\.\d+, /.*/postern.toml, pid \d+, since 20..-..-.. ..:..:.. UTC$",
                     r"^running; generation 1 since ", rf"^listening on 127.0.0.1:{server.port}$",
                     r"^ +0 +1 +\d+ serving +\d+ +[0-9.]+ ms +\d+ s +0$", r"^  messages +0 accepted"):
            self.assertRegex(ran.stdout, f"(?m){part}")

    def test_downstreams_are_told_with_what_became_of_them(self):
        lives, gone = Downstream(self.addCleanup), Downstream(self.addCleanup)
        gone.refuse()
        server = self.start(CONFIG.replace('maildir = "maildir"', f'to = ["{gone.address}", "{lives.address}"]'))
        with Client(server.port) as client:
            client.hello()
            self.assertEqual(client.deliver("a@example.org", ["b@example.test"], MESSAGE).code, 250)
        servers = [each for worker in self.lines(server)[:-1]
                   for pool in worker["downstreams"] for each in pool["servers"]]
        met = {each["to"]: (each["up"], each["opened"], each["failed"])
               for each in servers if each["opened"] or each["failed"]}
        self.assertEqual(met, {gone.address: (False, 0, 1), lives.address: (True, 1, 0)})
        page = self.run_command(server, "status").stdout
        self.assertRegex(page, rf"(?m)^{gone.address} +down for 1 of 2 +0 +0 +1 +0$")
        self.assertRegex(page, rf"(?m)^{lives.address} +up +1 +1 +0 +0$")

    def test_what_was_counted_survives_the_worker_that_counted(self):
        server = self.start()
        with Client(server.port) as client:
            client.hello()
            self.assertEqual(client.deliver("a@example.org", ["b@example.test"], MESSAGE).code, 250)
            client.must(250, "MAIL FROM:<a@example.org>")
            client.must(550, "RCPT TO:<b@elsewhere.example>")
            client.quit()

        def counted():
            counters = self.status(server)["counters"]
            return all((counters.get("messages_accepted") == 1, counters.get("recipients_refused") == 1,
                        counters.get("transactions") == 2, counters.get("recipients_accepted") == 1))
        wait_until(counted, "all is counted")
        before = self.status(server)["counters"]
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: self.status(server)["counters"]["workers_lost"] == 2, "both are missed")
        wait_until(lambda: self.healthy(server), "both are replaced")
        after = self.status(server)
        self.assertEqual({**after["counters"], "workers_lost": 0}, before)
        self.assertEqual([worker["restarts"] for worker in after["workers"]], [1, 1])
        self.assertEqual(before["message_octets"], len(MESSAGE))

    def test_draining_workers_answer_too(self):
        server = self.start()
        client = Client(server.port)
        self.addCleanup(client.close)
        client.hello()
        client.must(250, "MAIL FROM:<a@example.org>")
        self.assertEqual(self.run_command(server, "reload").returncode, 0)
        wait_until(lambda: len(self.status(server)["workers"]) == 3, "one has a session to finish")
        *workers, master = self.lines(server)
        self.assertEqual(sorted((line["generation"], line["draining"]) for line in workers),
                         [(1, True), (2, False), (2, False)])
        self.assertTrue(master["healthy"])

    def test_who_is_silent_is_named(self):
        server = self.start()
        victim = server.workers()[0]
        os.kill(victim, signal.SIGSTOP)
        ran = self.run_command(server, "status", "--json")
        os.kill(victim, signal.SIGCONT)
        *workers, master = [json.loads(line) for line in ran.stdout.splitlines()]
        self.assertEqual(ran.returncode, 1)
        self.assertEqual([line["pid"] for line in master["silent"]], [victim])
        self.assertEqual(len(workers), 1)

    def test_nobody_runs(self):
        directory, _ = configure_postern(self.addCleanup, CONFIG)
        for word in ("status", "reload", "stop"):
            ran = self.run_command(None, word, directory=directory)
            self.assertEqual((ran.returncode, ran.stdout), (3, ""))
            self.assertRegex(ran.stderr, "^postern: no posternd runs with .*; nobody listens on .*Start it with"
                             .replace("; nobody", ": nobody"))


class Reload(Test):
    def test_a_good_one(self):
        server = self.start()
        self.rewrite(server, CONFIG.replace("mx.", "new."))
        ran = self.run_command(server, "reload")
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "generation 2 is ready\n", ""))
        self.assertTrue(answers(server.port, b"220 new.example.test"))

    def test_a_bad_one_tells_its_problems(self):
        server = self.start()
        self.rewrite(server, CONFIG + "nonsense = 1\n")
        ran = self.run_command(server, "reload")
        self.assertEqual(ran.returncode, 1)
        self.assertRegex(ran.stderr, r"postern.toml:11:1: plugin.nonsense: no such key(.|\n)*"
                         r"postern: not reloaded; generation 1 goes on\n$")
        page = self.run_command(server, "status")
        self.assertEqual(page.returncode, 0)
        self.assertIn("plugin.nonsense: no such key", page.stdout)
        self.rewrite(server, CONFIG)
        self.assertEqual(self.run_command(server, "reload").returncode, 0)
        self.assertNotIn("refused_reload", self.status(server))

    def test_two_at_once_both_hear_the_verdict(self):
        server = self.start()
        config = os.path.join(server.directory, "postern.toml")
        runs = [subprocess.Popen([COMMAND, "--config", config, "reload"], stdout=subprocess.PIPE, text=True)
                for _ in range(3)]
        said = sorted(run.communicate(timeout=2 * LIMIT)[0] for run in runs)
        self.assertEqual([run.returncode for run in runs], [0, 0, 0])
        self.assertTrue(all(line.startswith("generation ") for line in said), said)

    def test_the_socket_moves(self):
        server = self.start()
        self.rewrite(server, CONFIG + '[control]\nsocket = "elsewhere"\n')
        server.kill(signal.SIGHUP)
        wait_until(lambda: self.healthy(server), "it answers there")
        self.assertFalse(os.path.exists(self.path))

    def test_stop_waits_for_the_sessions(self):
        server = self.start()
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@example.org>")
            config = os.path.join(server.directory, "postern.toml")
            run = subprocess.Popen([COMMAND, "--config", config, "stop"], stdout=subprocess.PIPE, text=True)
            wait_until(lambda: self.status(server).get("state") == "stopping", "it drains")
            self.assertIsNone(run.poll())
            client.must(250, "RSET")
        self.assertEqual(run.communicate(timeout=LIMIT)[0], "posternd has ended\n")
        self.assertEqual((run.returncode, server.wait()), (0, 0))
        self.assertFalse(os.path.exists(self.path))


class Socket(Test):
    def test_its_mode_lets_owner_and_group_in(self):
        self.start()
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o660)

    def test_one_that_a_killed_master_left_is_replaced(self):
        server = self.start()
        server.kill(signal.SIGKILL)
        server.wait()
        self.assertTrue(os.path.exists(self.path))
        self.assertEqual(self.run_command(server, "status").returncode, 3)
        wait_until(lambda: not answers(server.port), "the workers have closed their sockets")
        successor = Process(self.addCleanup, server.command, os.path.join(server.directory, "second.log"))
        successor.wait_ready(lambda: self.healthy(server), "the next one answers")

    def refused(self, config, prepare=lambda directory: None):
        directory, _ = configure_postern(self.addCleanup, config)
        prepare(directory)
        ran = subprocess.run([posternd_path(), "--config", f"{directory}/postern.toml"], capture_output=True,
                             text=True, timeout=LIMIT, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(ran.returncode, 1, ran)
        return ran.stderr.replace(directory, "DIR")

    def test_two_masters_do_not_share_one(self):
        self.start()
        self.assertEqual(
            self.refused(CONFIG + f'[control]\nsocket = "{self.path}"\n').replace(self.path, "PATH"),
            "control.socket: another posternd listens on PATH; change it in DIR/postern.toml, or let the user "
            "of posternd write to its folder\n")

    def test_what_is_no_socket_stays(self):
        config = CONFIG + '[control]\nsocket = "precious"\n'
        said = self.refused(config, lambda folder: open(f"{folder}/precious", "x", encoding="ascii").close())
        self.assertIn("DIR/precious is there and is no socket", said)

    def test_a_path_that_is_too_long(self):
        said = self.refused(CONFIG + f'[control]\nsocket = "/{"x" * 107}"\n')
        self.assertEqual(said, "DIR/postern.toml:12:10: control.socket: has 108 octets with its folder, and the "
                         "path of a socket at most 107; name a shorter one\n")

    def test_without_a_place_for_it_mail_flows_all_the_same(self):
        def block(directory):
            os.mkdir(f"{directory}/postern.control")
        directory, port = configure_postern(self.addCleanup, CONFIG)
        block(directory)
        server = Process(self.addCleanup, [posternd_path(), "--config", f"{directory}/postern.toml"],
                         f"{directory}/log")
        server.wait_ready(lambda: answers(port, b"220"), "it greets")
        self.assertIn("does not reach this posternd", server.log())

    def test_nonsense_costs_its_connection_only(self):
        server = self.start()
        for octets in (b"\n", b"status\n", b"{}\n", b"[]\n", b'{"command":7}\n', b'{"command":"dance"}\n',
                       b"\0\xff\n", b'{"command":' + b"[" * 4000 + b"\n", b"x" * 5000):
            client = self.connect()
            with contextlib.suppress(BrokenPipeError):
                client.sendall(octets)
            [line] = self.answer(client)
            self.assertEqual(list(line), ["error"], octets[:20])
        self.assertTrue(self.healthy(server))

    def test_a_line_in_pieces(self):
        self.start()
        client = self.connect()
        for octet in b'{"command":"status"}\n':
            client.sendall(bytes([octet]))
        self.assertTrue(self.answer(client)[-1]["healthy"])

    def test_slow_clients_lose_their_place(self):
        server = self.start()
        slow = [self.connect() for _ in range(40)]  # more than there are places
        slow[0].sendall(b'{"comm')
        self.assertEqual(slow[0].recv(1), b"")  # after ten seconds
        wait_until(lambda: self.healthy(server), "others get an answer")

    def test_who_does_not_read_or_goes_away_harms_nobody(self):
        server = self.start()
        for _ in range(20):
            client = self.connect()
            client.sendall(b'{"command":"status"}\n')
            client.close()
        deaf = self.connect()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        deaf.sendall(b'{"command":"reload"}\n')
        self.assertTrue(self.healthy(server))
        self.assertTrue(answers(server.port, b"220"))


if __name__ == "__main__":
    unittest.main()
