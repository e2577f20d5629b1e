"""Results as bench/run has them, small enough to reckon by hand; and where its modules are."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))


def server(*cpu_us, sessions_per_s=1000.0):
    """Of a scenario: the CPU of each round."""
    median = sorted(cpu_us)[len(cpu_us) // 2]
    return {"cpu_us": median, "sessions_per_s": sessions_per_s, "p50_us": 1500, "p99_us": 2500,
            "rounds": [{"cpu_us": each} for each in cpu_us]}


def results():
    everybody = {"posternd": server(200.0, 300.0, 400.0), "spike": server(100.0, 200.0, 400.0),
                 "smtp-sink": server(250.0), "prefork": server(9_000.0),
                 "forkserver": server(20_000.0, 30_000.0, 48_000.0, sessions_per_s=40.0)}
    named = {name: everybody[name] for name in ("posternd", "spike", "prefork", "forkserver")}
    idle = {"sessions": 200, "octets_per_session": {"Rss": 4096, "Pss": 2048}}
    return {"facts": {"date": "2026-01-02", "processor": "A & B", "cores": 2, "kernel": "6.1",
                      "system": "Debian", "busy": 0.05, "postern": "abc1234", "qpsmtpd": "0.94-6",
                      "postfix": "3.7", "libuv": "1.44"},
            "side_by_side": {"attack": everybody, "attack-pipelined": everybody, "message": everybody,
                             "dnsbl": named, "dnsbl-late": named},
            "idle": idle, "idle-forkserver": {**idle, "octets_per_session": {"Pss": 4096 * 1024}},
            "calls-attack": {"per_session": 40.0}}
