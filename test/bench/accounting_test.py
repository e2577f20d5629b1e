"""Processor time and memory of a server that forks: what children used counts, also when they have
ended and have been waited for."""

import os
import signal
import subprocess
import sys
import time
import unittest

import sample  # noqa: F401

import accounting

# Forks COUNT children that each use SECONDS of processor time, waits for them, says by rusage how much
# that was, and rests.
FORKING = """
import os, resource, time
for _ in range({count}):
    if os.fork() == 0:
        while time.process_time() < {seconds}:
            pass
        os._exit(0)
    if {wait}:
        os.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, flush=True)
time.sleep(600)
"""


def kernel_counts():
    """Not all do: CONFIG_SCHEDSTATS, and what only looks like Linux."""
    try:
        with open("/proc/self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) > 0
    except OSError:
        return False


@unittest.skipUnless(kernel_counts(), "this kernel does not count processor time in /proc/PID/schedstat")
class Forking(unittest.TestCase):
    def start(self, **how):
        child = subprocess.Popen([sys.executable, "-c", FORKING.format(**how)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def test_children_that_were_waited_for_count(self):
        child = self.start(count=20, seconds=0.02, wait=True)
        before = accounting.Cpu(child.pid)
        by_rusage = float(child.stdout.readline())
        used = accounting.settled(child.pid).since(before) / 1e9
        self.assertGreater(used, 20 * 0.02 - 0.03)   # a tick is 10 ms
        self.assertLess(used - by_rusage, 0.3)       # the parent's own start

    def test_children_that_run_on_count(self):
        child = self.start(count=3, seconds=600, wait=False)
        child.stdout.readline()
        before, began = accounting.Cpu(child.pid), time.monotonic()
        while accounting.Cpu(child.pid).since(before) < 0.1e9:
            self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(len(accounting.family(child.pid)), 4)
        for pid in accounting.family(child.pid)[1:]:
            os.kill(pid, signal.SIGKILL)

    def test_zombies_keep_it_from_being_settled(self):
        child = self.start(count=1, seconds=0.01, wait=False)
        child.stdout.readline()
        with self.assertRaises(TimeoutError):
            accounting.settled(child.pid, limit=0.5)

    def test_memory_counts_shared_pages_once(self):
        child = self.start(count=5, seconds=600, wait=False)
        child.stdout.readline()
        found = accounting.memory(child.pid)
        self.assertLess(found["Pss"], found["Rss"] * 0.6)
        for pid in accounting.family(child.pid)[1:]:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
