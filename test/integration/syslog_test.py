"""The log by syslog(3), where nothing of the machine listens: each line has its priority."""

import json
import os
import re
import socket
import unittest

from harness import *

PLACE = "/dev/log"
CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "maildir"
[log]
target = "syslog"
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""
MAIL = 2 << 3  # RFC 3164 section 4.1.1: the facility
NOTICE, INFO = 5, 6


@unittest.skipIf(os.path.exists(PLACE) or os.geteuid() != 0, f"something listens on {PLACE}, or we may not")
class Syslog(unittest.TestCase):
    def test_each_line_has_its_priority(self):
        daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(daemon.close)
        daemon.bind(PLACE)
        self.addCleanup(os.unlink, PLACE)
        daemon.settimeout(LIMIT)
        server = posternd(self.addCleanup, CONFIG)
        with Client(server.port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@b.example>")
            client.must(550, "RCPT TO:<x@elsewhere.example>")
            client.quit()
        heard = []
        wanted = ['"recipients_refused":1', "is ready"]  # of two processes: in either order
        while not all(any(each in text for _, text in heard) for each in wanted):
            line = daemon.recv(65536).decode()
            if " postern[" not in line:
                continue  # of a program that other tests have started
            found = re.fullmatch(r"<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d postern\[\d+\]: (.*)", line)
            self.assertTrue(found, line)
            heard.append((int(found[1]), found[2]))
        for priority, text in heard:
            told = json.loads(text)
            self.assertEqual(priority, MAIL + (INFO if "event" in told else NOTICE), text)


if __name__ == "__main__":
    unittest.main()
