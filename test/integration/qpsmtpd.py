"""Debian's qpsmtpd, forkserver or prefork, with a configuration of the test's own: in a temporary
directory, on loopback, without root's rights."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import unittest

from peers import write
from process import answers, as_nobody, free_port, temporary_directory

SHARE = pathlib.Path("/usr/share/qpsmtpd")


def has_perl(module):
    return subprocess.run(["perl", f"-M{module}", "-e1"], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False).returncode == 0


# Its relay plugin wants Net::IP, the package does not.
needs_qpsmtpd = unittest.skipUnless((SHARE / "plugins").is_dir() and has_perl("Net::IP"),
                                    "qpsmtpd, or Perl's Net::IP, is not installed")


def configure_qpsmtpd(cleanup, files):
    """A new directory with config/ (`files`: name -> text; @DIR@ becomes the directory) and an empty
    spool and Maildir."""
    directory = temporary_directory(cleanup)
    texts = {"plugin_dirs": f"{SHARE}/plugins\n", "spool_dir": "@DIR@/spool\n", **files}
    os.mkdir(os.path.join(directory, "config"))
    for name, text in texts.items():
        write(os.path.join(directory, "config", name), text.replace("@DIR@", directory))
    for name in ("spool", "maildir"):
        path = os.path.join(directory, name)
        os.mkdir(path, 0o700)
        if os.geteuid() == 0:
            shutil.chown(path, "nobody", "nogroup")
    return directory


def qpsmtpd_command(kind, port, name_server, most_connections):
    """`kind`: "forkserver" or "prefork"; `name_server`: "127.0.0.1:PORT", the only one that it asks."""
    here = ["--listen-address", "127.0.0.1", "--port", port]
    if kind == "forkserver":
        before, own = "", ["--limit-connections", most_connections]
    else:
        before, own = LEADER, ["--children", most_connections, "--user", user_name()]
    command = ["perl", "-Tw", f"-MNet::DNS::Resolver; BEGIN {{ {only_asks(name_server)} {before} }}",
               f"/usr/bin/qpsmtpd-{kind}", *here, *own]
    return as_nobody([str(word) for word in command])


# prefork makes itself leader of a session, and dies where it is one already, as each Process is.
LEADER = "require POSIX; no warnings 'redefine'; *POSIX::setsid = sub { $$ };"


def only_asks(name_server):
    """In Perl's taint mode the environment cannot say which port Net::DNS asks, but a class method can,
    once new() has read /etc/resolv.conf."""
    address, _, port = name_server.rpartition(":")
    return (f"my $class = 'Net::DNS::Resolver'; $class->new; $class->nameservers('{address}'); "
            f"$class->port({port});")


def user_name():
    return "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def qpsmtpd(cleanup, process, kind, files, name_server, most_connections=100):
    """Starts it as `process`, a class with the arguments of process.Process, and waits for its
    greeting. The process has `.port` and `.directory`."""
    directory, port = configure_qpsmtpd(cleanup, files), free_port()
    server = process(cleanup, qpsmtpd_command(kind, port, name_server, most_connections),
                     os.path.join(directory, "log"),
                     env={"QPSMTPD_CONFIG": os.path.join(directory, "config")}, cwd=directory)
    server.directory, server.port = directory, port
    server.wait_ready(lambda: answers(port, b"220"), f"qpsmtpd-{kind} greets")
    refuse_missing_plugins(server)
    return server


def refuse_missing_plugins(server):
    """It goes on without a plugin that does not load; a comparison must not."""
    failed = re.findall(r"(?m)^eval .*|.*not found in.*|FATAL PLUGIN ERROR.*", server.log())
    if failed:
        raise RuntimeError("qpsmtpd has not loaded a plugin:\n" + "\n".join(failed))
