"""A scripted mail server to forward to: SMTP or LMTP, with a fault at any phase of the dialogue and a
ledger of what it has taken over."""

import dataclasses
import re
import select
import socket
import threading

from faults import Gone
from process import at_end

PHASES = ("connect", "greeting", "helo", "starttls", "xforward", "xclient", "mail", "rcpt", "data", "body", "dot",
          "rset", "noop", "quit")
CAPABILITIES = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 52428800", "ENHANCEDSTATUSCODES", "DSN",
                "XFORWARD NAME ADDR PROTO HELO SOURCE PORT")


@dataclasses.dataclass
class Message:
    """One entry of the ledger. `sender` and `recipients` are the arguments of MAIL and RCPT as they
    came; `octets` is the content, dots unstuffed; `said`: the 250 was sent."""
    sender: str
    recipients: list
    octets: bytes
    said: bool
    connection: int
    xforward: dict
    xclient: dict
    proxy: str


class Downstream:
    """Listens on 127.0.0.1, one thread per connection. Phases are told faults by on()."""

    def __init__(self, cleanup, capabilities=CAPABILITIES, lmtp=False, proxy=False, port=0):
        self.capabilities = capabilities
        self.lmtp = lmtp
        self.proxy = proxy  # every connection begins with a PROXY header, version 1
        self.port = port
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._faults = {phase: [] for phase in PHASES}
        self._ledger = []
        self._connections = []
        self._threads = []
        self._listener = None
        self.listen()
        cleanup(at_end(self.stop))

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    # ---- what the test says -------------------------------------------------------------------

    def on(self, phase, fault, times=None, after=0):
        """From now on `phase` does `fault`: after the next `after` times, for `times` times, or for
        good. Phases: PHASES."""
        with self._lock:
            self._faults[phase].append([after, times, fault])
        return self

    def heal(self):
        """Forgets every fault."""
        with self._lock:
            for faults in self._faults.values():
                faults.clear()

    def refuse(self):
        """Stops listening: connections are refused until listen()."""
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            listener.close()

    def listen(self):
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def drop_all(self):
        """Ends every connection at once, as a crash would."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.cut()

    def stop(self):
        self.stopping.set()
        self.refuse()
        self.drop_all()
        for thread in self._threads:
            thread.join(5)

    # ---- what the test asks -------------------------------------------------------------------

    @property
    def ledger(self):
        with self._lock:
            return list(self._ledger)

    @property
    def open_connections(self):
        with self._lock:
            return len(self._connections)

    # ---- for connections ----------------------------------------------------------------------

    def record(self, message):
        with self._lock:
            self._ledger.append(message)

    def fault(self, phase):
        """The fault that is due at `phase` now, or None."""
        with self._lock:
            for entry in self._faults[phase]:
                after, times, fault = entry
                if after > 0:
                    entry[0] -= 1
                    return None
                if times is None:
                    return fault
                if times > 0:
                    entry[1] -= 1
                    return fault
        return None

    def _start(self, run, *arguments):
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener):
        number = 0
        while not self.stopping.is_set():
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            number += 1
            self._start(self._serve, Connection(self, accepted, number))

    def _serve(self, connection):
        with self._lock:
            self._connections.append(connection)
        try:
            connection.run()
        except (Gone, OSError):
            pass
        finally:
            with self._lock:
                self._connections.remove(connection)
            connection.socket.close()


class Connection:
    def __init__(self, server, accepted, number):
        self.server = server
        self.socket = accepted
        self.number = number
        self.buffer = b""
        self.proxy = ""
        self.xforward = {}
        self.xclient = {}
        self.clear()

    def clear(self):
        self.sender = None
        self.recipients = []
        self.content = b""

    # ---- octets -------------------------------------------------------------------------------

    def send(self, data):
        self.socket.sendall(data)

    def cut(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def wait_for_the_end(self):
        """Until the other side closes, or the test does; what comes in meanwhile is thrown away."""
        while not self.server.stopping.is_set():
            ready, _, _ = select.select([self.socket], [], [], 0.1)
            if ready and not self.socket.recv(65536):
                return

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise Gone
        self.buffer += got

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("utf-8", "surrogateescape")

    def body(self):
        """Up to CRLF.CRLF and nothing else (RFC 5321 section 4.1.1.4), unstuffed."""
        data = bytearray(b"\r\n")  # as if DATA's own CRLF stood before it
        looked = 0
        while True:
            data += self.buffer
            end = data.find(b"\r\n.\r\n", looked)
            if end >= 0:
                self.buffer = bytes(data[end + 5:])
                return re.sub(rb"\r\n\.", b"\r\n", bytes(data[:end + 2]))[2:]
            looked, self.buffer = max(0, len(data) - 4), b""
            self.more()
            self.phase("body", None)

    # ---- the dialogue -------------------------------------------------------------------------

    def phase(self, name, ordinary):
        """The reply that is due at this phase: the ordinary one, or what a fault makes of it."""
        fault = self.server.fault(name)
        return fault(self) if fault else ordinary

    def answer(self, name, ordinary):
        reply = self.phase(name, ordinary)
        self.send(reply.encode() + b"\r\n")
        return reply.startswith("2")

    def run(self):
        self.phase("connect", None)
        if self.server.proxy:
            self.proxy = self.line()
        self.answer("greeting", "220 downstream.example ready")
        while True:
            verb, _, argument = self.line().partition(" ")
            handler = getattr(self, f"do_{verb.lower()}", None)
            if handler:
                handler(argument)
            else:
                self.send(b"500 5.5.1 what?\r\n")

    def do_ehlo(self, _):
        lines = ["downstream.example", *self.server.capabilities]
        last = len(lines) - 1
        self.clear()
        self.answer("helo", "\r\n".join(f"250{' ' if i == last else '-'}{line}"
                                        for i, line in enumerate(lines)))

    do_lhlo = do_ehlo

    def do_helo(self, _):
        self.clear()
        self.answer("helo", "250 downstream.example")

    def do_starttls(self, _):
        self.answer("starttls", "454 4.7.0 not now")

    def do_xforward(self, argument):
        if self.answer("xforward", "250 2.0.0 noted"):
            self.xforward.update(attributes(argument))

    def do_xclient(self, argument):
        if self.answer("xclient", "220 downstream.example ready"):
            self.xclient.update(attributes(argument))

    def do_mail(self, argument):
        if self.sender is not None:
            self.send(b"503 5.5.1 nested MAIL\r\n")
        elif self.answer("mail", "250 2.1.0 sender"):
            self.sender = argument.partition(":")[2]

    def do_rcpt(self, argument):
        if self.sender is None:
            self.send(b"503 5.5.1 MAIL first\r\n")
        elif self.answer("rcpt", "250 2.1.5 recipient"):
            self.recipients.append(argument.partition(":")[2])

    def do_data(self, _):
        if not self.recipients:
            self.send(b"554 5.5.1 no valid recipients\r\n")
            return
        reply = self.phase("data", "354 go ahead")
        self.send(reply.encode() + b"\r\n")
        if not reply.startswith("3"):
            return
        self.content = self.body()
        for recipients in [[one] for one in self.recipients] if self.server.lmtp else [self.recipients]:
            self.end_of_data(recipients)
        self.xforward = {}  # lasts for one transaction
        self.clear()

    def end_of_data(self, recipients):
        everyone, self.recipients = self.recipients, recipients
        reply = self.phase("dot", "250 2.0.0 kept")
        if reply.startswith("2"):
            self.keep(said=True)  # durable first, then the promise
        self.send(reply.encode() + b"\r\n")
        self.recipients = everyone

    def keep(self, said):
        self.server.record(Message(self.sender, list(self.recipients), self.content, said, self.number,
                                   dict(self.xforward), dict(self.xclient), self.proxy))

    def do_rset(self, _):
        self.clear()
        self.answer("rset", "250 2.0.0 forgotten")

    def do_noop(self, _):
        self.answer("noop", "250 2.0.0 here")

    def do_quit(self, _):
        self.answer("quit", "221 2.0.0 bye")
        raise Gone


def attributes(text):
    """NAME=value …, xtext decoded (RFC 3461 section 4)."""
    pairs = (pair.partition("=") for pair in text.split())
    return {name.upper(): re.sub(r"\+([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), value)
            for name, _, value in pairs}
