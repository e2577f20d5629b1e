"""What is measured, and how."""

import collections
import contextlib
import resource
import statistics
import sys
import time

import accounting
import servers
from counting import AllocationCounter, system_calls_during
from load import Held, load

# Columns of the tables.
SERVERS = ("posternd", "spike", "smtp-sink", "prefork", "forkserver")
# Name -> scenario of bench/scenario.cpp, whether the name server is late, who takes part. smtp-sink asks
# for no names.
SCENARIOS = {
    "attack": ("attack", False, SERVERS),
    "attack-pipelined": ("attack-pipelined", False, SERVERS),
    "message": ("message", False, SERVERS),
    "dnsbl": ("dnsbl", False, ("posternd", "spike", "prefork", "forkserver")),
    "dnsbl-late": ("dnsbl", True, ("posternd", "spike", "prefork", "forkserver")),
    "connect": ("connect", False, ("posternd", "spike", "smtp-sink")),
}
CLIENTS = 100
CLIENTS_OF_ONE_SERVER = 50  # where only counts matter
WARM_UP = (10, 0.2)  # clients, seconds; not of forkserver: each of its sessions is a new process


def tell(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


# ---- side by side --------------------------------------------------------------------------------


def start_all(cleanup, world, names):
    """Name -> server. smtp-sink is told when it starts what it refuses, so there are two of it."""
    starters = {
        "posternd": lambda: servers.posternd(cleanup, world),
        "spike": lambda: servers.spike(cleanup, world),
        "smtp-sink": lambda: {"accepting": servers.smtp_sink(cleanup),
                              "refusing": servers.smtp_sink(cleanup, "-f", "RCPT")},
        "prefork": lambda: servers.prefork(cleanup, world),
        "forkserver": lambda: servers.forkserver(cleanup, world),
    }
    return {name: starters[name]() for name in names}


def side_by_side(cleanup, scenarios, rounds, seconds):
    """{scenario: {server: {figure: median, "rounds": each}}}. In each round all servers take turns: the
    machine's speed drifts, and so each round saw the same machine."""
    world = servers.World(cleanup)
    taking_part = [name for name in SERVERS if any(name in SCENARIOS[s][2] for s in scenarios)]
    started = start_all(cleanup, world, taking_part)
    runs = {scenario: {name: [] for name in SCENARIOS[scenario][2]} for scenario in scenarios}
    collections.deque(one_round(world, started, scenarios, *WARM_UP, leave_out=("forkserver",)), maxlen=0)
    for number in range(1, rounds + 1):
        for scenario, name, run in one_round(world, started, scenarios, CLIENTS, seconds):
            runs[scenario][name].append(run)
        tell(f"round {number} of {rounds}")
    return {scenario: {name: summary(of) for name, of in by_server.items()}
            for scenario, by_server in runs.items()}


def one_round(world, started, scenarios, clients, seconds, leave_out=()):
    """(scenario, name, run) of each scenario and each server that takes part."""
    for scenario in scenarios:
        script, late, names = SCENARIOS[scenario]
        with world.names.late() if late else contextlib.nullcontext():
            for name in names:
                server = started[name] if name not in leave_out else None
                if isinstance(server, dict):
                    server = server["refusing" if script.startswith("attack") else "accepting"]
                if server:
                    yield scenario, name, one_run(server, script, clients, seconds)


def one_run(server, script, clients, seconds):
    before = accounting.settled(server.pid)
    report = load(server, script, clients, seconds, "--strangers")
    used = accounting.settled(server.pid).since(before)
    return {"cpu_us": used / 1000 / report["sessions"],
            "sessions_per_s": report["sessions"] / report["seconds"], **report}


def summary(runs):
    return {**{figure: statistics.median(run[figure] for run in runs) for figure in runs[0]},
            "rounds": runs}


# ---- memory --------------------------------------------------------------------------------------


def idle_sessions(cleanup, count):
    """Process memory that each idle session adds; "after" is with all of them gone."""
    count = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] * 8 // 10 - 400)
    return added_memory(cleanup, servers.posternd(cleanup, servers.World(cleanup)), count)


def idle_forkserver(cleanup, count):
    """Each is a process."""
    return added_memory(cleanup, servers.forkserver(cleanup, servers.World(cleanup)), count)


def added_memory(cleanup, server, count):
    load(server, "connect", 1, 0.1)
    accounting.settled(server.pid)
    before = accounting.memory(server.pid)
    held = Held(cleanup, server, count)
    during = accounting.memory(server.pid)
    held.release()
    accounting.settled(server.pid)
    per_session = {kind: (during[kind] - before[kind]) / count for kind in before}
    return {"sessions": count, "octets_per_session": per_session, "before": before,
            "during": during, "after": accounting.memory(server.pid)}


# ---- posternd alone ------------------------------------------------------------------------------


def system_calls(cleanup, scenario, seconds):
    """System calls per session, all and by name."""
    server = servers.posternd(cleanup, servers.World(cleanup))
    load(server, scenario, CLIENTS_OF_ONE_SERVER, 0.2)
    report, calls = system_calls_during(
        cleanup, server.busiest(), lambda: load(server, scenario, CLIENTS_OF_ONE_SERVER, seconds))
    by_name = {name: number / report["sessions"] for name, number in calls.items()}
    return {"sessions": report["sessions"], "per_session": sum(by_name.values()), "calls": by_name}


def allocations(cleanup, scenario, seconds):
    counter = AllocationCounter(cleanup)
    server = servers.posternd(cleanup, servers.World(cleanup), env=counter.env)
    load(server, scenario, CLIENTS_OF_ONE_SERVER, 0.5)
    time.sleep(0.05)  # the log is written a moment later
    before = counter.read()
    report = load(server, scenario, CLIENTS_OF_ONE_SERVER, seconds)
    number, octets = (after - was for after, was in zip(counter.read(), before))
    if number == 0:
        raise RuntimeError("no allocation was counted: is the counter preloaded?")
    return {"sessions": report["sessions"], "per_session": number / report["sessions"],
            "octets_per_session": octets / report["sessions"]}
