"""The targets, and what met them."""

import dataclasses
import statistics

OF_THE_SPIKE = 1.6         # CPU per session
BESIDE_SPIKE = ("attack", "attack-pipelined", "message", "dnsbl")
LESS_THAN_FORKSERVER = 80  # times
BESIDE_FORKSERVER = ("attack", "message")
OCTETS_PER_IDLE_SESSION = 4096
CALLS_PER_REJECTED_SESSION = 36


@dataclasses.dataclass
class Figure:
    title: str
    value: float
    unit: str = ""
    at_most: float = None
    at_least: float = None

    @property
    def met(self):
        return ((self.at_most is None or self.value <= self.at_most) and
                (self.at_least is None or self.value >= self.at_least))

    @property
    def target(self):
        """"" where there is none."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"


def ratio(by_server, one, other):
    """Of CPU per session: the median of each round's, since both halves of a pair saw the same machine."""
    pairs = zip(by_server[one]["rounds"], by_server[other]["rounds"])
    return statistics.median(a["cpu_us"] / b["cpu_us"] for a, b in pairs)


def figures(results):
    """Every Figure of results that is one number."""
    for scenario, by_server in (results.get("side_by_side") or {}).items():
        if "spike" in by_server:
            yield Figure(f"{scenario}: CPU, of the spike's", ratio(by_server, "posternd", "spike"), "times",
                         at_most=OF_THE_SPIKE if scenario in BESIDE_SPIKE else None)
        if "forkserver" in by_server:
            yield Figure(f"{scenario}: less CPU than forkserver", ratio(by_server, "forkserver", "posternd"),
                         "times", at_least=LESS_THAN_FORKSERVER if scenario in BESIDE_FORKSERVER else None)
    for name, target in (("idle", OCTETS_PER_IDLE_SESSION), ("idle-forkserver", None)):
        idle = results.get(name)
        if idle:
            yield Figure(f"{name}: memory of each of {idle['sessions']:,}", idle["octets_per_session"]["Pss"],
                         "octets (PSS)", at_most=target)
    for what in ("calls", "allocations"):
        for scenario in ("attack", "message"):
            found = results.get(f"{what}-{scenario}")
            if found:
                limit = CALLS_PER_REJECTED_SESSION if (what, scenario) == ("calls", "attack") else None
                yield Figure(f"{scenario}: {what} per session", found["per_session"], at_most=limit)
