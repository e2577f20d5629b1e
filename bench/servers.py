"""The servers under test, on a core of their own, all with the same policy: they know their
recipients, ask one DNS list about each client, and forward what they take."""

import contextlib
import os
import pathlib
import signal

from load import BUILD, CLIENT_CORE, SERVER_CORE, on_core  # first: it makes the next importable
from peers import configure_postern, posternd_path, write
from process import Process, answers, as_nobody, free_port, temporary_directory
from qpsmtpd import qpsmtpd

import accounting

ZONE = "bl.test"
RECIPIENTS = [f"user{number}@example.net" for number in range(1000)]  # of bench/scenario.cpp
DNS_DELAY_MS = 20

POSTERND = f"""\
hostname = "mx.example.net"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[dns]
servers = ["%s"]
[forward]
to = ["127.0.0.1:%d"]
max_connections = 200
[[plugin]]
use = "dnsbl"
zones = ["{ZONE}"]
[[plugin]]
use = "rcpt_ok"
recipients_file = "recipients"
"""

QPSMTPD = {
    "plugins": """\
dnsbl
rcpt_map domain example.net file @DIR@/config/recipients
rcpt_ok
queue/smtp-forward 127.0.0.1 %d
""",
    "me": "mx.example.net\n",
    "rcpthosts": "example.net\n",
    "dnsbl_zones": f"{ZONE}\n",
    "recipients": "".join(f"{mailbox} OK known\n" for mailbox in RECIPIENTS),
    "logging": "logging/warn 6\n",  # LOGINFO, as Debian's package has it
    "loglevel": "6\n",
}


class Server(Process):
    """A server that listens on `port`. Its cost is that of its process and all below it."""

    def __init__(self, cleanup, command, directory, port, core=SERVER_CORE, env=None,
                 greeting=b"220"):
        self.port = port
        super().__init__(cleanup, on_core(core, command), os.path.join(directory, "log"), env=env,
                         cwd=directory)
        self.wait_ready(lambda: answers(port, greeting), "it greets")

    def busiest(self):
        """The process that does the work: the worker, where there is one."""
        return max(accounting.family(self.pid), key=lambda pid: int(
            pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]))


class NameServer(Process):
    """Its cost is not counted."""

    def __init__(self, cleanup):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        command = on_core(CLIENT_CORE, [BUILD / "nameserver", self.port, DNS_DELAY_MS])
        super().__init__(cleanup, command, os.path.join(temporary_directory(cleanup), "log"))

    @contextlib.contextmanager
    def late(self):
        self.popen.send_signal(signal.SIGUSR1)
        yield
        self.popen.send_signal(signal.SIGUSR2)


class World:
    """What all servers share: a name server, and a downstream that takes everything."""

    def __init__(self, cleanup):
        self.names = NameServer(cleanup)
        self.downstream = smtp_sink(cleanup, core=CLIENT_CORE)


def posternd(cleanup, world, env=None):
    """Decision records go to a file."""
    config = POSTERND % (world.names.address, world.downstream.port)
    directory, port = configure_postern(cleanup, config, {"recipients": "\n".join(RECIPIENTS)})
    command = [posternd_path(), "--config", os.path.join(directory, "postern.toml")]
    return Server(cleanup, command, directory, port, env=env)


def spike(cleanup, world):
    port, directory = free_port(), temporary_directory(cleanup)
    recipients = os.path.join(directory, "recipients")
    write(recipients, "\n".join(RECIPIENTS))
    command = [BUILD / "spike", port, world.names.port, ZONE, world.downstream.port, recipients]
    return Server(cleanup, command, directory, port)


def smtp_sink(cleanup, *options, core=SERVER_CORE, greeting=b"220"):
    """It has no policy: all it does is answer."""
    port, directory = free_port(), temporary_directory(cleanup)
    command = as_nobody(["smtp-sink", "-m", "20000", *options, f"127.0.0.1:{port}", "4096"])
    return Server(cleanup, command, directory, port, core, greeting=greeting)


def forkserver(cleanup, world, most=250):
    return _qpsmtpd(cleanup, world, "forkserver", most)


def prefork(cleanup, world, most=100):
    return _qpsmtpd(cleanup, world, "prefork", most)


def _qpsmtpd(cleanup, world, kind, most):
    files = {**QPSMTPD, "plugins": QPSMTPD["plugins"] % world.downstream.port}
    return qpsmtpd(cleanup, _pinned, kind, files, world.names.address, most)


def _pinned(cleanup, command, log_path, **more):
    return Process(cleanup, on_core(SERVER_CORE, command), log_path, **more)
