"""The load generator, on a core of its own."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release/bench"
sys.path.insert(0, str(ROOT / "test/integration"))

from process import LIMIT, at_end  # noqa: E402

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[min(1, len(CORES) - 1)]


def on_core(core, command):
    return ["taskset", "-c", str(core), *map(str, command)]


def load_command(server, scenario, clients, *more):
    return on_core(CLIENT_CORE, [BUILD / "load", "--port", server.port, "--scenario", scenario,
                                 "--clients", clients, *more])


def load(server, scenario, clients, seconds, *more):
    """Runs the load generator to its end; gives what it measured."""
    done = subprocess.run(load_command(server, scenario, clients, "--seconds", seconds, *more),
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
