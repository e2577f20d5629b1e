#!/usr/bin/env python3
"""Mixed traffic, and everything around it killed again and again: does posternd end as it began?

Three parts: calm; a storm in which workers are killed, the downstream goes away, drops its connections and
loses its replies, the configuration is reloaded and the log reopened; calm again. After each calm part the
traffic stops, and descriptors, memory and latency are compared. In the end every message that was
acknowledged must be at the downstream, once and unchanged, and nothing may be left running."""

import argparse
import atexit
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import faults  # noqa: E402
from ledger import Ledger, LedgerDownstream  # noqa: E402
from peers import posternd, posternd_path  # noqa: E402
from process import LIMIT, answers, group_lives, wait_until  # noqa: E402
from mixed_traffic import Traffic  # noqa: E402

COMMAND = os.path.join(os.path.dirname(os.path.dirname(posternd_path())), "cli", "postern")
WORKERS = 2
CONFIG = """
hostname = "mx.example.test"
workers = %d
drain_timeout = "10s"
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
to = ["%s"]
keep_idle = "2s"
[log]
target = "file:postern.log"
[[plugin]]
use = "count_unrecognized_commands"
[[plugin]]
use = "headers"
mode = "observe"
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""

# What may differ between the two calm parts.
MORE_DESCRIPTORS = 2        # in any worker, or in the master
MORE_MEMORY = 8 * 1024      # KiB of all processes together, and ...
MEMORY_FACTOR = 1.15
LATENCY_FACTOR = 3.0        # of the median; other work on the machine makes it this much
LATENCY_EXTRA = 0.02        # seconds
HELD_LOOP = 2000            # ms, ever; and ...
MOST_LAG = 1_000_000        # microseconds, in a beat of the second calm part


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def pss(pid):
    """KiB of memory, shared pages by share."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"(?m)^Pss: +(\d+) kB", text)[1])


class LogReader:
    """Follows the log over its rotations."""

    def __init__(self, path, ledger):
        self.path = path
        self.ledger = ledger
        self.position = 0
        self.faults = []
        self.longest_hold = 0

    def rotate(self):
        os.rename(self.path, self.path + ".1")

    def finish_rotation(self):
        """When all processes have opened the new file."""
        self.read(self.path + ".1")
        os.unlink(self.path + ".1")
        self.position = 0

    def read(self, path=None):
        with open(path or self.path, encoding="utf-8") as log:
            log.seek(self.position)
            while (line := log.readline()).endswith("\n"):
                self.position = log.tell()
                self.look(json.loads(line))

    def look(self, line):
        if line.get("outcome") == "uncertain" and line.get("message_id"):
            self.ledger.uncertain(line["message_id"].strip("<>").removesuffix("@soak"))
        message = line.get("message", "")
        if held := re.match(r"the loop was held for (\d+) ms", message):
            self.longest_hold = max(self.longest_hold, int(held[1]))
        if re.search("have not ended|talks nonsense|has been silent|lines were dropped|: std::", message):
            self.faults.append(message)


class Soak:
    def __init__(self, seconds, seed):
        self.seconds = seconds
        self.dice = random.Random(seed)
        self.faults = []
        self.kills = 0
        self.disturbances = 0
        self.most_lag = 0
        self.ledger = Ledger()
        self.downstream = LedgerDownstream(self.cleanup, self.ledger)
        self.server = posternd(self.cleanup, CONFIG % (WORKERS, self.downstream.address))
        self.log = LogReader(os.path.join(self.server.directory, "postern.log"), self.ledger)
        self.traffic = Traffic(self.server.port, self.ledger)
        self.began = time.monotonic()
        self.told = self.began

    @staticmethod
    def cleanup(action):
        atexit.register(action)

    def status(self):
        """Exit status of `postern status`, and its last line."""
        ran = subprocess.run([COMMAND, "--config", f"{self.server.directory}/postern.toml", "status", "--json"],
                             capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL, check=False)
        lines = ran.stdout.splitlines()
        return ran.returncode, json.loads(lines[-1]) if lines else {}

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", flush=True)

    def progress(self):
        """Once a minute."""
        if time.monotonic() - self.told < 60:
            return
        self.told += 60
        codes = self.ledger.codes()
        _, status = self.status()
        pids = [self.server.pid, *self.server.workers()]
        self.say(f"messages: {codes[2]} accepted, {codes[4]} deferred, {codes[5]} refused; {self.kills} workers "
                 f"killed, {self.disturbances} disturbances; generation {status.get('generation')}, "
                 f"{sum(worker.get('sessions', 0) for worker in status.get('workers', []))} sessions, "
                 f"{self.memory(pids) // 1024} MiB")

    @staticmethod
    def memory(pids):
        total = 0
        for pid in pids:
            try:
                total += pss(pid)
            except (FileNotFoundError, ProcessLookupError):
                pass  # it has just gone
        return total

    # ---- parts --------------------------------------------------------------------------------

    def calm(self, seconds):
        """Traffic without a disturbance; then none, and what the processes have. Gives (descriptors by
        role, KiB, median latency)."""
        self.traffic.start()
        end = time.monotonic() + seconds
        half = time.monotonic() + seconds / 2
        while time.monotonic() < end:
            time.sleep(0.5)
            self.log.read()
            self.progress()
            self.note_lag()
        latencies = [took for when, took in self.traffic.latencies if when > half]
        self.rest()
        pids = self.server.workers()
        found = ([descriptors(self.server.pid), max(descriptors(pid) for pid in pids)],
                 self.memory([self.server.pid, *pids]), statistics.median(latencies or [LIMIT]))
        self.traffic.latencies.clear()
        self.say(f"calm: descriptors {found[0][0]} in the master, {found[0][1]} in a worker; {found[1]} KiB; "
                 f"median latency {found[2] * 1000:.1f} ms of {len(latencies)} messages")
        return found

    def note_lag(self):
        _, status = self.status()
        for worker in status.get("workers", []):
            self.most_lag = max(self.most_lag, worker.get("lag_us", 0))

    def rest(self):
        """No traffic, and nothing left of it."""
        if not self.traffic.stop(2 * LIMIT):
            self.faults.append("a client waits for ever")
        self.say("the traffic has stopped")

        def quiet():
            code, status = self.status()
            workers = status.get("workers", [])
            return code == 0 and len(workers) == WORKERS and not any(each["sessions"] for each in workers)
        wait_until(quiet, "all sessions end, and all workers serve")
        wait_until(lambda: self.downstream.open_connections == 0, "the downstream's connections are closed")
        self.log.read()

    def storm(self, seconds):
        self.traffic.start()
        end = time.monotonic() + seconds
        acts = [self.kill_a_worker, self.drop_connections, self.stop_the_downstream, self.lose_replies,
                self.reload, self.reload_something_bad, self.reopen_the_log]
        while time.monotonic() < end:
            for act in self.dice.sample(acts, len(acts)):
                act()
                self.disturbances += 1
                self.log.read()
                self.progress()
                time.sleep(self.dice.uniform(0.5, 2.0))
        self.downstream.heal()
        self.traffic.latencies.clear()
        self.rest()

    def kill_a_worker(self):
        for worker in self.server.workers()[:1]:
            try:
                os.kill(worker, signal.SIGKILL)
                self.kills += 1
            except ProcessLookupError:
                pass

    def drop_connections(self):
        self.downstream.drop_all()

    def stop_the_downstream(self):
        self.downstream.refuse()
        self.downstream.drop_all()
        time.sleep(self.dice.uniform(0.2, 2.0))
        self.downstream.listen()

    def lose_replies(self):
        """It has them, and says nothing."""
        for fault in (faults.keep_then(faults.reset), faults.keep_then(faults.close), faults.garbage):
            self.downstream.on("dot", fault, times=1, after=self.dice.randrange(5))

    def reload(self):
        self.server.kill(signal.SIGHUP)

    def reload_something_bad(self):
        path = pathlib.Path(self.server.directory, "postern.toml")
        good = path.read_text(encoding="utf-8")
        path.write_text(good + "nonsense = 1\n", encoding="utf-8")
        ran = subprocess.run([COMMAND, "--config", str(path), "reload"], capture_output=True, text=True,
                             timeout=2 * LIMIT, stdin=subprocess.DEVNULL, check=False)
        path.write_text(good, encoding="utf-8")
        if ran.returncode != 1 or "no such key" not in ran.stderr:
            self.faults.append(f"a bad configuration was not refused: {ran}")

    def reopen_the_log(self):
        self.log.rotate()
        self.server.kill(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(self.log.path), "a new log")

        def nobody_has_the_old_one():
            for pid in [self.server.pid, *self.server.workers()]:
                try:
                    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                        if os.readlink(link).endswith("postern.log.1"):
                            return False
                except (FileNotFoundError, ProcessLookupError):
                    pass
            return True
        wait_until(nobody_has_the_old_one, "all have opened it")
        self.log.finish_rotation()

    # ---- the verdict --------------------------------------------------------------------------

    def compare(self, before, after):
        for role, had, has in zip(("the master", "a worker"), before[0], after[0]):
            if has > had + MORE_DESCRIPTORS:
                self.faults.append(f"{role} had {had} descriptors open, and has {has}")
        if after[1] > before[1] * MEMORY_FACTOR + MORE_MEMORY:
            self.faults.append(f"the memory was {before[1]} KiB, and is {after[1]} KiB")
        if after[2] > before[2] * LATENCY_FACTOR + LATENCY_EXTRA:
            self.faults.append(f"the median latency was {before[2] * 1000:.1f} ms, and is {after[2] * 1000:.1f} ms")

    def check_counters(self):
        _, status = self.status()
        counted, heard = status["counters"]["messages_accepted"], self.ledger.accepted()
        if not heard <= counted <= heard + self.ledger.without_reply():
            self.faults.append(f"clients heard {heard} times that their message is accepted, {counted} are counted")
        if status["counters"]["workers_lost"] < self.kills:
            self.faults.append(f"{self.kills} workers were killed, {status['counters']['workers_lost']} missed")

    def end(self):
        pids = [self.server.pid, *self.server.workers()]
        self.server.kill(signal.SIGTERM)
        if self.server.wait() != 0:
            self.faults.append(f"posternd ended with {self.server.popen.returncode}")
        wait_until(lambda: not group_lives(self.server.pid), "no process is left")
        if any(os.path.exists(f"/proc/{pid}") for pid in pids) or answers(self.server.port):
            self.faults.append("something of posternd is left")
        self.log.read()

    def run(self):
        calm = max(15, self.seconds / 6)
        before = self.calm(calm)
        self.storm(self.seconds - 2 * calm)
        self.most_lag = 0
        after = self.calm(calm)
        self.compare(before, after)
        self.check_counters()
        self.end()
        self.faults += self.ledger.faults(self.kills) + self.log.faults[:5] + self.traffic.failures[:5]
        if self.log.longest_hold > HELD_LOOP:
            self.faults.append(f"a loop was held for {self.log.longest_hold} ms")
        if self.most_lag > MOST_LAG:
            self.faults.append(f"a worker lagged {self.most_lag / 1000:.0f} ms behind")
        return self.faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("minutes", nargs="?", type=float, default=30, help="default: 30")
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 6))
    arguments = parser.parse_args()
    print(f"soaking for {arguments.minutes:g} minutes, seed {arguments.seed}", flush=True)
    soak = Soak(arguments.minutes * 60, arguments.seed)
    try:
        found = soak.run()
    except TimeoutError as late:
        found = [*soak.faults, str(late)]
    codes = soak.ledger.codes()
    soak.say(f"{codes[2]} messages accepted, {codes[4]} deferred, {codes[5]} refused, "
             f"{soak.ledger.without_reply()} without a reply; {soak.kills} workers killed, {soak.disturbances} "
             f"disturbances; longest hold of a loop {soak.log.longest_hold} ms, lag at the end "
             f"{soak.most_lag / 1000:.1f} ms")
    for fault in found:
        print(f"BROKEN: {fault}")
    print("broken" if found else "clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
