"""10,000 clients that go at random points of a dialogue leave nothing behind: no session, no descriptor,
no memory."""

import os
import pathlib
import random
import signal
import threading
import unittest

from harness import *

HANG_UPS = 10_000
CLIENTS = 16
# What a starved worker has to hold at once comes in bursts, and is kept for the next one: it grows in
# one round or two. A leak grows in each.
ROUNDS = 4
SPARE = 400_000 if is_sanitized else 4096  # KiB

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "@DIR@/maildir"
[limits]
memory_per_message = "4KB"
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""

DIALOGUE = (b"EHLO client.example.org\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.test>\r\n"
            b"RCPT TO:<c@elsewhere.example>\r\nDATA\r\nSubject: x\r\n\r\n" + b"0123456789\r\n" * 600 +
            b".\r\nQUIT\r\n")


def go_at_random_points(port, count, seed):
    draw = random.Random(seed)
    for _ in range(count):
        client = Client(port)
        try:
            client.send(DIALOGUE[:draw.randrange(len(DIALOGUE))])
            if draw.random() < 0.3:
                client.reply()
        except (OSError, ProtocolError):
            pass  # it has closed first
        how = draw.choice([client.reset, client.close, client.half_close])
        try:
            how()
        except OSError:
            pass
        client.close()


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0])


class HangUps(unittest.TestCase):
    def go(self, server, count, seed):
        threads = [threading.Thread(target=go_at_random_points,
                                    args=(server.port, count // CLIENTS, seed + n))
                   for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10 * LIMIT)
            self.assertFalse(thread.is_alive(), "a client hangs")

    def test_leave_nothing_behind(self):
        server = posternd(self.addCleanup, CONFIG)
        (worker,) = server.workers()
        idle = descriptors(worker)
        self.go(server, HANG_UPS // 10, seed=1)  # caches and pools fill
        wait_until(lambda: descriptors(worker) <= idle, "every descriptor is given back")
        growth = []
        while len(growth) < ROUNDS and (not growth or growth[-1] >= SPARE):
            before = resident_kib(worker)
            self.go(server, HANG_UPS, seed=1000 * (1 + len(growth)))
            wait_until(lambda: descriptors(worker) <= idle, "every descriptor is given back")
            self.assertEqual(server.workers(), [worker], "the worker has died")
            growth.append(resident_kib(worker) - before)
        self.assertLess(growth[-1], SPARE, growth)
        # No session is left that a drain would have to wait for; a leak would end the process with an
        # error under the sanitizers.
        server.kill(signal.SIGTERM)
        self.assertEqual(server.wait(), 0, server.log()[-2000:])


if __name__ == "__main__":
    unittest.main()
