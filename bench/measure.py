"""What is measured, and how."""

import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from servers import (CLIENT_CORE, AllocationCounter, Held, cpu_between, load, posternd, smtp_sink)

SCENARIOS = ("attack", "attack-pipelined", "message", "connect")  # of bench/scenario.cpp
CLIENTS = 100
CLIENTS_OF_ONE_SERVER = 50  # where only counts matter


def tell(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def downstream(cleanup):
    """Takes what posternd forwards; what it costs is not counted."""
    return smtp_sink(cleanup, core=CLIENT_CORE)


# ---- beside smtp-sink ----------------------------------------------------------------------------


def side_by_side(cleanup, scenarios, rounds, seconds):
    """CPU per session, sessions/s, latency of both servers, who take turns in each round."""
    ours = posternd(cleanup, downstream(cleanup).port)
    accepting, refusing = smtp_sink(cleanup), smtp_sink(cleanup, "-f", "RCPT")
    runs = {scenario: {"posternd": [], "smtp-sink": []} for scenario in scenarios}
    for number in range(rounds + 1):
        for scenario in scenarios:
            peer = refusing if scenario.startswith("attack") else accepting
            for name, server in (("posternd", ours), ("smtp-sink", peer)):
                run = one_run(server, scenario, seconds if number else min(seconds, 0.5))
                if number:  # the first only warms up
                    runs[scenario][name].append(run)
        tell(f"round {number} of {rounds}" if number else "warmed up")
    return {scenario: summary(of) for scenario, of in runs.items()}


def one_run(server, scenario, seconds):
    before = server.cpu_ns()
    report = load(server, scenario, CLIENTS, seconds)
    time.sleep(0.05)  # the log is written a moment later
    cpu = cpu_between(before, server.cpu_ns())
    return {"cpu_us": cpu / 1000 / report["sessions"],
            "sessions_per_s": report["sessions"] / report["seconds"], **report}


def summary(runs):
    result = {name: {figure: statistics.median(run[figure] for run in of) for figure in of[0]}
              for name, of in runs.items()}
    # The median of each round's ratio: both halves of a pair saw the same machine.
    pairs = zip(runs["posternd"], runs["smtp-sink"])
    result["cpu_ratio"] = statistics.median(a["cpu_us"] / b["cpu_us"] for a, b in pairs)
    result["rounds"] = runs
    return result


# ---- posternd alone ------------------------------------------------------------------------------


def idle_sessions(cleanup, count):
    """Process memory that each idle session adds; "after" is with all of them gone."""
    count = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] * 8 // 10 - 400)
    server = posternd(cleanup, downstream(cleanup).port)
    load(server, "connect", 1, 0.1)
    before = server.memory()
    held = Held(cleanup, server, count)
    during = server.memory()
    held.release()
    time.sleep(0.5)
    per_session = {kind: (during[kind] - before[kind]) / count for kind in before}
    return {"sessions": count, "octets_per_session": per_session, "before": before,
            "during": during, "after": server.memory()}


def system_calls(cleanup, scenario, seconds):
    """System calls per session, all and by name."""
    server = posternd(cleanup, downstream(cleanup).port)
    load(server, scenario, CLIENTS_OF_ONE_SERVER, 0.2)
    with tempfile.NamedTemporaryFile(mode="r") as counts:
        tracer = subprocess.Popen(["strace", "-c", "-f", "-o", counts.name,
                                   "-p", str(server.busiest())], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        cleanup(tracer.kill)
        tracer.stderr.readline()  # "strace: Process N attached"
        report = load(server, scenario, CLIENTS_OF_ONE_SERVER, seconds)
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=10)
        calls = read_strace(counts)
    by_name = {name: number / report["sessions"] for name, number in calls.items()}
    return {"sessions": report["sessions"], "per_session": sum(by_name.values()), "calls": by_name}


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


def allocations(cleanup, scenario, seconds):
    counter = AllocationCounter(cleanup)
    server = posternd(cleanup, downstream(cleanup).port, env=counter.env)
    load(server, scenario, CLIENTS_OF_ONE_SERVER, 0.5)
    before = counter.read()
    report = load(server, scenario, CLIENTS_OF_ONE_SERVER, seconds)
    number, octets = (after - was for after, was in zip(counter.read(), before))
    if number == 0:
        raise RuntimeError("no allocation was counted: is the counter preloaded?")
    return {"sessions": report["sessions"], "per_session": number / report["sessions"],
            "octets_per_session": octets / report["sessions"]}
