"""The helper and what it starts, as /proc shows it; small programs that stand for real ones."""

import os
import pathlib
import stat

from process import children_of, wait_until


def script(directory, name, text):
    """An executable of /bin/sh in the directory; gives its path."""
    path = pathlib.Path(directory, name)
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return str(path)


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def helpers(server):
    """Process ids of the master's helpers."""
    return [pid for pid in children_of(server.pid) if name_of(pid) == "postern-helper"]


def helper(server):
    return wait_until(lambda: helpers(server), "there is a helper")[0]


def programs(server):
    """Process ids of what the helpers have started and that still runs."""
    return [child for pid in helpers(server) for child in children_of(pid)]


def has_ended(pid):
    return not os.path.exists(f"/proc/{pid}") or name_of(pid) == ""
