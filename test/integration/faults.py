"""What a downstream can do instead of its ordinary answer. A fault is called with the connection; it
gives the reply line to send, or raises Gone when the connection is over."""

import socket
import struct


class Gone(Exception):
    """The connection has ended, by us or by the other side."""


def say(text):
    """Another reply: say("450 4.2.0 try later"). Lines are separated by \\r\\n; a reply is a reply."""
    return lambda connection: text


def say_and_close(text="421 4.3.2 closing"):
    def fault(connection):
        connection.send(text.encode() + b"\r\n")
        raise Gone
    return fault


def close(connection):
    """FIN without a word."""
    raise Gone


def reset(connection):
    """RST without a word."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Gone


def hang(connection):
    """Silence, until the other side goes or the test ends."""
    connection.wait_for_the_end()
    raise Gone


def garbage(connection):
    """Octets that are no SMTP reply, then nothing more."""
    connection.send(b"\x00\xff\x16\x03\x01 what?\r\n\r\n%%%\r\n")
    connection.wait_for_the_end()
    raise Gone


def endless_line(connection):
    """A reply line that does not end, up to 64 MiB."""
    connection.send(b"250-")
    for _ in range(1024):
        connection.send(b"x" * 65536)
    raise Gone


def endless_reply(connection):
    """Continuation lines without end, up to 64 MiB."""
    for _ in range(1024):
        connection.send(b"250-and so on\r\n" * 4369)
    raise Gone


def keep_then(fault):
    """At "dot": takes the message over, but the reply gets lost as `fault` says."""
    def keeping(connection):
        connection.keep(said=False)
        return fault(connection)
    return keeping
