"""One dialogue with a server, and its outcome: the class of each reply, and when the server closes.

    "2 2 2 5"     the greeting and the replies to three steps; then it was asked to QUIT, and did
    "2 2 5 x"     it closed, asked by nobody
    "2 2 4 +55"   after the last step, two replies that nobody waited for

Where the last step was DATA and the server said 354, a message ends it at once."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import struct
import termios

from client import Client
from process import wait_until

CLOSED = "x"


def outcome(port, dialogue, accepting):
    """`accepting`: the process that accepts, stopped while a client speaks before its turn."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(contextlib.closing(
            speak_early(port, dialogue, accepting) if dialogue.early else Client(port, source=dialogue.source)))
        heard = []
        try:
            heard.append(client.reply().code)
            for step in dialogue.steps:
                client.send(step.octets)
                for _ in range(step.replies):
                    heard.append(client.reply().code)
            if heard[-1] == 354:
                client.send(b".\r\n")
                heard.append(client.reply().code)
        except (ConnectionError, BrokenPipeError):
            return Outcome(heard, closed=True)
        return Outcome(heard, said_after=goodbye(client))


def speak_early(port, dialogue, accepting):
    """The client's octets are in the kernel before the server knows of it."""
    os.kill(accepting, signal.SIGSTOP)
    try:
        client = Client(port, source=dialogue.source)
        client.send(dialogue.early)
        wait_until(lambda: all_arrived(client.socket), "it has spoken")
    finally:
        os.kill(accepting, signal.SIGCONT)
    return client


def all_arrived(sending):
    """Whether the other end's kernel has what was sent."""
    return struct.unpack("i", fcntl.ioctl(sending, termios.TIOCOUTQ, b"\0" * 4)) == (0,)


def goodbye(client):
    """Codes of the replies after QUIT, until the server closes."""
    with contextlib.suppress(ConnectionError):
        client.send("QUIT\r\n")
    octets = b""
    with contextlib.suppress(ConnectionResetError):
        octets = client.read_to_end()
    return [int(code) for code in re.findall(rb"(?m)^([2-5][0-9]{2})(?!-)", octets)]


class Outcome:
    def __init__(self, codes, closed=False, said_after=()):
        """`said_after`: the replies after QUIT, the last of which is its own if it was heard at all."""
        self.codes = codes
        self.unasked = list(said_after)
        self.closed = closed or self.unasked[-1:] != [221]
        if not self.closed:
            self.unasked.pop()

    def classes(self):
        words = [str(code // 100) for code in self.codes]
        if self.unasked:
            words.append("+" + "".join(str(code // 100) for code in self.unasked))
        return " ".join(words + [CLOSED] * self.closed)

    def __repr__(self):
        codes = " ".join(map(str, self.codes + ["+", *self.unasked] * bool(self.unasked)))
        return codes + f" {CLOSED}" * self.closed
