"""What somebody can learn whose network is shed with answer = "unknown": a recipient who exists must differ from one
who does not neither in the reply nor in what it costs. Both are tried in turns, in random order."""

import os
import random
import socket
import statistics
import time

import accounting
import servers
from counting import AllocationCounter
from load import CLIENT_CORE
from peers import configure_postern, posternd_path

# The load generator and we come from 127.0.0.0/8: that is one network.
SHED = """\
[[plugin]]
use = "shed"
threshold = %d
answer = "unknown"
networks = { v4 = 8 }
"""
KINDS = {"known": "user{:03}@example.net", "unknown": "nope{:03}@example.net"}  # equally long
TRIES = 100  # RCPT commands of one session: fewer than a record lists


class Guesser:
    """A session that asks for recipients."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), source_address=("127.9.0.1", 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = self.socket.recv(4096)
        self.say(b"EHLO guesser.example\r\n")
        self.say(b"MAIL FROM:<a@example.org>\r\n")

    def say(self, line):
        """Nanoseconds until the reply, which is one segment."""
        began = time.perf_counter_ns()
        self.socket.sendall(line)
        self.heard = self.socket.recv(4096)
        return time.perf_counter_ns() - began

    def ask(self, kind):
        return self.say(f"RCPT TO:<{KINDS[kind].format(random.randrange(100, 1000))}>\r\n".encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.say(b"QUIT\r\n")
        self.socket.close()


def posternd(cleanup, world, threshold, env=None):
    config = servers.POSTERND % (world.names.address, world.downstream.port)
    head, mark, rest = config.partition("[[plugin]]")
    directory, port = configure_postern(cleanup, head + SHED % threshold + mark + rest,
                                        {"recipients": "\n".join(servers.RECIPIENTS)})
    command = [posternd_path(), "--config", os.path.join(directory, "postern.toml")]
    server = servers.Server(cleanup, command, directory, port, env=env)
    with Guesser(server.port) as first:
        first.ask("unknown")
    return server


def time_replies(server, sessions):
    """{kind: [ns, ...]}, and the replies that were heard, of each kind."""
    taken, heard = {kind: [] for kind in KINDS}, {kind: set() for kind in KINDS}
    for _ in range(sessions):
        order = list(KINDS) * (TRIES // 2)
        random.shuffle(order)
        with Guesser(server.port) as guesser:
            for kind in order:
                taken[kind].append(guesser.ask(kind))
                heard[kind].add(guesser.heard)
    return taken, heard


def cost(server, kind, read):
    """What `read` counts more of by one RCPT."""
    before = read()
    for _ in range(10):
        with Guesser(server.port) as guesser:
            for _ in range(TRIES):
                guesser.ask(kind)
    accounting.settled(server.pid)
    return (read() - before) / (10 * TRIES)


def in_turns(server, rounds, read):
    """{kind: median}"""
    costs = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in random.sample(list(KINDS), len(KINDS)):
            costs[kind].append(cost(server, kind, read))
    return {kind: statistics.median(found) for kind, found in costs.items()}


def measured(cleanup, rounds):
    """{figure: {kind: median}}; raises where the replies differ."""
    os.sched_setaffinity(0, {CLIENT_CORE})
    world = servers.World(cleanup)
    shed, counter = posternd(cleanup, world, 1), AllocationCounter(cleanup)
    counted = posternd(cleanup, world, 1, counter.env)
    open_to_all = posternd(cleanup, world, 1_000_000)
    times, heard = time_replies(shed, 40 * rounds)
    if heard["known"] != heard["unknown"] or len(heard["known"]) != 1:
        raise RuntimeError(f"the replies tell who exists: {heard}")
    otherwise, _ = time_replies(open_to_all, 10 * rounds)

    def median_us(of):
        return {kind: statistics.median(ns) / 1000 for kind, ns in of.items()}

    origin = accounting.Cpu(shed.pid)
    return {"µs until the reply, not shed": median_us(otherwise),
            "µs until the reply, shed": median_us(times),
            "CPU µs, shed": in_turns(shed, 3 * rounds, lambda: accounting.Cpu(shed.pid).since(origin) / 1000),
            "allocations, shed": in_turns(counted, rounds, lambda: counter.read()[0])}


def table(figures):
    yield f"{'RCPT, medians of tries in turns':34}" + "".join(f"{kind:>14}" for kind in KINDS)
    for title, by_kind in figures.items():
        yield f"{title:34}" + "".join(f"{by_kind[kind]:>14,.2f}" for kind in KINDS)
