"""The world of a day of junk (bench/day.hpp): a posternd with the policy of an administrator who told of it, the
name server and the downstream that it asks, and the program that comes as all of its clients."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from nameserver import nsd
from peers import posternd_path
from process import LIMIT, Process, answers, as_nobody, free_port, temporary_directory

needs_day = unittest.skipUnless(shutil.which("nsd") and shutil.which("smtp-sink"),
                                "NSD and smtp-sink are not both installed")

# One worker: what it has counted is known at once, and so every reply can be foretold.
CONFIG = """\
hostname = "mx.steve.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[dns]
servers = ["%(names)s"]
timeout = "700ms"
tries = 4
[forward]
to = ["127.0.0.1:%(downstream)d"]
max_connections = 100
[log]
format = "json"

[[plugin]]
use = "relay"
clients = ["127.250.0.0/16"]

[[plugin]]
use = "shed"
threshold = 20
within = "10m"

[[plugin]]
use = "rdns_blacklist"
directory = "blacklisted/tld"

[[plugin]]
use = "dnsbl"
zones = [{ name = "bl.test", weight = 2 }, { name = "soft.test", weight = 1 }]
threshold = 2

[[plugin]]
use = "badmailfrom"
domains = ["linkedout.example"]
enforce_at = "rcpt"

[[plugin]]
use = "rcpt_pattern_test"
rules = [%(rules)s]

[[plugin]]
use = "bounce_flood"

[[plugin]]
use = "virtual_rcpt_ok"
directory = "virtual"

[[plugin]]
use = "rcpt_ok"
domains = ["watch.test"]

[[plugin]]
use = "greylisting"
mode = "off"
delay = "1s"
"""

RULES = """\
[0-9]@        DENY  Localparts never end in digits
,             DENY  Localparts never contain a comma
|             DENY  Localparts never contain PIPES.
^([^a-zA-Z])  DENY  Localparts start with a-z/A-Z
"             DENY  Quotes are never used in accounts on this system
'             DENY  Quotes are never used in accounts on this system
""".splitlines()
STRICT_RULES = ["[0-9]@ DENYSOFT Digits are looked at by hand", *RULES[1:]]

# What is not said here is as above; steve.test has no file.
DOMAINS = {
    "strict.test": """\
[plugin.dnsbl]
threshold = 1
[plugin.bounce_flood]
count = 5
permanent = true
[plugin.rcpt_pattern_test]
rules = [@STRICT_RULES@]
[recipient."postbox@strict.test".plugin.dnsbl]
mode = "off"
""",
    "watch.test": "".join(f'[plugin.{plugin}]\nmode = "observe"\n' for plugin in (
        "rdns_blacklist", "dnsbl", "badmailfrom", "rcpt_pattern_test", "bounce_flood")),
    "lists.test": """\
[plugin.dnsbl]
zones = [{ name = "own.test", weight = 2 }]
mode = "defer"
[plugin.rdns_blacklist]
directory = "blacklisted/lists.test"
""",
    "grey.test": '[plugin.greylisting]\nmode = "on"\n',
    "catchall.test": """\
[plugin.badmailfrom]
domains = []
[plugin.rdns_blacklist]
mode = "off"
""",
}
COUNTRIES = {"blacklisted/tld": ["cn", "kr", "ru", "sa"], "blacklisted/lists.test": ["ru"]}

HEAD = "$ORIGIN {zone}.\n$TTL 3600\n@ SOA ns host 1 3600 600 86400 600\n@ NS ns\nns A 127.0.0.1\n"


def toml(texts):
    return ", ".join(json.dumps(text) for text in texts)


def reverse(address):
    return ".".join(reversed(address.split(".")))


def zones(world):
    """Every list, with its test entry (RFC 5782 section 5), and the names of hosts."""
    made = {}
    for zone in ("bl.test", "soft.test", "own.test"):
        entries = [f"{reverse(each)} A 127.0.0.2\n{reverse(each)} TXT \"Listed in {zone}\"\n"
                   for each in ["127.0.0.2", *world["listed"].get(zone, [])]]
        made[zone] = HEAD.format(zone=zone) + "".join(entries)
    made["127.in-addr.arpa"] = HEAD.format(zone="127.in-addr.arpa") + "".join(
        f"{reverse(address).removesuffix('.127')} PTR {host}.\n" for address, host in world["hosts"].items())
    return made


def files(world):
    """Beside postern.toml."""
    made = {f"virtual/{domain}": "\n".join(names) for domain, names in world["mailboxes"].items()}
    made |= {f"{directory}/{country}": "" for directory, names in COUNTRIES.items() for country in names}
    return made | {f"domains/{domain}.toml": text.replace("@STRICT_RULES@", toml(STRICT_RULES))
                   for domain, text in DOMAINS.items()}


def config(names, downstream):
    return CONFIG % {"names": names.address, "downstream": downstream.port, "rules": toml(RULES)}


def program():
    """bench/day of the build that is tested."""
    return pathlib.Path(posternd_path()).parent.parent / "bench/day"


def world(part):
    done = subprocess.run([program(), "--world", "--part", str(part)], capture_output=True, text=True,
                          check=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
    return json.loads(done.stdout)


def replay(port, part, *options, limit=10 * LIMIT):
    """(visits, summary): see bench/replay.cpp."""
    command = [program(), "--port", str(port), "--part", str(part), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    *visits, summary = map(json.loads, done.stdout.splitlines())
    return visits, summary


class Sink(Process):
    """smtp-sink, which keeps each message in a file of its own."""

    def __init__(self, cleanup):
        self.port, directory = free_port(), temporary_directory(cleanup)
        self.kept = pathlib.Path(directory, "kept")
        self.kept.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.kept, "nobody", "nogroup")
        command = ["smtp-sink", "-d", f"{self.kept}/%M.", "-m", "1000", f"127.0.0.1:{self.port}", "1024"]
        super().__init__(cleanup, as_nobody(command), os.path.join(directory, "sink.log"), cwd=directory)
        self.wait_ready(lambda: answers(self.port), "smtp-sink listens")

    def messages(self):
        """(id of the visit, recipients) of each."""
        found = []
        for path in self.kept.iterdir():
            text = path.read_text(encoding="utf-8")
            [visit] = re.findall(r"^Message-ID: <(\w+)@day\.example>", text, re.MULTILINE)
            found.append((visit, re.findall(r"^X-Rcpt-Args: <(.*)>", text, re.MULTILINE)))
        return found
