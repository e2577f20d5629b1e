"""Clients that deliver numbered messages whatever happens to them, and the ledger of what they were told."""

import re
import threading
import time

from client import Client, ProtocolError, Refused
from process import LIMIT

TEXT = "From: a@example.org\r\nSubject: x\r\n\r\n" + ("0123456789" * 20 + "\r\n") * 10
PAUSE = 0.05  # seconds after a refusal


class Ledger:
    """What the clients were told about each message, by its id."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = set()
        self.refused = set()  # a final 4xx or 5xx was read
        self.codes = []       # of all refusals, those of the envelope too

    def note(self, message_id, code):
        with self.lock:
            (self.acknowledged if code == 250 else self.refused).add(message_id)
            if code != 250:
                self.codes.append(code)

    def note_envelope(self, code):
        with self.lock:
            self.codes.append(code)


def send_until(port, ledger, ended, name, recipient="b@example.test", source=None):
    """One client: sends numbered messages, whatever happens to its connection."""
    number = 0
    while not ended.is_set():
        try:
            with Client(port, source=source) as client:
                client.hello()
                while not ended.is_set():
                    number += 1
                    message_id = f"{name}-{number}"
                    body = f"X-Ledger: {message_id};\r\n{TEXT}"
                    reply = client.deliver("a@example.org", [recipient], body)
                    ledger.note(message_id, reply.code)
                    if reply.code != 250:
                        time.sleep(PAUSE)
                client.quit()
        except Refused as refused:
            ledger.note_envelope(refused.reply.code)
            time.sleep(PAUSE)
        except (OSError, ProtocolError):
            time.sleep(PAUSE)


class Traffic:
    """So many clients, from start() to end(); `cleanup` ends them after a failure."""

    def __init__(self, cleanup, count, port, **options):
        self.ledger = Ledger()
        self._ended = threading.Event()
        self._clients = [threading.Thread(target=send_until, kwargs=options,
                                          args=(port, self.ledger, self._ended, str(number)))
                         for number in range(count)]
        cleanup(self._ended.set)
        for client in self._clients:
            client.start()

    def end(self):
        self._ended.set()
        for client in self._clients:
            client.join(2 * LIMIT)  # it may be waiting for a reply
            if client.is_alive():
                raise TimeoutError("a client hangs")


def ids_in(messages):
    found = []
    for message in messages:
        found += re.findall(rb"^X-Ledger: ([0-9-]+);", message, re.MULTILINE)
    return [each.decode() for each in found]
