"""Real name servers on loopback: NSD and rbldnsd with zones of a test's own, Unbound that asks others."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import unittest

from peers import write
from process import Process, as_nobody, free_port, temporary_directory

needs_nsd = unittest.skipUnless(shutil.which("nsd"), "NSD is not installed")
needs_rbldnsd = unittest.skipUnless(shutil.which("rbldnsd"), "rbldnsd is not installed")
needs_unbound = unittest.skipUnless(shutil.which("unbound"), "Unbound is not installed")

NSD = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  xfrdir: "{directory}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""

UNBOUND = """server:
  interface: 127.0.0.1@{port}
  username: ""
  chroot: ""
  directory: "{directory}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  module-config: "iterator"
  num-threads: 1
  local-zone: "test." nodefault
  local-zone: "2.0.192.in-addr.arpa." nodefault
  local-zone: "127.in-addr.arpa." nodefault
  local-zone: "invalid." static
remote-control:
  control-enable: no
"""


def free_udp_port():
    """A port of 127.0.0.1 that neither UDP nor TCP uses."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", port))
            return port


def replies(port, zone):
    """Whether it answers a query for the zone's SOA record without an error."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in zone.split("."))
    query = b"\0\1\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\6\0\1"
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(("127.0.0.1", port))
            probe.send(query)
            reply = probe.recv(512)
        except OSError:
            return False
        return len(reply) > 12 and reply[3] & 15 == 0 and reply[7] > 0


class NameServer(Process):
    """`again()` starts it anew at the same address, after it has ended."""

    def __init__(self, cleanup, command, directory, port, zone):
        super().__init__(cleanup, as_nobody(command), os.path.join(directory, "server.log"),
                         cwd=directory)
        self.address = f"127.0.0.1:{port}"
        self.wait_ready(lambda: replies(port, zone), f"{command[0]} answers for {zone}")
        self.again = lambda: NameServer(cleanup, command, directory, port, zone)


def _directory(cleanup):
    directory = temporary_directory(cleanup)
    if os.geteuid() == 0:
        shutil.chown(directory, "nobody", "nogroup")
    return directory


def nsd(cleanup, zones):
    """NSD with `zones` (name -> text of its file). The process has `.address`."""
    directory, port = _directory(cleanup), free_udp_port()
    config = NSD.format(port=port, directory=directory)
    for number, (zone, text) in enumerate(zones.items()):
        write(pathlib.Path(directory, f"{number}.zone"), text)
        config += f'zone:\n  name: {zone}\n  zonefile: "{number}.zone"\n'
    path = os.path.join(directory, "nsd.conf")
    write(path, config)
    checked = subprocess.run(["nsd-checkconf", path], capture_output=True, text=True, check=False,
                             timeout=30, stdin=subprocess.DEVNULL)
    if checked.returncode != 0:
        raise RuntimeError(checked.stdout + checked.stderr)
    return NameServer(cleanup, ["nsd", "-d", "-c", path], directory, port, next(iter(zones)))


RBLDNSD_ZONE = """$SOA 1 ns.example.test. host.example.test. 1 600 300 86400 1
$NS 1 ns.example.test.
$TTL 1
:127.0.0.2:{text}
127.0.0.2
"""


def rbldnsd(cleanup, zone, listed, text):
    """rbldnsd with one list of addresses and networks. Each answer holds for a second. The process has
    `.address`."""
    directory, port = _directory(cleanup), free_udp_port()
    entries = "".join(f"{each}\n" for each in listed)
    write(pathlib.Path(directory, "zone"), RBLDNSD_ZONE.format(text=text) + entries)
    command = ["rbldnsd", "-n", "-b", f"127.0.0.1/{port}", "-w", directory, "-t", "1",
               f"{zone}:ip4set:zone"]
    return NameServer(cleanup, command, directory, port, zone)


def unbound(cleanup, stubs):
    """Unbound that asks for each zone the server at its address (zone -> "127.0.0.1:PORT"); it knows
    nothing else. The process has `.address`."""
    directory, port = _directory(cleanup), free_udp_port()
    config = UNBOUND.format(port=port, directory=directory)
    for zone, address in stubs.items():
        config += f'stub-zone:\n  name: "{zone}"\n  stub-addr: {address.replace(":", "@")}\n'
    path = os.path.join(directory, "unbound.conf")
    write(path, config)
    return NameServer(cleanup, ["unbound", "-d", "-p", "-c", path], directory, port, next(iter(stubs)))
