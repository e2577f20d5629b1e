"""Writes a run into README.md, between two marks, and docs/bench.svg."""

import datetime
import os
import pathlib
import platform
import subprocess
import textwrap
import time

import plot
import table
from judge import ratio

BEGIN = "<!-- written by ./dev bench --publish -->"
END = "<!-- end of what ./dev bench --publish writes -->"
BUSY = 0.1  # of all processor time, by others


def facts():
    """What figures depend on, when nothing has been started yet."""
    return {"date": datetime.date.today().isoformat(), "processor": processor(), "cores": os.cpu_count(),
            "kernel": platform.release().partition("-")[0], "system": system(), "busy": used_by_others(),
            "postern": commit(), "qpsmtpd": package("qpsmtpd"), "postfix": package("postfix"),
            "libuv": package("libuv1")}


def used_by_others(seconds=1.0):
    """The share of all processor time that is used while nothing of ours runs."""
    def read():
        with open("/proc/stat", encoding="ascii") as stat:
            fields = [int(field) for field in stat.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]  # all; idle and iowait
    before = read()
    time.sleep(seconds)
    total, idle = (now - was for now, was in zip(read(), before))
    return 1 - idle / total if total else 0.0


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def system():
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


def said_by(*command):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          cwd=pathlib.Path(__file__).resolve().parent)
    return done.stdout.strip() if done.returncode == 0 else ""


def commit():
    return said_by("git", "rev-parse", "--short", "HEAD") or "unknown"


def package(name):
    return said_by("dpkg-query", "-W", "-f", "${Version}", name) or "unknown"


# ---- what is written -----------------------------------------------------------------------------


def section(results):
    """What stands between the marks."""
    attack, message = (ratio(results["side_by_side"][scenario], "forkserver", "posternd")
                       for scenario in ("attack", "message"))
    gain = (f"A client that is refused costs {attack:,.0f} times less than with qpsmtpd's forkserver, a message "
            f"that is forwarded {message:,.0f} times less:")
    return "\n\n".join([paragraph(gain), "![CPU per session](docs/bench.svg)",
                        "\n".join(table.markdown(results)), paragraph(legend(results["facts"]))])


def legend(of):
    busy = " **Provisional: the machine was busy with something else.**" if of["busy"] > BUSY else ""
    return ("All have the same policy: a list of recipients, one DNS list, no client twice, mail forwarded; 100 "
            "clients at a time, one core for the server. *spike* is the least that can be done with libuv and "
            "coroutines ([bench/spike](bench/spike)), *smtp-sink* is Postfix's and has no policy. "
            f"`./dev bench` on {of['date']}: {of['processor']}, {of['cores']} cores, {of['system']}, Linux "
            f"{of['kernel']}; Postern {of['postern']}, qpsmtpd {of['qpsmtpd']}, Postfix {of['postfix']}, libuv "
            f"{of['libuv']}.{busy}")


def paragraph(text):
    return textwrap.fill(text, 110, break_long_words=False, break_on_hyphens=False)


def between_marks(text, new):
    """`text` with what is between BEGIN and END replaced."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"README.md must have {BEGIN} and {END}, once each")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{new}\n{END}{rest.partition(END)[2]}"


def publish(results, root):
    readme = root / "README.md"
    readme.write_text(between_marks(readme.read_text(encoding="utf-8"), section(results)), encoding="utf-8")
    (root / "docs/bench.svg").write_text(plot.svg(results["side_by_side"]), encoding="utf-8")
