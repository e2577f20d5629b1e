"""posternd as an administrator meets it: start and its errors, signals, workers that die or hang, the end
of the master, limits, reload, privileges."""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import *
from peers import is_root, posternd_path
from process import as_nobody

CONFIG = """
hostname = "mx.example.test"
workers = 2
drain_timeout = "60s"

[[listen]]
address = "127.0.0.1:@PORT@"

[forward]
maildir = "maildir"

[[plugin]]
use = "rcpt_accept"
"""
MESSAGE = "Subject: hello\r\n\r\nhello\r\n"
ENVELOPE = ("a@example.org", ["b@example.test"])
needs_root = unittest.skipUnless(is_root, "wants root")


def messages_of(server):
    """What the log says, as (level, message)."""
    whole = server.log().split("\n")[:-1]  # the last one may be half written
    lines = [json.loads(line) for line in whole if line.startswith("{")]
    return [(line["level"], line["message"]) for line in lines if "message" in line]


def says(server, pattern):
    return [text for _, text in messages_of(server) if re.search(pattern, text)]


def busy_seconds(pid):
    """Processor time that the process has used."""
    with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Test(unittest.TestCase):
    def start(self, config=CONFIG, **options):
        return posternd(self.addCleanup, config, **options)

    def client(self, server, hello=True, **options):
        client = Client(server.port, **options)
        self.addCleanup(client.close)
        if hello:
            client.hello()
        return client

    def half_sent(self, server):
        """A client in the middle of its message."""
        client = self.client(server)
        client.envelope(*ENVELOPE)
        client.must(354, "DATA")
        client.send("Subject: slow\r\n\r\nfirst half\r\n")
        return client

    def finish(self, client):
        client.send("second half\r\n.\r\n")
        return client.reply()

    def assert_gone(self, pids):
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "all have gone")

    def assert_refused(self, port):
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=LIMIT)


class Start(Test):
    def test_starts_its_workers_and_takes_mail(self):
        server = self.start()
        self.assertEqual(len(server.workers()), 2)
        self.assertEqual(self.client(server).deliver(*ENVELOPE, MESSAGE).code, 250)
        [message] = server.messages()
        self.assertTrue(message.endswith(b"\r\n\r\nhello\r\n") or message.endswith(b"\n\nhello\n"))

    def test_port_0_takes_a_free_port_and_tells_which(self):
        server = Postern(self.addCleanup, *configure_postern(
            self.addCleanup, CONFIG.replace("@PORT@", "0")))
        [line] = server.wait_ready(lambda: says(server, "^listening on "), "it listens")
        port = int(line.rpartition(":")[2])
        for _ in range(8):  # the kernel spreads them over the sockets of both workers
            with Client(port) as client:
                client.must(220)

    def test_runs_as_many_workers_as_there_are_cores(self):
        server = self.start(CONFIG.replace("workers = 2\n", ""))
        self.assertLessEqual(1, len(server.workers()))
        self.assertLessEqual(len(server.workers()), len(os.sched_getaffinity(0)))

    def test_serves_several_addresses_with_every_worker(self):
        extra = free_port()
        server = self.start(CONFIG + f'[[listen]]\naddress = "127.0.0.1:{extra}"\n')
        wait_until(lambda: len(says(server, "^listening on ")) == 2, "it names both")
        for port in (server.port, extra) * 4:
            self.assertTrue(answers(port, b"220 mx.example.test"))

    @needs_root
    def test_runs_as_an_ordinary_user(self):
        directory, port = configure_postern(self.addCleanup, CONFIG)
        os.chmod(directory, 0o777)
        server = Process(self.addCleanup, as_nobody([
            posternd_path(), "--config", f"{directory}/postern.toml"]), f"{directory}/log")
        server.port = port
        server.wait_ready(lambda: answers(port, b"220"), "it greets")
        self.assertEqual(self.client(server).deliver(*ENVELOPE, MESSAGE).code, 250)
        self.assertEqual(len(messages_in(f"{directory}/maildir")), 1)


class BadStart(Test):
    """Each mistake: one line with its place and what to do, exit status 1, nothing left running."""

    def refused(self, config, files=None, prefix=(), arguments=()):
        directory, port = configure_postern(self.addCleanup, config, files)
        if "--reuid=nobody" in prefix or 'user = "nobody"' in config:
            shutil.chown(directory, "nobody")
        path = os.path.join(directory, "postern.toml")
        ran = subprocess.run([*prefix, posternd_path(), "--config", path, *arguments], text=True,
                             capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(ran.returncode, 1, ran)
        self.assertEqual(ran.stdout, "")
        self.assert_refused(port)
        text = ran.stderr.replace(directory, "DIR").replace(str(port), "PORT")
        return text.splitlines()

    def assert_told(self, config, line, **options):
        """At start, by --check and by the command: the same line."""
        self.assertEqual(self.refused(config, **options), [line])
        self.assertEqual(self.refused(config, arguments=["--check"], **options), [line])

    def test_unknown_key(self):
        self.assert_told(CONFIG + "[limits]\nsession = 1\n",
                         "DIR/postern.toml:15:1: limits.session: no such key; did you mean 'sessions'?")

    def test_wrong_type(self):
        self.assert_told('workers = "two"\n' + CONFIG.replace("workers = 2\n", ""),
                         "DIR/postern.toml:1:11: workers: expected an integer, found a string")

    def test_every_mistake_at_once(self):
        lines = self.refused('usr = "nobody"\n' + CONFIG.replace("maildir =", "mail_dir ="))
        self.assertEqual(len(lines), 3, lines)
        self.assertRegex(lines[0], "postern.toml:1:1: usr: .*'user'")

    def test_missing_configuration_file(self):
        for arguments in ([], ["--check"]):
            ran = subprocess.run([posternd_path(), "--config", "/nowhere/postern.toml", *arguments],
                                 capture_output=True, text=True, timeout=LIMIT, check=False)
            self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (
                1, "", "/nowhere/postern.toml: No such file or directory; name the configuration file "
                "with --config\n"))

    @needs_root
    def test_unreadable_configuration_file(self):
        directory, _ = configure_postern(self.addCleanup, CONFIG)
        os.chmod(f"{directory}/postern.toml", 0o600)
        ran = subprocess.run(as_nobody([posternd_path(), "--config", f"{directory}/postern.toml"]),
                             capture_output=True, text=True, timeout=LIMIT, check=False)
        self.assertEqual((ran.returncode, ran.stderr), (
            1, f"{directory}/postern.toml: Permission denied; name the configuration file with --config\n"))

    def test_missing_list(self):
        config = CONFIG.replace('use = "rcpt_accept"', 'use = "rcpt_ok"\nrecipients_file = "people"')
        self.assert_told(config, "DIR/postern.toml:14:19: plugin.recipients_file: DIR/people: "
                         "No such file or directory")

    def test_unknown_user(self):
        self.assert_told('user = "nobdy"\n' + CONFIG,
                         "DIR/postern.toml:1:8: user: no user 'nobdy' on this system")

    @needs_root
    def test_folder_that_the_configured_user_cannot_write_to(self):
        config = 'user = "nobody"\n' + CONFIG + '[spool]\ndirectory = "/root"\n'
        self.assert_told(config, "DIR/postern.toml:16:13: spool.directory: /root: Permission denied; "
                         "name a folder that we may write to")

    def test_log_file_in_a_folder_that_is_not_there(self):
        self.assert_told(CONFIG + '[log]\ntarget = "file:/nowhere/log"\n',
                         "DIR/postern.toml:15:10: log.target: /nowhere/log: No such file or directory; "
                         "make its folder, and let our user write to it")

    def test_port_in_use(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        self.assertEqual(self.refused(CONFIG.replace("127.0.0.1:@PORT@", address)), [
            f"listening on {address}: Address already in use; another mail server? Stop it, or change "
            "the [[listen]] address in DIR/postern.toml"])

    def test_port_in_use_by_another_posternd_of_the_same_user(self):
        other = self.start()
        [line] = self.refused(CONFIG.replace("@PORT@", str(other.port)))
        self.assertRegex(line, "Address already in use")
        self.assertTrue(answers(other.port, b"220"))

    def test_address_of_no_interface(self):
        self.assertEqual(self.refused(CONFIG.replace("127.0.0.1", "192.0.2.1")), [
            "listening on 192.0.2.1:PORT: Cannot assign requested address; no interface of this "
            "machine has that address; change it in DIR/postern.toml"])

    @needs_root
    def test_low_port_without_the_right_to_it(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as limit:
            if int(limit.read()) <= 77:
                self.skipTest("every user may listen on port 77 here")
        self.assertEqual(self.refused(CONFIG.replace("@PORT@", "77"), prefix=as_nobody([])), [
            "listening on 127.0.0.1:77: Permission denied; ports below 1024 want root or "
            "CAP_NET_BIND_SERVICE; start posternd with one of them, or take a higher port in "
            "DIR/postern.toml"])

    def test_limit_of_open_files_that_leaves_no_room_for_sessions(self):
        [line] = self.refused(CONFIG, prefix=["prlimit", "--nofile=48:48"])
        self.assertRegex(line, r"^a process may have 48 open files, and a worker needs \d+ or more; "
                         r"raise the limit \(ulimit -n, LimitNOFILE=\)$")

    def test_unknown_option(self):
        ran = subprocess.run([posternd_path(), "--chekc"], capture_output=True, text=True, timeout=LIMIT,
                             check=False)
        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn("--chekc", ran.stderr)

    def test_check_of_a_good_file(self):
        ran = run_posternd(self.addCleanup, CONFIG, "--check")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertRegex(ran.stdout, "^/.*/postern.toml: no problems\n$")

    def test_the_command_checks_like_the_daemon(self):
        command = os.path.join(os.path.dirname(os.path.dirname(posternd_path())), "cli", "postern")
        for config in (CONFIG, CONFIG + "nonsense = 1\n"):
            directory, _ = configure_postern(self.addCleanup, config)
            path = os.path.join(directory, "postern.toml")
            said = [subprocess.run(words, capture_output=True, text=True, timeout=LIMIT, check=False)
                    for words in ([posternd_path(), "--config", path, "--check"],
                                  [command, "--config", path, "check"])]
            self.assertEqual(*[(ran.returncode, ran.stdout, ran.stderr) for ran in said])
        self.assertRegex(subprocess.check_output([command, "version"], text=True), r"^postern \d+\.\d+")

    def test_check_of_octets_that_are_no_bundle(self):
        ran = subprocess.run([posternd_path(), "--check", "-"], input="hostname = 1", text=True,
                             capture_output=True, timeout=LIMIT, check=False)
        self.assertEqual((ran.returncode, ran.stderr),
                         (1, "standard input: not a bundle of this version\n"))


class Stop(Test):
    def test_term_drains(self):
        server = self.start()
        idle, busy = self.client(server), self.half_sent(server)
        server.kill(signal.SIGTERM)
        reply = idle.reply()
        self.assertEqual((reply.code, reply.text[:5]), (421, "4.3.2"))
        self.assertEqual(idle.read_to_end(), b"")
        wait_until(lambda: not answers(server.port), "both workers have closed their sockets")
        self.assert_refused(server.port)
        self.assertTrue(server.running())
        self.assertEqual(self.finish(busy).code, 250)
        self.assertEqual(busy.reply().code, 421)
        self.assertEqual(server.wait(), 0)
        self.assertEqual(len(server.messages()), 1)

    def test_second_term_ends_with_421(self):
        server = self.start()
        busy = self.half_sent(server)
        server.kill(signal.SIGTERM)
        wait_until(lambda: says(server, "^stopping: "), "the first is heard")
        server.kill(signal.SIGTERM)
        self.assertEqual(busy.reply().code, 421)
        self.assertEqual(server.wait(), 0)
        self.assertEqual(server.messages(), [])

    def test_drain_timeout_ends_a_transaction(self):
        server = self.start(CONFIG.replace('"60s"', '"1s"'))
        busy = self.half_sent(server)
        begin = time.monotonic()
        server.kill(signal.SIGTERM)
        self.assertEqual(busy.reply().code, 421)
        self.assertGreater(time.monotonic() - begin, 0.9)
        self.assertEqual(server.wait(), 0)

    def test_interrupt_of_the_whole_group_drains_once(self):
        server = self.start()
        idle, busy = self.client(server), self.half_sent(server)
        os.killpg(server.pid, signal.SIGINT)
        self.assertEqual(idle.reply().code, 421)
        self.assertEqual(self.finish(busy).code, 250)
        self.assertEqual(server.wait(), 0)
        self.assertEqual(says(server, "(silent|ended with|the next one)"), [])

    def test_term_to_one_worker_drains_it_and_another_takes_its_place(self):
        server = self.start()
        busy = self.half_sent(server)
        before = server.workers()
        for pid in before:
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: len(set(server.workers()) - set(before)) == 2, "two new workers")
        self.assertTrue(answers(server.port, b"220"))
        self.assertEqual(self.finish(busy).code, 250)
        self.assert_gone(before)
        self.assertEqual(len(server.workers()), 2)

    def test_term_before_it_is_ready_ends_it(self):
        directory, port = configure_postern(self.addCleanup, CONFIG)
        server = Postern(self.addCleanup, directory, port)
        wait_until(lambda: "SigBlk:\t0000000000014a03" in open(f"/proc/{server.pid}/status").read()
                   or children_of(server.pid), "it is on its way")
        server.kill(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)


class Workers(Test):
    def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(self):
        server = self.start()
        clients = [self.client(server) for _ in range(24)]
        victim, other = server.workers()
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: says(server, rf"pid {victim}\) ended with signal 9 \(Killed\) after [\d.]+ s; "
                                "the next one starts in 0 ms"), "its death is on the log")
        wait_until(lambda: len(server.workers()) == 2 and victim not in server.workers(), "a new one")
        self.assertIn(other, server.workers())
        alive = 0
        for client in clients:
            try:
                alive += client.command("NOOP").code == 250
            except ConnectionError:
                pass
        self.assertGreater(alive, 0, "the other worker's sessions live")
        self.assertLess(alive, 24, "some had the one that was killed")

    def test_nobody_is_refused_or_forgotten_while_workers_are_killed(self):
        server = self.start(CONFIG.replace("workers = 2", "workers = 4"))
        stopped, failures, greetings = threading.Event(), [], []
        self.addCleanup(stopped.set)  # or they would go on after a failure

        def keep_connecting():
            while not stopped.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as client:
                        if client.recv(4) == b"220 ":
                            greetings.append(220)
                except ConnectionResetError:
                    pass  # its worker had taken it, and was killed
                except OSError as error:
                    failures.append(error)

        threads = [threading.Thread(target=keep_connecting) for _ in range(4)]
        for thread in threads:
            thread.start()
        killed = set()
        while len(killed) < 20:
            workers = wait_until(lambda: (lambda found: found if len(found) > 1 else None)(
                [pid for pid in server.workers() if pid not in killed]),  # dying takes a moment
                "somebody to kill and somebody to serve")
            victim = workers[len(killed) % len(workers)]
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
            time.sleep(0.1)
        served = len(greetings)
        wait_until(lambda: len(greetings) > served + 20, "service goes on")
        stopped.set()
        for thread in threads:
            thread.join(2 * LIMIT)
        self.assertFalse(any(thread.is_alive() for thread in threads), "somebody is forgotten")
        self.assertEqual(failures, [])
        wait_until(lambda: len(says(server, "ended with signal 9")) == 20, "each death is on the log")

    def test_a_crash_loop_is_slowed_down(self):
        server = self.start(CONFIG.replace("workers = 2", "workers = 1"))
        for _ in range(4):
            [worker] = wait_until(server.workers, "a worker")
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda gone=worker: not os.path.exists(f"/proc/{gone}"), "it is gone")
        pauses = wait_until(lambda: (lambda found: found if len(found) == 4 else None)(
            re.findall(r"the next one starts in (\d+) ms", server.log())), "four deaths")
        self.assertEqual(pauses, ["0", "100", "200", "400"])
        wait_until(lambda: answers(server.port, b"220"), "it serves again")

    def test_a_worker_that_hangs_is_aborted_and_replaced(self):
        server = self.start()
        victim, other = server.workers()
        os.kill(victim, signal.SIGSTOP)
        wait_until(lambda: not os.path.exists(f"/proc/{victim}"), "it is gone")
        [told] = says(server, rf"pid {victim}\) has been silent for \d+ s")
        self.assertGreaterEqual(int(re.search(r"silent for (\d+) s", told)[1]), 5)
        wait_until(lambda: len(server.workers()) == 2, "a new one")
        self.assertIn(other, server.workers())
        for _ in range(12):
            self.assertTrue(answers(server.port, b"220"))

    def test_a_pause_of_the_whole_group_is_nobodys_fault(self):
        server = self.start()
        before = server.workers()
        os.killpg(server.pid, signal.SIGSTOP)
        time.sleep(7.5)
        os.killpg(server.pid, signal.SIGCONT)
        time.sleep(1.5)
        self.assertEqual(server.workers(), before)
        self.assertEqual(says(server, "silent"), [])

    def test_when_the_master_is_killed_the_workers_finish_and_the_port_is_free(self):
        server = self.start()
        idle, busy = self.client(server), self.half_sent(server)
        workers = server.workers()
        server.kill(signal.SIGKILL)
        server.wait()
        wait_until(lambda: not answers(server.port), "the workers have closed their sockets")
        config = os.path.join(server.directory, "postern.toml")
        successor = Process(self.addCleanup, [posternd_path(), "--config", config],
                            os.path.join(server.directory, "second.log"))
        successor.wait_ready(lambda: answers(server.port, b"220"), "the next master greets")
        self.assertEqual(idle.reply().code, 421)
        self.assertEqual(self.finish(busy).code, 250)
        self.assert_gone(workers)
        for _ in range(12):  # no socket of the dead one's is left to get lost in
            self.assertTrue(answers(server.port, b"220"))


class Limits(Test):
    def assert_comes_to_rest(self, worker):
        """It has something left to do at first; who spins does so in every second."""
        def rests():
            before = busy_seconds(worker)
            time.sleep(1)
            return busy_seconds(worker) - before < 0.2
        wait_until(rests, "the worker rests for a second")

    def test_above_95_percent_of_the_sessions_new_ones_hear_421(self):
        server = self.start(CONFIG.replace("workers = 2", "workers = 1") + "[limits]\nsessions = 40\n")
        clients = [self.client(server) for _ in range(38)]
        for _ in range(3):
            late = self.client(server, hello=False)
            reply = late.reply()
            self.assertEqual((reply.code, reply.text[:5]), (421, "4.3.2"))
            self.assertEqual(late.read_to_end(), b"")
        clients.pop().quit()
        wait_until(lambda: answers(server.port, b"220"), "there is room again")
        self.assertTrue(all(client.command("NOOP").code == 250 for client in clients))

    def test_few_descriptors_mean_421_for_the_last_and_nobody_spins(self):
        directory, port = configure_postern(self.addCleanup, CONFIG.replace("workers = 2", "workers = 1"))
        server = Process(self.addCleanup, [
            "prlimit", "--nofile=160:160", posternd_path(), "--config", f"{directory}/postern.toml"],
            f"{directory}/log")
        server.port = port
        server.wait_ready(lambda: answers(port, b"220"), "it greets")
        clients = [socket.create_connection(("127.0.0.1", port), timeout=LIMIT) for _ in range(300)]
        greetings = [client.recv(4) for client in clients]
        self.assertEqual(set(greetings), {b"220 ", b"421 "})
        self.assertLess(greetings.count(b"220 "), 130)
        # The place of whoever asked whether it greets may come free among them, and once.
        self.assertLessEqual(greetings[-100:].count(b"220 "), 1)
        [worker] = children_of(server.pid)
        self.assert_comes_to_rest(worker)
        self.assertLess(len(os.listdir(f"/proc/{worker}/fd")), 130)  # room to deliver all the same
        for client in clients:
            client.close()
        wait_until(lambda: answers(port, b"220"), "it serves again")
        self.assertEqual(children_of(server.pid), [worker])

    @unittest.skipIf(is_sanitized, "the sanitizer's own checks want descriptors too")
    def test_a_system_without_descriptors_makes_clients_wait_and_nobody_spin(self):
        server = self.start(CONFIG.replace("workers = 2", "workers = 1"))
        [worker] = server.workers()
        had = resource.prlimit(worker, resource.RLIMIT_NOFILE, (4, 20000))
        clients = [socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) for _ in range(20)]
        wait_until(lambda: says(server, "accepting a client: .*new clients wait"), "it says so")
        self.assert_comes_to_rest(worker)
        resource.prlimit(worker, resource.RLIMIT_NOFILE, had)
        self.assertEqual(clients[-1].recv(4), b"220 ")
        for client in clients:
            client.close()
        self.assertEqual(server.workers(), [worker])


class Reload(Test):
    def rewrite(self, server, config):
        with open(os.path.join(server.directory, "postern.toml"), "w", encoding="utf-8") as file:
            file.write(config.replace("@PORT@", str(server.port)))
        server.kill(signal.SIGHUP)

    def ready(self, server, generation):
        wait_until(lambda: says(server, rf"^generation {generation} is ready: "), "it is ready")

    def test_new_workers_take_over_and_the_old_ones_drain(self):
        server = self.start()
        idle, busy = self.client(server), self.half_sent(server)
        before = server.workers()
        self.rewrite(server, CONFIG.replace("mx.example", "new.example").replace("workers = 2",
                                                                                "workers = 3"))
        self.ready(server, 2)
        for _ in range(8):
            self.assertTrue(answers(server.port, b"220 new.example.test"))
        self.assertEqual(idle.reply().code, 421)
        self.assertEqual(self.finish(busy).code, 250)
        self.assert_gone(before)
        self.assertEqual(len(server.workers()), 3)

    def test_fewer_workers_serve_every_socket(self):
        server = self.start(CONFIG.replace("workers = 2", "workers = 3"))
        self.rewrite(server, CONFIG.replace("workers = 2", "workers = 1"))
        self.ready(server, 2)
        wait_until(lambda: len(server.workers()) == 1, "one worker is left")
        for _ in range(16):
            self.assertTrue(answers(server.port, b"220"))

    def test_a_bad_file_is_reported_and_the_old_one_stays(self):
        server = self.start()
        before = server.workers()
        self.rewrite(server, CONFIG + "nonsense = 1\n")
        wait_until(lambda: says(server, "not usable; generation 1 goes on"), "it says so")
        self.assertEqual(len(says(server, r"postern.toml:14:1: plugin.nonsense: no such key")), 1)
        self.assertEqual(server.workers(), before)
        self.assertTrue(answers(server.port, b"220 mx.example.test"))
        self.rewrite(server, CONFIG.replace("mx.example", "new.example"))
        self.ready(server, 2)
        self.assertTrue(answers(server.port, b"220 new.example.test"))

    def test_an_address_that_is_added_or_taken_away(self):
        server, extra = self.start(), free_port()
        self.rewrite(server, CONFIG + f'[[listen]]\naddress = "127.0.0.1:{extra}"\n')
        self.ready(server, 2)
        self.assertTrue(answers(extra, b"220"))
        self.rewrite(server, CONFIG)
        self.ready(server, 3)
        wait_until(lambda: len(server.workers()) == 2, "the old workers have gone")
        self.assert_refused(extra)
        self.assertTrue(answers(server.port, b"220"))

    def test_nobody_is_refused_or_reset_during_reloads(self):
        server = self.start()
        stopped, failures, greeted = threading.Event(), [], []
        self.addCleanup(stopped.set)

        def keep_connecting():
            while not stopped.is_set():
                try:
                    with Client(server.port) as client:
                        greeted.append(client.reply().code)
                except (OSError, ProtocolError) as error:
                    failures.append(error)

        threads = [threading.Thread(target=keep_connecting) for _ in range(4)]
        for thread in threads:
            thread.start()
        for generation in range(2, 7):
            server.kill(signal.SIGHUP)
            self.ready(server, generation)
        stopped.set()
        for thread in threads:
            thread.join(LIMIT)
        self.assertEqual(failures, [])
        self.assertEqual(set(greeted), {220})

    def test_usr1_opens_the_log_file_again(self):
        server = self.start(CONFIG + '[log]\ntarget = "file:postern.log"\n')
        path = os.path.join(server.directory, "postern.log")
        wait_until(lambda: "is ready" in open(path, encoding="utf-8").read(), "the log begins")
        os.rename(path, path + ".1")
        server.kill(signal.SIGUSR1)

        def lines():
            with open(path, encoding="utf-8") as file:
                return file.read()

        def both_workers_write_to_it():
            self.client(server).quit()
            sessions = [line for line in lines().split("\n")[:-1] if '"event":"session"' in line]
            return {json.loads(line)["id"].split("-")[1] for line in sessions} == {"0", "1"}

        wait_until(lambda: os.path.exists(path), "a new file")
        wait_until(both_workers_write_to_it, "both workers have opened it")
        server.kill(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertIn("posternd ends", lines())


if __name__ == "__main__":
    unittest.main()
