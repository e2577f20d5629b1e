"""The configurations of docs/with-*.md. A block between fences stands behind a comment that names the
set-ups it belongs to and the file it is a part of:

    <!-- front-proxy, front-light: postern.toml -->

A file named *.log is what is seen there: each of its lines must be found, and … stands for anything."""

import pathlib
import re

DOCS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs"
FENCE = re.compile(r"^```", re.MULTILINE)
BLOCK = re.compile(r"<!-- (?P<setups>[a-z0-9, -]+): (?P<file>[\w./-]+) -->\n```\w*\n(?P<text>.*?)^```$",
                   re.MULTILINE | re.DOTALL)

# Where the clients of the tests come from; a guide calls them 203.0.113.9 and .66.
CLIENT, LISTED = "127.0.0.77", "127.0.0.66"


def setups(guide):
    """Every set-up of a guide: name -> {file: text}."""
    text = (DOCS / guide).read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    if 2 * len(blocks) != len(FENCE.findall(text)):
        raise ValueError(f"{guide}: a block without the comment that says what it is")
    found = {}
    for block in blocks:
        for setup in block["setups"].split(", "):
            files = found.setdefault(setup, {})
            files[block["file"]] = files.get(block["file"], "") + block["text"]
    return found


class Places:
    """Where the servers of a guide stand in a test. Nothing else of its blocks is changed."""

    def __init__(self, postern, behind, own, submission, names):
        """Ports of Postern, of the mail server for Postern and for everybody and for its users; the
        address of the name server."""
        self._places = [(re.compile(place, re.MULTILINE), here) for place, here in (
            (r"\b(0\.0\.0\.0|192\.0\.2\.2):25\b", f"127.0.0.1:{postern}"),
            (r"\b10025\b", str(postern)),
            (r"\b(2525|10026)\b", str(behind)),
            (r"\b192\.0\.2\.1\.25\b", f"127.0.0.1.{own}"),
            (r"^(192\.0\.2\.1:)?smtp(?= +inet)", f"127.0.0.1:{own}"),
            (r"\b0\.0\.0\.0\.587\b", f"127.0.0.1.{submission}"),
            (r"\b127\.0\.0\.1:53\b", names),
            (r"\b203\.0\.113\.9\b", CLIENT),
            (r"\b203\.0\.113\.66\b", LISTED))]

    def fill(self, text):
        for place, here in self._places:
            text = place.sub(here, text)
        return text


def stands_in(log, line):
    """Whether a line of a guide's log is found in this one."""
    return re.search(".*".join(map(re.escape, line.split("…"))), log) is not None
