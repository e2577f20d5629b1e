"""Who promised what: what clients were told about each message, and what the downstream has of it."""

import collections
import hashlib
import re
import socket
import threading

from downstream import Downstream

MARK = re.compile(rb"^Message-ID: <([a-z]+-\d+-\d+)@soak>\r\n", re.MULTILINE)


def digest(octets):
    return hashlib.blake2b(octets, digest_size=8).digest()


class Ledger:
    """A message's content begins with its Message-ID, so that what stands before it is ours."""

    def __init__(self):
        self._lock = threading.Lock()
        self._sent = {}  # id -> digest
        self._told = {}  # id -> reply code; none: no reply was heard
        self._kept = collections.Counter()
        self._changed = set()
        self._smuggled = set()
        self._uncertain = set()

    def begin(self, message_id, content):
        with self._lock:
            self._sent[message_id] = digest(content)

    def told(self, message_id, code):
        with self._lock:
            self._told[message_id] = code

    def uncertain(self, message_id):
        """A record says that the downstream's answer was lost."""
        with self._lock:
            self._uncertain.add(message_id)

    def keep(self, octets):
        """The downstream takes a message over."""
        found = MARK.search(octets)
        with self._lock:
            if found is None:
                self._smuggled.add(octets[:200])
                return
            message_id = found[1].decode()
            self._kept[message_id] += 1
            if digest(octets[found.start():]) != self._sent.get(message_id):
                self._changed.add(message_id)

    def codes(self):
        with self._lock:
            return collections.Counter(code // 100 for code in self._told.values())

    def accepted(self):
        with self._lock:
            return sum(code == 250 for code in self._told.values())

    def without_reply(self):
        with self._lock:
            return len(self._sent) - len(self._told)

    def faults(self, kills):
        """What is wrong with it. `kills`: so many workers had no time to write their last records."""
        with self._lock:
            acknowledged = {each for each, code in self._told.items() if code == 250}
            refused = {each for each, code in self._told.items() if code != 250}
            delivered = set(self._kept)
            unexplained = (refused & delivered) - self._uncertain
            sets = {
                "acknowledged and lost": acknowledged - delivered,
                "delivered more than once": {each for each, count in self._kept.items() if count > 1},
                "changed on the way": self._changed,
                "came out of another message": self._smuggled,
                "refused, and delivered all the same": unexplained if len(unexplained) > kills else set(),
            }
        return [f"{len(what)} messages were {why}: {sorted(what)[:5]}" for why, what in sets.items() if what]


class LedgerDownstream(Downstream):
    """Keeps digests, not messages, and forgets its threads: it runs for long."""

    def __init__(self, cleanup, ledger):
        self._kept_by = ledger
        super().__init__(cleanup)

    def record(self, message):
        self._kept_by.keep(message.octets)

    def _serve(self, connection):
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or Nagle adds 40 ms
        super()._serve(connection)

    def _start(self, run, *arguments):
        threading.Thread(target=run, args=arguments, daemon=True).start()
