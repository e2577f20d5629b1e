"""What a server costs: processor time and memory of its process and of all below it, those included
that have ended meanwhile."""

import contextlib
import os
import pathlib
import time

NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the name, of which the first is the state (proc(5), 3)."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()


def family(pid):
    """`pid` and all processes below it, zombies too."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                children.setdefault(int(stat_fields(entry)[1]), []).append(int(entry))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


class Cpu:
    """A reading of the user and system time of a process and all below it. `running`: nanoseconds of
    each thread; `ended`: of the children that each process has waited for, in ticks of 10 ms. A child
    that ends between two readings leaves the one and comes to the other, with all that it used."""

    def __init__(self, pid):
        self.running, self.ended, self.zombies = {}, 0, 0
        for member in family(pid):
            with contextlib.suppress(OSError):
                self._add(member)

    def _add(self, pid):
        fields = stat_fields(pid)
        self.zombies += fields[0] == "Z"
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            self.running[pid, int(task.name)] = int((task / "schedstat").read_text().split()[0])
        self.ended += (int(fields[13]) + int(fields[14])) * NS_PER_TICK  # cutime, cstime

    def since(self, before):
        """Nanoseconds. A thread that ended while its process goes on takes its time with it."""
        alive = {pid for pid, _ in self.running}
        gone = [thread for thread in before.running.keys() - self.running.keys() if thread[0] in alive]
        if gone:
            raise RuntimeError("a thread of the server ended while it was measured")
        return sum(self.running.values()) - sum(before.running.values()) + self.ended - before.ended


def settled(pid, pause=0.05, limit=30.0):
    """A reading once the server rests: what it still does for a client that has gone belongs to that
    client, and children that have ended have been waited for."""
    end = time.monotonic() + limit
    last = Cpu(pid)
    while time.monotonic() < end:
        time.sleep(pause)
        now = Cpu(pid)
        if now.zombies == 0 and now.since(last) < pause * 1e9 / 50:  # it does next to nothing
            return now
        last = now
    raise TimeoutError(f"process {pid} does not come to rest")


def memory(pid):
    """{"Rss": octets, "Pss": octets}; Pss counts a page that n processes share as 1/n for each."""
    total = {"Rss": 0, "Pss": 0}
    for member in family(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in total:
                    total[name] += int(value.split()[0]) * 1024
    return total
