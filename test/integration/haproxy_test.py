"""Behind the real HAProxy, as docs/behind-a-balancer.md has it: the client is whom HAProxy serves, and its health
checks make no noise."""

import json
import os
import re
import shutil
import signal
import unittest

from harness import *
from peers import ROOT, write

CONFIG = """
hostname = "mx.example.test"
workers = 2
[[listen]]
address = "127.0.0.1:@PORT@"
[[listen]]
address = "127.0.0.1:%d"
proxy_from = ["127.0.0.1"]
[forward]
maildir = "@DIR@/maildir"
[log]
level = "debug"
[[plugin]]
use = "rcpt_accept"
"""

MESSAGE = "Subject: through a balancer\r\n\r\nhello\r\n"


def blocks(language):
    """What the guide tells the administrator to write."""
    guide = (ROOT / "docs/behind-a-balancer.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", guide, re.DOTALL)


@unittest.skipUnless(shutil.which("haproxy"), "HAProxy is not installed")
class Haproxy(unittest.TestCase):
    def setUp(self):
        self.behind = free_port()
        self.server = posternd(self.addCleanup, CONFIG % self.behind)

    def balancer(self, header="send-proxy-v2", interval="100ms"):
        """HAProxy before us; gives the port that it serves, once its first health check has passed."""
        directory, port = temporary_directory(self.addCleanup), free_port()
        (text,) = blocks("haproxy")
        text = text.replace("127.0.0.1:25\n", f"127.0.0.1:{port}\n")
        text = text.replace("127.0.0.1:2525", f"127.0.0.1:{self.behind}")
        text = text.replace("send-proxy-v2", header).replace("inter 2s", f"inter {interval}")
        config = os.path.join(directory, "haproxy.cfg")
        write(config, text)
        process = Process(self.addCleanup, ["haproxy", "-db", "-f", config],
                          os.path.join(directory, "haproxy.log"))
        process.wait_ready(lambda: answers(port, b"220"), "HAProxy serves")
        return port

    def lines(self):
        return [json.loads(line) for line in self.server.log().split("\n")[:-1]]

    def records(self, event):
        return [line for line in self.lines() if line.get("event") == event]

    def test_the_client_is_whom_haproxy_serves(self):
        for header in ("send-proxy", "send-proxy-v2"):
            with self.subTest(header):
                port = self.balancer(header)
                before = len(self.server.messages())
                with Client(port, source="127.0.0.7") as client:
                    client.hello("client.example.org")
                    reply = client.deliver("you@example.org", ["someone@example.test"], MESSAGE)
                    self.assertEqual(reply.code, 250)
                    source = client.socket.getsockname()[1]
                    client.quit()
                received = self.server.messages()
                self.assertEqual(len(received), before + 1)
                self.assertEqual(sum(b"client.example.org (unknown [127.0.0.7])" in m for m in received),
                                 before + 1)
                mine = lambda: [r for r in self.records("transaction") if r["port"] == source]
                wait_until(mine, "it is on record")
                self.assertEqual([(r["client"], r["via"]) for r in mine()], [("127.0.0.7", "127.0.0.1")])

    def test_health_checks_make_no_noise(self):
        self.balancer()
        looks = lambda: [line for line in self.lines() if "a look by" in line.get("message", "")]
        wait_until(lambda: len(looks()) >= 3, "three health checks")
        self.assertEqual({line["level"] for line in looks()}, {"debug"})
        self.assertEqual([line for line in self.lines() if line.get("level") in ("warning", "error")], [])
        # What was recorded is our own test's look through HAProxy and at the other listener.
        self.assertEqual([r for r in self.records("session") if r["client"] != "127.0.0.1"], [])
        self.assertEqual([r for r in self.records("session") if r["ending"] == "quit"], [])

    def test_each_listener_has_its_own_peers(self):
        for _ in range(8):  # both workers
            with Client(self.server.port) as client:
                client.hello()
                self.assertEqual(client.command("PROXY UNKNOWN").code, 500)
            with Client(self.behind) as client:
                client.send("EHLO client.example.org\r\n")
                self.assertEqual(client.read_to_end(), b"")
            with Client(self.behind) as client:
                client.send("PROXY TCP4 192.0.2.1 192.0.2.25 51000 25\r\nEHLO client.example.org\r\n")
                client.hello()
        wait_until(lambda: sum("no PROXY header" in line.get("message", "") for line in self.lines()) == 8,
                   "one line for each that sent none")

    def test_who_says_nothing_is_closed_after_five_seconds(self):
        with Client(self.behind) as client:
            self.assertEqual(client.read_to_end(), b"")
        wait_until(lambda: any("not within 5 s" in line.get("message", "") for line in self.lines()),
                   "it is told")


class Guide(unittest.TestCase):
    def test_its_configurations_are_good(self):
        for block in blocks("toml"):
            with self.subTest(block):
                rest = '[forward]\nmaildir = "@DIR@/maildir"\n[[plugin]]\nuse = "rcpt_accept"\n'
                ran = run_posternd(self.addCleanup, 'hostname = "mx.example.test"\n' + block + rest, "--check")
                self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran.stdout)
                self.assertIn("no problems", ran.stdout)


class Reload(unittest.TestCase):
    def test_listeners_may_change_places(self):
        other = free_port()
        server = posternd(self.addCleanup, CONFIG % other)
        config = os.path.join(server.directory, "postern.toml")
        with open(config, encoding="utf-8") as file:
            text = file.read()
        here, there = f'"127.0.0.1:{server.port}"', f'"127.0.0.1:{other}"'
        write(config, text.replace(here, "HERE").replace(there, here).replace("HERE", there))
        before = set(server.workers())
        server.kill(signal.SIGHUP)
        wait_until(lambda: not before & set(server.workers()), "the old workers have gone")
        for _ in range(8):
            with Client(server.port) as client:
                client.send("EHLO client.example.org\r\n")
                self.assertEqual(client.read_to_end(), b"")
            self.assertTrue(answers(other, b"220"))


if __name__ == "__main__":
    unittest.main()
