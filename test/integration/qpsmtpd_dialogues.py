"""What is said to qpsmtpd and to Postern: the same octets to both. A dialogue has a name that
docs/from-qpsmtpd.md uses, and steps; each step is sent when the replies to the one before are here."""

import dataclasses

EHLO = "EHLO client.example.org"
FROM = "MAIL FROM:<you@example.org>"
TO = "RCPT TO:<anna@example.test>"
DATA = "DATA"
HEADER = b"From: <you@example.org>\r\nSubject: a message\r\n\r\n"

PLAIN, LISTED, RELAY = "127.0.0.3", "127.0.0.2", "127.0.0.9"


@dataclasses.dataclass
class Step:
    octets: bytes
    replies: int = 1


@dataclasses.dataclass
class Dialogue:
    name: str
    steps: list
    source: str = PLAIN  # the client's address
    early: bytes = b""   # what it says before it is greeted


def raw(octets, replies=1):
    """Octets as they are, and how many replies to wait for."""
    return Step(octets.encode() if isinstance(octets, str) else octets, replies)


def lines(*commands, replies=None):
    """Several lines in one write."""
    return raw("".join(f"{line}\r\n" for line in commands), replies or len(commands))


def body(octets):
    """The octets after 354, to the end of data."""
    return raw(HEADER + octets + b".\r\n")


def says(name, *steps, **more):
    """A string is a line; it has one reply."""
    return Dialogue(name, [lines(s) if isinstance(s, str) else s for s in steps], **more)


def mail(argument):
    return f"MAIL FROM:{argument}"


def rcpt(argument):
    return f"RCPT TO:{argument}"


DIALOGUES = [
    # ---- the order of commands ----
    says("a message", EHLO, FROM, TO, DATA, body(b"hi\r\n")),
    says("a message after HELO", "HELO client.example.org", FROM, TO, DATA, body(b"hi\r\n")),
    says("two messages", EHLO, FROM, TO, DATA, body(b"1\r\n"), FROM, TO, DATA, body(b"2\r\n")),
    says("only QUIT"),
    says("commands in small letters", "ehlo client.example.org", "mail from:<you@example.org>",
         "rcpt to:<anna@example.test>", "rset", "noop"),
    says("EHLO without a name", "EHLO"),
    says("HELO without a name", "HELO"),
    says("EHLO with two words", "EHLO client.example.org again", FROM),
    says("EHLO twice", EHLO, EHLO, FROM),
    says("HELO, then EHLO", "HELO client.example.org", EHLO, FROM),
    says("EHLO in a transaction", EHLO, FROM, TO, EHLO, DATA),
    says("MAIL before EHLO", FROM),
    says("RCPT before EHLO", TO),
    says("DATA before EHLO", DATA),
    says("RCPT before MAIL", EHLO, TO),
    says("DATA before MAIL", EHLO, DATA),
    says("DATA before RCPT", EHLO, FROM, DATA),
    says("DATA after a refused MAIL", EHLO, mail("<bad@spam.test>"), TO, DATA),
    says("DATA after refused recipients", EHLO, FROM, rcpt("<anna@other.test>"), DATA),
    says("MAIL twice", EHLO, FROM, FROM, TO),
    says("MAIL twice, a recipient between", EHLO, FROM, TO, FROM, DATA),
    says("the same recipient twice", EHLO, FROM, TO, TO, DATA, body(b"hi\r\n")),
    says("RSET ends the transaction", EHLO, FROM, TO, "RSET", DATA),
    says("RSET before EHLO", "RSET"),
    says("RSET with an argument", EHLO, "RSET now"),
    says("NOOP", "NOOP", EHLO, "NOOP", FROM, "NOOP", TO),
    says("NOOP with an argument", EHLO, "NOOP please"),
    says("VRFY", EHLO, "VRFY anna"),
    says("VRFY without an argument", EHLO, "VRFY"),
    says("VRFY before EHLO", "VRFY anna"),
    says("EXPN", EHLO, "EXPN staff"),
    says("HELP", "HELP", EHLO, "HELP MAIL"),
    says("QUIT with an argument", EHLO, lines("QUIT now", replies=1)),
    says("DATA with an argument", EHLO, FROM, TO, "DATA now"),
    says("STARTTLS where there is none", EHLO, "STARTTLS", FROM),
    says("AUTH where there is none", EHLO, "AUTH PLAIN AHgAeQ==", FROM),
    says("a message by BDAT", EHLO, FROM, TO, raw("BDAT 4 LAST\r\nhi\r\n")),
    # ---- what is no command ----
    says("an unknown command", EHLO, "FOO", FROM),
    says("too many unknown commands", EHLO, "FOO", "BAR", "BAZ", "QUX", FROM),
    says("an HTTP request", lines("GET / HTTP/1.1", "Host: mx", "User-Agent: x", "Accept: x", "", replies=4)),
    says("an empty line", EHLO, "", FROM),
    says("a blank before the verb", EHLO, " NOOP"),
    says("a blank behind the verb", EHLO, "NOOP ", "RSET "),
    says("blanks behind a path", EHLO, FROM + "  ", TO + " ", DATA),
    says("a command that ends in a bare LF", raw("EHLO client.example.org\n"), raw("NOOP\n")),
    says("a NUL in a command", EHLO, raw(b"MAIL FROM:<you\0@example.org>\r\n")),
    says("a command of 600 octets", EHLO, "NOOP " + "x" * 593, FROM),
    says("a command of 5,000 octets", EHLO, "NOOP " + "x" * 4993, FROM),
    says("8-bit octets in a verb", EHLO, raw(b"M\xc4IL FROM:<you@example.org>\r\n"), FROM),
    # ---- the greeting ----
    says("the name localhost", "EHLO localhost", FROM),
    says("a bare address as name", "EHLO 127.0.0.3", FROM),
    says("the client's address in brackets as name", "EHLO [127.0.0.3]", FROM),
    says("another address in brackets as name", "EHLO [192.0.2.1]", FROM),
    says("a listed name", "EHLO bad.example.org", FROM),
    says("a name that a pattern refuses", "HELO pool-3.dyn.example", FROM),
    says("a name without a dot", "EHLO client", FROM),
    says("a name with an underscore", "EHLO my_client.example.org", FROM),
    # ---- reverse-paths ----
    says("the null sender", EHLO, mail("<>"), TO, DATA, body(b"a bounce\r\n")),
    says("MAIL without an argument", EHLO, "MAIL"),
    says("MAIL FROM: and nothing more", EHLO, "MAIL FROM:"),
    says("MAIL with TO:", EHLO, "MAIL TO:<you@example.org>"),
    says("MAIL FROM without a colon", EHLO, "MAIL FROM <you@example.org>"),
    says("a blank behind FROM:", EHLO, mail(" <you@example.org>"), "RCPT TO: <anna@example.test>"),
    says("a sender without brackets", EHLO, mail("you@example.org")),
    says("a sender with one bracket", EHLO, mail("<you@example.org")),
    says("a sender without a domain", EHLO, mail("<you>")),
    says("a sender of two domains", EHLO, mail("<you@example.org@example.net>")),
    says("an empty local part", EHLO, mail("<@example.org>")),
    says("a source route", EHLO, mail("<@a.example,@b.example:you@example.org>"),
         rcpt("<@mx.example.test:anna@example.test>")),
    says("a source route to elsewhere", EHLO, FROM, rcpt("<@mx.example.test:anna@other.test>")),
    says("a quoted local part", EHLO, mail('<"you there"@example.org>'), rcpt('<"anna b"@example.test>')),
    says("an escaped quote in a local part", EHLO, mail('<"a\\"b"@example.org>')),
    says("a quoted @", EHLO, FROM, rcpt('<"anna@other.test"@example.test>')),
    says("a blank in a local part", EHLO, mail("<you there@example.org>")),
    says("two dots in a local part", EHLO, mail("<you..there@example.org>")),
    says("a dot at the end of a domain", EHLO, mail("<you@example.org.>")),
    says("an underscore in a domain", EHLO, mail("<you@my_host.example.org>")),
    says("an address literal", EHLO, mail("<you@[192.0.2.1]>"), rcpt("<anna@[192.0.2.1]>")),
    says("an IPv6 address literal", EHLO, mail("<you@[IPv6:2001:db8::1]>")),
    says("a malformed address literal", EHLO, mail("<you@[300.0.2.1]>")),
    says("an 8-bit local part", EHLO, raw("MAIL FROM:<j\u00f6rg@example.org>\r\n")),
    says("a domain of one label", EHLO, mail("<you@localhost>")),
    says("a local part of 65 octets", EHLO, mail("<" + "y" * 65 + "@example.org>")),
    says("a listed sender", EHLO, mail("<bad@spam.test>"), FROM),
    says("a listed sender in capitals", EHLO, mail("<BAD@Spam.Test>")),
    says("a sender of a listed domain", EHLO, mail("<anybody@evil.test>")),
    says("a sender that a pattern refuses", EHLO, mail("<robot17@example.org>")),
    # ---- parameters ----
    says("SIZE below the limit", EHLO, FROM + " SIZE=1000", TO),
    says("SIZE above the limit", EHLO, FROM + " SIZE=10000000", TO),
    says("SIZE that is no number", EHLO, FROM + " SIZE=big"),
    says("BODY=8BITMIME", EHLO, FROM + " BODY=8BITMIME", TO),
    says("BODY of another kind", EHLO, FROM + " BODY=9BIT"),
    says("an unknown parameter of MAIL", EHLO, FROM + " FOO=bar"),
    says("an unknown parameter of RCPT", EHLO, FROM, TO + " FOO=bar"),
    says("parameters after HELO", "HELO client.example.org", FROM + " SIZE=100"),
    says("a parameter twice", EHLO, FROM + " SIZE=1 SIZE=2"),
    says("a parameter without a value", EHLO, FROM + " SIZE="),
    # ---- forward-paths ----
    says("a recipient in capitals", EHLO, FROM, rcpt("<ANNA@EXAMPLE.TEST>")),
    says("a recipient of a subdomain", EHLO, FROM, rcpt("<anna@a.sub.test>"), rcpt("<anna@sub.test>")),
    says("a recipient at our own name", EHLO, FROM, rcpt("<anna@mx.example.test>")),
    says("relaying", EHLO, FROM, rcpt("<anna@other.test>"), TO),
    says("relaying for a client that may", EHLO, FROM, rcpt("<anna@other.test>"), source=RELAY),
    says("a listed recipient", EHLO, FROM, rcpt("<closed@example.test>"), TO),
    says("the percent hack", EHLO, FROM, rcpt("<anna%other.test@example.test>")),
    says("a bang path", EHLO, FROM, rcpt("<other.test!anna>"), rcpt("<other.test!anna@example.test>")),
    says("the null recipient", EHLO, FROM, rcpt("<>")),
    says("postmaster without a domain", EHLO, FROM, rcpt("<postmaster>"), rcpt("<PostMaster>")),
    says("postmaster of our domain", EHLO, FROM, rcpt("<postmaster@example.test>")),
    says("abuse without a domain", EHLO, FROM, rcpt("<abuse>")),
    says("a recipient without a domain", EHLO, FROM, rcpt("<anna>")),
    says("a recipient without brackets", EHLO, FROM, rcpt("anna@example.test")),
    says("RCPT with FROM:", EHLO, FROM, "RCPT FROM:<anna@example.test>"),
    says("RCPT without an argument", EHLO, FROM, "RCPT"),
    says("150 recipients", EHLO, FROM, *[rcpt(f"<anna{n}@example.test>") for n in range(150)]),
    # ---- the message ----
    says("an empty message", EHLO, FROM, TO, DATA, raw(".\r\n")),
    says("a message without a header section", EHLO, FROM, TO, DATA, raw("just text\r\n.\r\n")),
    says("stuffed dots", EHLO, FROM, TO, DATA, body(b"..\r\n..a\r\nb.\r\n")),
    says("a dot that is not stuffed", EHLO, FROM, TO, DATA, body(b".a\r\n")),
    says("a long line in a message", EHLO, FROM, TO, DATA, body(b"x" * 5000 + b"\r\n")),
    says("8-bit octets in a message", EHLO, FROM + " BODY=8BITMIME", TO, DATA, body(b"\xff\xfe\xe4\r\n")),
    says("a NUL in a message", EHLO, FROM, TO, DATA, body(b"a\0b\r\n")),
    says("a message above the limit", EHLO, FROM, TO, DATA, body(b"0123456789abcdef\r\n" * 8000), FROM),
    says("a bare LF in a message", EHLO, FROM, TO, DATA, body(b"a\nb\r\n")),
    says("a bare CR in a message", EHLO, FROM, TO, DATA, body(b"a\rb\r\n")),
    says("LF, dot, LF in a message", EHLO, FROM, TO, DATA, raw(HEADER + b"a\n.\nb\r\n.\r\n")),
    says("LF, dot, CRLF in a message", EHLO, FROM, TO, DATA,
         raw(HEADER + b"a\n.\r\nMAIL FROM:<smuggled@example.org>\r\n.\r\n")),
    says("CRLF, dot, LF in a message", EHLO, FROM, TO, DATA, raw(HEADER + b"a\r\n.\nb\r\n.\r\n")),
    says("CRLF, dot, CR in a message", EHLO, FROM, TO, DATA, raw(HEADER + b"a\r\n.\rb\r\n.\r\n")),
    says("one refused recipient of two", EHLO, FROM, rcpt("<anna@other.test>"), TO, DATA, body(b"hi\r\n")),
    # ---- several at a time ----
    says("a pipelined envelope", EHLO, lines(FROM, TO, rcpt("<anna@other.test>"), DATA), body(b"hi\r\n")),
    says("a pipelined envelope without a good recipient", EHLO,
         lines(FROM, rcpt("<anna@other.test>"), DATA)),
    says("all after EHLO in one write", EHLO, lines(FROM, TO, "RSET", FROM, TO, "NOOP", "RSET")),
    says("EHLO and MAIL in one write", lines(EHLO, FROM)),
    says("a command in pieces", EHLO, raw("MAIL FR", 0), raw("OM:<you@exam", 0), raw("ple.org>\r", 0), raw("\n")),
    # ---- before their turn ----
    says("speaking before the greeting", early=b"EHLO client.example.org\r\n"),
    says("speaking before 354", EHLO, FROM, TO, raw(b"DATA\r\n" + HEADER + b"hi\r\n")),
    # ---- who it is ----
    says("a client on a block list", EHLO, FROM, TO, source=LISTED),
    says("a client on a block list to postmaster", EHLO, FROM, rcpt("<postmaster@example.test>"), source=LISTED),
]

# With a mail server behind: where its dialogue with us goes otherwise, and what it says there.
BEHIND = [
    ("the mail server takes the message", None, None),
    ("the mail server refuses the sender", "mail", "550 5.1.8 no"),
    ("the mail server refuses the recipient", "rcpt", "550 5.1.1 unknown"),
    ("the mail server defers the recipient", "rcpt", "450 4.2.1 later"),
    ("the mail server refuses DATA", "data", "554 5.5.1 no"),
    ("the mail server refuses the message", "dot", "554 5.6.0 no"),
    ("the mail server defers the message", "dot", "452 4.3.1 full"),
    ("the mail server turns connections away", "greeting", "554 5.3.2 no"),
]
MESSAGE = says("a message behind", EHLO, FROM, TO, DATA)
