"""The clients of a soak: each kind is a thread that goes on until it is told to stop, whatever happens to
its connections. How long it rests between two sessions keeps the load moderate."""

import itertools
import random
import socket
import threading
import time

from client import Client, ProtocolError, Refused

ERRORS = (OSError, Refused, ProtocolError)
SENDER, RECIPIENT = "a@example.org", "b@example.test"
SMUGGLED = "MAIL FROM:<x@y.example>\r\nRCPT TO:<b@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"
LOOKALIKES = ("\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\r.\r", "\r\n\0.\r\n")
PHASES = ("connected", "greeted", "hello", "mail", "rcpt", "data", "half", "all but the dot", "sent")
IDLE = 100


class Traffic:
    def __init__(self, port, ledger):
        self.port = port
        self.ledger = ledger
        self.latencies = []  # (when, seconds) of each small message
        self.sessions = itertools.count()
        self._stop = threading.Event()
        self._threads = []
        self.failures = []

    def start(self):
        self._stop.clear()
        kinds = [(self.send, 0.05, 4), (self.be_refused, 0.2, 1), (self.guess, 0.5, 1), (self.crawl, 0.5, 3),
                 (self.hang_up, 0.1, 2), (self.send_big, 1.0, 1), (self.smuggle, 0.3, 1), (self.idle, 1.0, 1)]
        for act, rest, how_many in kinds:
            for number in range(how_many):
                thread = threading.Thread(target=self._run, args=(act, rest, random.Random(number)))
                self._threads.append(thread)
                thread.start()

    def stop(self, limit):
        """False: a client hangs."""
        self._stop.set()
        for thread in self._threads:
            thread.join(limit)
        alive = any(thread.is_alive() for thread in self._threads)
        self._threads.clear()
        return not alive

    def _run(self, act, rest, dice):
        while not self._stop.is_set():
            next(self.sessions)
            try:
                act(dice)
            except ERRORS:
                pass  # its worker, or the downstream, was killed
            except AssertionError as wrong:
                self.failures.append(str(wrong))
            self._stop.wait(rest * dice.uniform(0.5, 1.5))

    def message(self, kind, octets, dice):
        """A new message: its id, and its content."""
        message_id = f"{kind}-{threading.get_ident()}-{time.monotonic_ns()}"
        lines = ["." * dice.randrange(3) + "0123456789abcdef" * 4] * max(1, octets // 66)
        content = (f"Message-ID: <{message_id}@soak>\r\nSubject: soak\r\n\r\n" + "\r\n".join(lines) + "\r\n").encode()
        self.ledger.begin(message_id, content)
        return message_id, content

    def deliver(self, client, message_id, content):
        try:
            code = client.deliver(SENDER, [RECIPIENT], content).code
        except Refused as refused:
            code = refused.reply.code
        self.ledger.told(message_id, code)
        return code

    # ---- kinds --------------------------------------------------------------------------------

    def send(self, dice):
        with Client(self.port) as client:
            client.hello()
            for _ in range(dice.randrange(1, 6)):
                message_id, content = self.message("small", dice.randrange(100, 5000), dice)
                began = time.monotonic()
                code = self.deliver(client, message_id, content)
                if code == 250:
                    self.latencies.append((began, time.monotonic() - began))
                else:
                    client.command("RSET")
            client.quit()

    def send_big(self, dice):
        with Client(self.port) as client:
            client.hello()
            self.deliver(client, *self.message("big", dice.randrange(500_000, 4_000_000), dice))
            client.quit()

    def be_refused(self, dice):
        with Client(self.port) as client:
            client.hello()
            client.must(250, f"MAIL FROM:<{SENDER}>")
            client.must(550, "RCPT TO:<b@elsewhere.example>")
            client.command(dice.choice(["DATA", "WHAT", "EXPN x", "MAIL FROM:<a@b>", "RCPT TO:<" + "x" * 600]))
            client.quit()

    def guess(self, dice):
        """A dictionary attack, in one write."""
        with Client(self.port) as client:
            client.hello()
            names = "".join(f"RCPT TO:<{dice.randrange(10 ** 9)}@elsewhere.example>\r\n" for _ in range(200))
            client.send(f"MAIL FROM:<{SENDER}>\r\n{names}")
            codes = {reply.code for reply in client.replies(201)[1:]}
            assert codes <= {550, 421, 451}, f"a dictionary attack heard {codes}"

    def crawl(self, dice):
        """A slow client: seconds for a message."""
        with Client(self.port) as client:
            client.hello()
            message_id, content = self.message("slow", 300, dice)
            client.envelope(SENDER, [RECIPIENT])
            client.must(354, "DATA")
            stuffed = content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
            client.send_slowly(stuffed, piece=dice.randrange(3, 9), pause=0.02)
            self.ledger.told(message_id, client.reply().code)

    def hang_up(self, dice):
        phase = dice.choice(PHASES)
        client = Client(self.port)
        leave = dice.choice([client.close, client.reset])
        try:
            self.go_until(client, phase, dice)
        finally:
            leave()

    def go_until(self, client, phase, dice):
        """In the last phase the message may be delivered, and nobody hears of it."""
        depth = PHASES.index(phase)
        if depth >= PHASES.index("greeted"):
            client.must(220)
        if depth >= PHASES.index("hello"):
            client.must(250, "EHLO x.example")
        if depth >= PHASES.index("mail"):
            client.must(250, f"MAIL FROM:<{SENDER}>")
        if depth >= PHASES.index("rcpt"):
            client.must(250, f"RCPT TO:<{RECIPIENT}>")
        if depth >= PHASES.index("data"):
            client.must(354, "DATA")
        if depth >= PHASES.index("half"):
            _, content = self.message("gone", 2000, dice)
            stuffed = content.replace(b"\r\n.", b"\r\n..")
            client.send(stuffed[:len(stuffed) // 2] if phase == "half" else stuffed)
            if phase == "sent":
                client.send(b".\r\n")

    def smuggle(self, dice):
        """A look-alike of the end of data, and another transaction behind it."""
        with Client(self.port) as client:
            client.hello()
            client.envelope(SENDER, [RECIPIENT])
            client.must(354, "DATA")
            client.send(f"Subject: x\r\n\r\nx{dice.choice(LOOKALIKES)}{SMUGGLED}.\r\n")
            reply = client.reply()
            assert reply.code in (550, 554, 421, 451), f"a smuggler heard {reply}"

    def idle(self, _):
        """Many who say nothing after EHLO, until all is over."""
        sockets = []
        try:
            while not self._stop.is_set():
                while len(sockets) < IDLE:
                    sockets.append(socket.create_connection(("127.0.0.1", self.port), timeout=60))
                    sockets[-1].sendall(b"EHLO idle.example\r\n")
                    sockets[-1].setblocking(False)
                self._stop.wait(0.5)
                sockets = [each for each in sockets if self._lives(each)]
        finally:
            for each in sockets:
                each.close()

    @staticmethod
    def _lives(each):
        try:
            if each.recv(4096):
                return True
        except BlockingIOError:
            return True
        except OSError:
            pass
        each.close()
        return False
