"""System calls and allocations of a server."""

import mmap
import os
import signal
import struct
import subprocess
import tempfile

from load import BUILD
from process import temporary_directory


def system_calls_during(cleanup, pid, work):
    """Runs `work`; gives its result, and {system call: how often} of the process and its threads."""
    with tempfile.NamedTemporaryFile(mode="r") as counts:
        tracer = subprocess.Popen(["strace", "-c", "-f", "-o", counts.name, "-p", str(pid)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        cleanup(tracer.kill)
        tracer.stderr.readline()  # "strace: Process N attached"
        result = work()
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=10)
        return result, read_strace(counts)


def read_strace(lines):
    """{system call: calls} of "% time  seconds  usecs/call  calls  [errors]  syscall"."""
    found = {}
    for line in lines:
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
            found[words[-1]] = int(words[3])
    if not found:
        raise RuntimeError("strace counted nothing")
    return found


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
