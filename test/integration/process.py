"""Processes, temporary directories, free ports and bounded waits. Whatever is started here is ended
here, by its process group, also when the test run itself is told to stop."""

import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

POLL = 0.02  # seconds between two looks
# Seconds that anything may take to happen: what a machine that is busy with something else needs, and
# not what we expect. A test that must be faster says so of the program, by the program's own clock.
LIMIT = 60.0 * float(os.environ.get("POSTERN_PATIENCE", "1"))
GRACE = 2.0  # seconds between TERM and KILL

_living = []  # what has to go with this process: callables


def wait_until(look, what, limit=LIMIT):
    """Calls `look` every 20 ms until it gives something true, and gives that back. A look that is slow
    is taken less often: at least half of the time is for what is waited for."""
    end = time.monotonic() + limit
    while True:
        begin = time.monotonic()
        found = look()
        if found:
            return found
        now = time.monotonic()
        if now > end:
            raise TimeoutError(f"after {limit:g} s still not: {what}")
        time.sleep(max(POLL, now - begin))


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on. It lies below those that the kernel gives to
    outgoing connections: tests that run beside this one make thousands, and one of them would have the
    port by the time at which a server wants it."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        end = int(limits.read().split()[0])
    for port in random.sample(range(10_000, end), 100) if end > 20_000 else [0] * 100:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise OSError("100 ports, and none of them is free")


def answers(port, greeting=b"", host="127.0.0.1", limit=LIMIT):
    """Whether something accepts connections there and, if asked, says what begins with `greeting`."""
    try:
        with socket.create_connection((host, port), timeout=limit) as probe:
            return not greeting or probe.recv(len(greeting)) == greeting
    except OSError:
        return False


def temporary_directory(cleanup):
    """A directory that other users may enter, gone after the test. `cleanup` is a test's addCleanup
    or a class's addClassCleanup, here and below."""
    path = tempfile.mkdtemp(prefix="postern-test-")
    os.chmod(path, 0o755)
    forget = at_end(lambda: shutil.rmtree(path, ignore_errors=True))
    cleanup(forget)
    return path


def as_nobody(command):
    """The command, run without root's rights when we have them."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]


def children_of(pid):
    """Process ids of the living children of `pid`, in the order of their start."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", encoding="latin-1") as stat:
            fields = stat.read().rpartition(")")[2].split()  # state, ppid, …, starttime is the 20th
            if int(fields[1]) == pid and fields[0] not in "ZX":
                found.append((int(fields[19]), int(entry)))
    return [child for _, child in sorted(found)]


def group_lives(group):
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False


class Process:
    """A program in the foreground, leader of a session and process group of its own. Its output goes
    to `log_path`."""

    def __init__(self, cleanup, command, log_path, env=None, cwd=None):
        self.command = [str(word) for word in command]
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.popen = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, start_new_session=True, cwd=cwd,
                                          env={**os.environ, **(env or {})})
        self.pid = self.popen.pid
        cleanup(at_end(self.stop))

    def running(self):
        return self.popen.poll() is None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_ready(self, look, what="it is ready"):
        """Waits for `look`; a program that ends before that is an error at once, with its output."""
        def ready_or_gone():
            if not self.running():
                raise RuntimeError(f"{self.command[0]} ended with {self.popen.returncode} before "
                                   f"{what}:\n{self.log()}")
            return look()
        try:
            return wait_until(ready_or_gone, what)
        except TimeoutError as late:
            raise TimeoutError(f"{late}; {self.command[0]} said:\n{self.log()}") from None

    def kill(self, number=signal.SIGKILL):
        """To the leader alone."""
        self.popen.send_signal(number)

    def kill_all(self, number=signal.SIGKILL):
        """To the whole group; behind KILL nobody of it is left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
        if number == signal.SIGKILL:
            wait_until(self._gone, f"{self.command[0]} has gone")

    def wait(self, limit=LIMIT):
        """The exit status; negative for a signal."""
        return self.popen.wait(limit)

    def stop(self, first=signal.SIGTERM):
        """Ends the whole group: `first`, after 2 s KILL. Returns when nobody of it is left."""
        for number in (first, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)
            with contextlib.suppress(TimeoutError):
                wait_until(self._gone, f"{self.command[0]} has gone", GRACE)
                return
        raise TimeoutError(f"{self.command[0]} survived KILL")

    def _gone(self):
        return not self.running() and not group_lives(self.pid)


# ---- what must not stay behind -------------------------------------------------------------------


def at_end(action):
    """Registers `action` for the end of this process. Gives a function that does it now, once."""
    def once():
        if once in _living:
            _living.remove(once)
            action()
    _living.append(once)
    return once


def _end_all():
    for action in reversed(list(_living)):
        with contextlib.suppress(Exception):
            action()


def _on_signal(number, _frame):
    _end_all()
    sys.stderr.flush()
    os._exit(128 + number)


atexit.register(_end_all)
for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, _on_signal)
