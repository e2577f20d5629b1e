"""A raw SMTP client: sends the octets it is given, reads replies strictly, and can leave in every way
a client can leave."""

import re
import socket
import struct
import time

from process import LIMIT

# RFC 5321 section 4.2: three digits, then a blank or hyphen with text, or nothing.
REPLY_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\r\n]*))?\r\n")


class ProtocolError(Exception):
    """The server said something that is no SMTP reply."""


class Refused(Exception):
    """A step of deliver() was not answered as it should be; `.reply` is what was said."""

    def __init__(self, step, reply):
        super().__init__(f"{step}: {reply}")
        self.step = step
        self.reply = reply


class Reply:
    def __init__(self, code, lines):
        self.code = code
        self.lines = lines

    @property
    def text(self):
        return "\n".join(self.lines)

    def __repr__(self):
        return f"{self.code} {' / '.join(self.lines)}"


def octets(data):
    return data.encode() if isinstance(data, str) else bytes(data)


class Client:
    """`timeout` is the limit in seconds of each send and of each whole reply."""

    def __init__(self, port, host="127.0.0.1", timeout=LIMIT, source=None):
        self.timeout = timeout
        self.socket = socket.create_connection((host, port), timeout=timeout,
                                               source_address=(source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- octets -------------------------------------------------------------------------------

    def send(self, data):
        """As they are: no CRLF is added, nothing is stuffed."""
        self.socket.settimeout(self.timeout)
        self.socket.sendall(octets(data))

    def send_slowly(self, data, piece=1, pause=0.0):
        data = octets(data)
        for start in range(0, len(data), piece):
            self.send(data[start:start + piece])
            time.sleep(pause)

    def _more(self, end):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no reply in {self.timeout:g} s; so far: {self.buffer[:200]!r}")
        self.socket.settimeout(left)
        try:
            got = self.socket.recv(65536)
        except socket.timeout:
            raise TimeoutError(f"no reply in {self.timeout:g} s; so far: {self.buffer[:200]!r}") from None
        self.buffer += got
        return bool(got)

    def _line(self, end):
        while b"\n" not in self.buffer:
            if not self._more(end):
                raise ConnectionError(f"closed; left over: {self.buffer[:200]!r}")
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line + b"\n"

    def read_to_end(self):
        """Everything until the server closes."""
        end = time.monotonic() + self.timeout
        while self._more(end):
            pass
        data, self.buffer = self.buffer, b""
        return data

    def read_at_least(self, count):
        """So many octets or more, or what there was before the server closed."""
        end = time.monotonic() + self.timeout
        pieces = [self.buffer]
        while sum(map(len, pieces)) < count:
            self.buffer = b""
            if not self._more(end):
                break
            pieces.append(self.buffer)
        self.buffer = b""
        return b"".join(pieces)

    def silent(self, seconds):
        """Whether the server neither speaks nor closes for so long."""
        if self.buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            self.buffer += self.socket.recv(65536)
            return False
        except socket.timeout:
            return True

    # ---- replies ------------------------------------------------------------------------------

    def reply(self):
        """The next reply, all its lines."""
        end = time.monotonic() + self.timeout
        code, lines = None, []
        while True:
            line = self._line(end)
            match = REPLY_LINE.fullmatch(line)
            if not match or code not in (None, int(match[1])):
                raise ProtocolError(f"no reply line: {line[:200]!r} after {lines}")
            code = int(match[1])
            lines.append((match[3] or b"").decode("utf-8", "replace"))
            if match[2] != b"-":
                return Reply(code, lines)

    def replies(self, count):
        return [self.reply() for _ in range(count)]

    def command(self, line):
        """Sends the line with CRLF, gives the reply."""
        self.send(octets(line) + b"\r\n")
        return self.reply()

    def must(self, code, line=None):
        """Like command(); without a line, the reply that is due. Raises Refused for another code."""
        reply = self.reply() if line is None else self.command(line)
        if reply.code != code:
            raise Refused(line or "greeting", reply)
        return reply

    # ---- conversations ------------------------------------------------------------------------

    def hello(self, name="client.example.org"):
        """Greeting and EHLO; gives the keywords offered."""
        self.must(220)
        return [line.upper() for line in self.must(250, f"EHLO {name}").lines[1:]]

    def envelope(self, sender, recipients):
        self.must(250, f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            self.must(250, f"RCPT TO:<{recipient}>")

    def send_body(self, message):
        """Stuffs dots and adds the end of data. `message` has CRLF line ends."""
        body = re.sub(rb"(?m)^\.", b"..", octets(message))
        if not body.endswith(b"\r\n"):
            body += b"\r\n"
        self.send(body + b".\r\n")

    def deliver(self, sender, recipients, message):
        """One transaction. Gives the reply to the end of data, whatever it is; raises Refused when an
        earlier step was refused."""
        self.envelope(sender, recipients)
        self.must(354, "DATA")
        self.send_body(message)
        return self.reply()

    # ---- ways to leave ------------------------------------------------------------------------

    def quit(self):
        reply = self.command("QUIT")
        self.close()
        return reply

    def half_close(self):
        """No more from us, but we still read."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()
