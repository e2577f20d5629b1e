"""What the master and its workers may do, in the three ways of being started: as the packaged unit does,
as root with a `user`, and by an ordinary user. The kernel says it: /proc/PID/status."""

import os
import signal
import subprocess
import unittest

from harness import *
from peers import is_root, posternd_path, write

NOBODY = 65534
# Of linux/capability.h.
DAC_OVERRIDE, DAC_READ_SEARCH, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE = 1, 2, 5, 6, 7, 8, 10
CONFIG = """
hostname = "mx.example.test"
workers = 2
@USER@
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "@DIR@/own/maildir"
[spool]
directory = "@DIR@/own"
[log]
target = "file:@DIR@/own/postern.log"
[[plugin]]
use = "rcpt_accept"
"""
AS_USER = 'user = "nobody"\ngroup = "nogroup"'
ENVELOPE = ("a@example.org", ["b@example.test"])
MESSAGE = "Subject: hello\r\n\r\nhello\r\n"


def capabilities(*numbers):
    return sum(1 << number for number in numbers)


def of_master():
    """What it keeps when started as root: of what we have ourselves."""
    ours = sets_of(os.getpid())["Prm"]
    held = capabilities(DAC_READ_SEARCH, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE)
    if not ours & capabilities(DAC_READ_SEARCH):
        held |= capabilities(DAC_OVERRIDE)
    return held & ours


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return {key: value.split() for key, _, value in (line.partition(":") for line in status)}


def sets_of(pid):
    """Inheritable, permitted, effective, bounding and ambient capabilities."""
    status = status_of(pid)
    return {kind: int(status[f"Cap{kind}"][0], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")}


def free_low_port():
    """A port that wants the right to bind it."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as limit:
        first_free = int(limit.read())
    for port in range(min(1023, first_free - 1), 100, -1):
        if not answers(port):
            return port
    raise unittest.SkipTest("every user may bind every port here")


@unittest.skipUnless(is_root, "wants root")
class Privileges(unittest.TestCase):
    def start(self, port, user="", prefix=(), config=CONFIG):
        """The folder own/ is nobody's, all else root's."""
        config = config.replace("@USER@", user).replace("@PORT@", str(port))
        directory, _ = configure_postern(self.addCleanup, config)
        os.mkdir(f"{directory}/own")
        os.chown(f"{directory}/own", NOBODY, NOBODY)
        os.chmod(f"{directory}/own", 0o700)
        server = Process(self.addCleanup, [*prefix, posternd_path(), "--config",
                                           f"{directory}/postern.toml"], f"{directory}/said")
        server.port, server.directory = port, directory
        server.wait_ready(lambda: answers(port, b"220"), "it greets")
        return server

    def log(self, server):
        with open(f"{server.directory}/own/postern.log", encoding="utf-8") as log:
            return log.read()

    def assert_identity(self, pid, uid):
        status = status_of(pid)
        self.assertEqual(status["Uid"], [str(uid)] * 4)
        self.assertEqual(status["Gid"], [str(uid)] * 4)
        self.assertLessEqual(set(status["Groups"]), {str(NOBODY)})

    def assert_has_nothing(self, worker, bounding=0):
        self.assert_identity(worker, NOBODY)
        self.assertEqual(sets_of(worker), {"Inh": 0, "Prm": 0, "Eff": 0, "Bnd": bounding, "Amb": 0})
        self.assertEqual(status_of(worker)["NoNewPrivs"], ["1"])

    def assert_works(self, server):
        """Takes a message; reloads with a second port; restarts a worker; reopens its log."""
        def generation_is(number):
            wait_until(lambda: f"generation {number} is ready" in self.log(server), "it is ready")

        with Client(server.port) as client:
            client.hello()
            self.assertEqual(client.deliver(*ENVELOPE, MESSAGE).code, 250)
        [name] = os.listdir(f"{server.directory}/own/maildir/new")
        for path in (f"maildir/new/{name}", "postern.log"):
            self.assertEqual(os.stat(f"{server.directory}/own/{path}").st_uid, NOBODY, path)
        generation_is(1)
        server.kill(signal.SIGHUP)
        generation_is(2)
        wait_until(lambda: len(children_of(server.pid)) == 2, "the first workers have gone")
        victim = children_of(server.pid)[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in (found := children_of(server.pid)) and len(found) == 2, "a new one")
        os.rename(f"{server.directory}/own/postern.log", f"{server.directory}/own/postern.log.1")
        server.kill(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(f"{server.directory}/own/postern.log"), "a new log")
        self.assertEqual(os.stat(f"{server.directory}/own/postern.log").st_uid, NOBODY)
        wait_until(lambda: answers(server.port, b"220"), "it serves")

    def add_a_low_port(self, server):
        """By a reload: the right to bind is still there."""
        port = free_low_port()
        with open(f"{server.directory}/postern.toml", "a", encoding="utf-8") as config:
            config.write(f'[[listen]]\naddress = "127.0.0.1:{port}"\n')
        server.kill(signal.SIGHUP)
        wait_until(lambda: answers(port, b"220"), "it greets on a second low port")

    def test_the_units_way_one_user_with_the_right_to_bind(self):
        bind = "net_bind_service"
        server = self.start(free_low_port(), prefix=[
            "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", f"--bounding-set=-all,+{bind}",
            f"--inh-caps=-all,+{bind}", f"--ambient-caps=+{bind}"])
        held = capabilities(NET_BIND_SERVICE)
        self.assert_identity(server.pid, NOBODY)
        self.assertEqual(sets_of(server.pid), {"Inh": 0, "Prm": held, "Eff": held, "Bnd": held, "Amb": 0})
        for worker in children_of(server.pid):
            self.assert_has_nothing(worker, bounding=held)
        self.assert_works(server)
        self.add_a_low_port(server)
        wait_until(lambda: len(children_of(server.pid)) == 2, "the old workers have gone")
        for worker in children_of(server.pid):
            self.assert_has_nothing(worker, bounding=held)

    def test_as_root_with_a_user(self):
        server = self.start(free_low_port(), AS_USER)
        held = of_master()
        self.assert_identity(server.pid, 0)
        self.assertEqual(sets_of(server.pid), {"Inh": 0, "Prm": held, "Eff": held, "Bnd": held, "Amb": 0})
        for worker in children_of(server.pid):
            self.assert_has_nothing(worker)
        self.assert_works(server)
        self.add_a_low_port(server)
        wait_until(lambda: len(children_of(server.pid)) == 2, "the old workers have gone")
        for worker in children_of(server.pid):
            self.assert_has_nothing(worker)

    def test_as_root_with_a_user_every_thread_of_the_master_is_limited(self):
        """The log's thread too: it opens files in a folder that is the workers' user's."""
        server = self.start(free_port(), AS_USER)
        held = of_master()
        for thread in os.listdir(f"/proc/{server.pid}/task"):
            sets = sets_of(f"{server.pid}/task/{thread}")
            self.assertEqual((sets["Prm"] | held, sets["Eff"] | held, sets["Bnd"]), (held, held, held))
            if thread != str(server.pid):
                self.assertEqual(status_of(f"{server.pid}/task/{thread}")["Uid"][3], str(NOBODY))

    def test_as_root_a_configuration_that_only_root_may_read(self):
        server = self.start(free_port(), AS_USER)
        os.chmod(f"{server.directory}/postern.toml", 0o600)
        server.kill(signal.SIGHUP)
        wait_until(lambda: "generation 2 is ready" in self.log(server), "it is ready")

    def test_as_root_what_the_user_may_not_write_is_told_before_anything_starts(self):
        for key, text in (("maildir = \"@DIR@/own/maildir\"", "maildir = \"@DIR@/roots/maildir\""),
                          ("file:@DIR@/own/postern.log", "file:@DIR@/roots/postern.log")):
            config = CONFIG.replace(key, text).replace("@USER@", AS_USER)
            directory, _ = configure_postern(self.addCleanup, config)
            for name, owner in (("own", NOBODY), ("roots", 0)):
                os.mkdir(f"{directory}/{name}", 0o755)
                os.chown(f"{directory}/{name}", owner, owner)
            ran = subprocess.run([posternd_path(), "--config", f"{directory}/postern.toml"], timeout=LIMIT,
                                 capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
            self.assertEqual(ran.returncode, 1)
            self.assertIn("Permission denied", ran.stderr)

    def test_an_ordinary_user(self):
        server = self.start(free_port(), prefix=["setpriv", "--reuid=nobody", "--regid=nogroup",
                                                 "--clear-groups"])
        self.assert_identity(server.pid, NOBODY)
        nothing = {"Inh": 0, "Prm": 0, "Eff": 0, "Amb": 0}
        for pid in (server.pid, *children_of(server.pid)):
            self.assertEqual({**sets_of(pid), "Bnd": 0}, {**nothing, "Bnd": 0})
        self.assert_works(server)

    def test_as_root_the_socket_is_the_groups_to_ask_and_not_to_command(self):
        server = self.start(free_port(), AS_USER)
        about = os.stat(f"{server.directory}/postern.control")
        self.assertEqual((about.st_mode & 0o777, about.st_uid, about.st_gid), (0o660, 0, NOBODY))
        command = os.path.join(os.path.dirname(os.path.dirname(posternd_path())), "cli", "postern")
        for words, status in ((["status"], 0), (["reload"], 1), (["stop"], 1)):
            ran = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", command,
                                  "--config", f"{server.directory}/postern.toml", *words], timeout=LIMIT,
                                 capture_output=True, text=True, check=False)
            self.assertEqual(ran.returncode, status, ran)
            if status:
                self.assertIn("only root and the user of posternd", ran.stderr)
        self.assertTrue(answers(server.port, b"220"))


@unittest.skipUnless(is_root, "wants root")
class Trust(unittest.TestCase):
    """Whoever may write the configuration decides what root does."""

    def check(self, prepare, files=None):
        config = CONFIG.replace("@USER@", "").replace("@DIR@/own", "@DIR@")
        directory, _ = configure_postern(self.addCleanup, config, files)
        prepare(directory)
        path = f"{directory}/postern.toml"
        runs = [subprocess.run([posternd_path(), "--config", path, *arguments], capture_output=True, text=True,
                               timeout=LIMIT, stdin=subprocess.DEVNULL, check=False)
                for arguments in (["--check"], [])]
        self.assertEqual(runs[0].stderr, runs[1].stderr)
        self.assertEqual([ran.returncode for ran in runs], [1, 1])
        return [line.replace(directory, "DIR") for line in runs[0].stderr.splitlines()]

    def line(self, path):
        return (f"{path}: others may write to it, and so decide what posternd does as root; "
                f"chmod go-w {path}")

    def test_a_file_that_everybody_may_write(self):
        self.assertEqual(self.check(lambda folder: os.chmod(f"{folder}/postern.toml", 0o646)),
                         [self.line("DIR/postern.toml")])

    def test_a_file_that_a_group_may_write(self):
        def prepare(folder):
            os.chown(f"{folder}/postern.toml", 0, NOBODY)
            os.chmod(f"{folder}/postern.toml", 0o664)
        self.assertEqual(self.check(prepare), [self.line("DIR/postern.toml")])

    def test_a_folder(self):
        self.assertEqual(self.check(lambda folder: os.chmod(folder, 0o777)), [self.line("DIR")])

    def test_the_file_and_folder_of_a_domain(self):
        def prepare(folder):
            os.chmod(f"{folder}/domains", 0o777)
            os.chmod(f"{folder}/domains/example.net.toml", 0o666)
        lines = self.check(prepare, {"domains/example.net.toml": 'mixed = "strictest"\n'})
        self.assertEqual(sorted(lines), sorted([self.line("DIR/domains"),
                                                self.line("DIR/domains/example.net.toml")]))

    def test_a_reload_is_refused_too(self):
        server = posternd(self.addCleanup, CONFIG.replace("@USER@", "").replace("@DIR@/own", "@DIR@"))
        os.chmod(f"{server.directory}/postern.toml", 0o666)
        server.kill(signal.SIGHUP)

        def log():
            with open(f"{server.directory}/postern.log", encoding="utf-8") as file:
                return file.read()
        wait_until(lambda: "not usable; generation 1 goes on" in log(), "it is refused")
        self.assertIn("others may write to it", log())


if __name__ == "__main__":
    unittest.main()
