"""What was measured, as a table: for a terminal, and for README.md."""

import judge

TITLES = {
    "attack": "dictionary attack: ten unknown recipients",
    "attack-pipelined": "the same, pipelined",
    "message": "4 KiB message, accepted and forwarded",
    "dnsbl": "one unknown recipient: the client is looked up",
    "dnsbl-late": "the same, answers come after 20 ms",
    "connect": "connect and QUIT",
}
HEADINGS = {"posternd": "**Postern**", "spike": "spike", "smtp-sink": "smtp-sink",
            "prefork": "qpsmtpd prefork", "forkserver": "qpsmtpd forkserver"}
# Of README.md: scenario, figure, title. Where answers are late, waiting costs time and not CPU.
ROWS = (("attack", "cpu_us", "µs of CPU: a dictionary attack, ten unknown recipients"),
        ("attack-pipelined", "cpu_us", "µs of CPU: the same, pipelined"),
        ("message", "cpu_us", "µs of CPU: a message of 4 KiB, forwarded"),
        ("dnsbl", "cpu_us", "µs of CPU: one unknown recipient"),
        ("attack", "sessions_per_s", "sessions/s: dictionary attack"),
        ("message", "sessions_per_s", "sessions/s: message"),
        ("dnsbl-late", "sessions_per_s", "sessions/s: one unknown recipient, the DNS list takes 20 ms"))


# ---- a terminal ----------------------------------------------------------------------------------


def terminal(results):
    """Lines."""
    side_by_side = results.get("side_by_side") or {}
    names = [name for name in HEADINGS if any(name in of for of in side_by_side.values())]
    yield f"{'':36}" + "".join(f"{name:>13}" for name in names)
    for scenario, by_server in side_by_side.items():
        yield TITLES[scenario]
        for title, cell in (("CPU µs per session", lambda of: f"{of['cpu_us']:,.0f}"),
                            ("sessions/s", lambda of: f"{of['sessions_per_s']:,.0f}"),
                            ("latency p50/p99, ms", latency)):
            cells = (cell(by_server[name]) if name in by_server else "" for name in names)
            yield f"  {title:34}" + "".join(f"{text:>13}" for text in cells)
    yield ""
    for figure in judge.figures(results):
        verdict = f"{figure.target}  {'met' if figure.met else 'MISSED'}" if figure.target else ""
        yield f"{figure.title:42}{figure.value:12,.1f} {figure.unit:14}{verdict}"


def latency(of):
    return f"{of['p50_us'] / 1000:,.1f}/{of['p99_us'] / 1000:,.1f}"


# ---- README.md -----------------------------------------------------------------------------------


def markdown(results):
    """Lines of a table: CPU per session, sessions/s, memory; a dash where nothing was measured."""
    yield "| | " + " | ".join(HEADINGS.values()) + " |"
    yield "| --- |" + " ---: |" * len(HEADINGS)
    for scenario, figure, title in ROWS:
        by_server = results["side_by_side"][scenario]
        cells = (f"{by_server[name][figure]:,.0f}" if name in by_server else "–" for name in HEADINGS)
        yield f"| {title} | " + " | ".join(cells) + " |"
    idle = {"posternd": results["idle"], "forkserver": results["idle-forkserver"]}
    cells = (f"{idle[name]['octets_per_session']['Pss'] / 1024:,.1f}" if name in idle else "–"
             for name in HEADINGS)
    yield "| KiB of memory: an idle session | " + " | ".join(cells) + " |"

