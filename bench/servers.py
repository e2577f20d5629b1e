"""The servers under test, on a core of their own, and what they cost: processor time, memory."""

import json
import mmap
import os
import pathlib
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/integration"))

from peers import configure_postern, posternd_path  # noqa: E402
from process import (LIMIT, Process, answers, as_nobody, at_end, children_of, free_port,  # noqa: E402
                     temporary_directory)

BUILD = ROOT / "build/release/bench"
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[min(1, len(CORES) - 1)]

CONFIGURATION = """\
hostname = "mx.example.net"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["127.0.0.1:{downstream}"]
max_connections = 200
[[plugin]]
use = "rcpt_ok"
recipients_file = "recipients"
"""
RECIPIENTS = "".join(f"user{number}@example.net\n" for number in range(1000))


def on_core(core, command):
    return ["taskset", "-c", str(core), *map(str, command)]


class Server(Process):
    """A server that listens on `port`. Its cost is that of its process and all below it."""

    def __init__(self, cleanup, command, directory, port, core=SERVER_CORE, env=None):
        self.port = port
        super().__init__(cleanup, on_core(core, command), os.path.join(directory, "log"), env=env,
                         cwd=directory)
        self.wait_ready(lambda: answers(port, b"220"), "it greets")

    def pids(self):
        found = [self.pid]
        for pid in found:
            found += children_of(pid)
        return found

    def cpu_ns(self):
        """User and system time that its threads have used, to the nanosecond."""
        used = {}
        for pid in self.pids():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                used[task.name] = int((task / "schedstat").read_text().split()[0])
        return used

    def memory(self):
        """{"Rss": octets, "Pss": octets}"""
        total = {"Rss": 0, "Pss": 0}
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in total:
                    total[name] += int(value.split()[0]) * 1024
        return total

    def busiest(self):
        """The process that does the work: the worker, where there is one."""
        return max(self.pids(), key=lambda pid: int(
            pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]))


def cpu_between(before, after):
    """Nanoseconds; threads that have come since count whole."""
    gone = before.keys() - after.keys()
    if gone:
        raise RuntimeError("a thread of the server ended while it was measured")
    return sum(used - before.get(task, 0) for task, used in after.items())


def posternd(cleanup, downstream, env=None):
    """Recipients from a list, decision records to a file, messages forwarded."""
    directory, port = configure_postern(cleanup, CONFIGURATION.format(downstream=downstream),
                                        {"recipients": RECIPIENTS})
    command = [posternd_path(), "--config", os.path.join(directory, "postern.toml")]
    return Server(cleanup, command, directory, port, env=env)


def smtp_sink(cleanup, *options, core=SERVER_CORE):
    port, directory = free_port(), temporary_directory(cleanup)
    command = as_nobody(["smtp-sink", "-m", "20000", *options, f"127.0.0.1:{port}", "4096"])
    return Server(cleanup, command, directory, port, core)


# ---- the load ------------------------------------------------------------------------------------


def load_command(server, scenario, clients, *more):
    return on_core(CLIENT_CORE, [BUILD / "load", "--port", server.port, "--scenario", scenario,
                                 "--clients", clients, *more])


def load(server, scenario, clients, seconds):
    """Runs the load generator to its end; gives what it measured."""
    done = subprocess.run(load_command(server, scenario, clients, "--seconds", seconds),
                          capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=seconds + LIMIT, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{scenario}: {done.stderr.strip()} {done.stdout.strip()}")
    return json.loads(done.stdout)


class Held:
    """Clients that say EHLO and then nothing more, until release()."""

    def __init__(self, cleanup, server, clients):
        self.popen = subprocess.Popen(load_command(server, "idle", clients, "--hold"),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        cleanup(at_end(self._end))
        self.report = self.popen.stdout.readline()  # once all are there, or one has failed

    def _end(self):
        self.popen.kill()
        self.popen.wait()

    def release(self):
        _, complaint = self.popen.communicate(timeout=LIMIT)
        if self.popen.returncode != 0:
            raise RuntimeError(f"idle: {complaint.strip()} {self.report.strip()}")


class AllocationCounter:
    """Counts the allocations of a server that is started with `env` (count_allocations.cpp)."""

    FORMAT = "=QQ"  # allocations, octets

    def __init__(self, cleanup):
        path = os.path.join(temporary_directory(cleanup), "counts")
        size = struct.calcsize(self.FORMAT)
        with open(path, "w+b") as file:
            file.truncate(size)
            self._mapped = mmap.mmap(file.fileno(), size)
        self.env = {"LD_PRELOAD": str(BUILD / "libcount-allocations.so"), "COUNT_ALLOCATIONS": path}

    def read(self):
        return struct.unpack(self.FORMAT, self._mapped)
