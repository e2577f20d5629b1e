"""The same dialogues with Debian's qpsmtpd and with Postern, the same policy: replies have the same
class, or the difference and its reason stand in docs/from-qpsmtpd.md."""

import collections
import concurrent.futures
import pathlib
import re
import unittest

from conversation import outcome
from differences import complaints, documented
from harness import *
from nameserver import needs_nsd, nsd
from qpsmtpd import needs_qpsmtpd, qpsmtpd
from qpsmtpd_dialogues import BEHIND, DIALOGUES, MESSAGE

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/from-qpsmtpd.md"
AT_A_TIME = 8  # dialogues: far below the connections that forkserver is allowed

ZONES = {
    "bl.test": """$ORIGIN bl.test.
$TTL 60
@ SOA ns host 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
2.0.0.127 A 127.0.0.2
2.0.0.127 TXT "Spam came from here"
""",
    "127.in-addr.arpa": """$ORIGIN 127.in-addr.arpa.
$TTL 60
@ SOA ns.bl.test. host.bl.test. 1 3600 600 86400 60
@ NS ns.bl.test.
""",
}

# What the page says in a sentence, and what only the test wants.
QPSMTPD = {
    "me": "mx.example.test\n",
    "rcpthosts": "example.test\n.sub.test\n",
    "relayclients": "127.0.0.9\n",
    "dnsbl_zones": "bl.test\n",
    "badhelo": "bad.example.org\n^pool-\\d+\\.\n",
    "databytes": "100000\n",
    "logging": "logging/warn\n",
    "loglevel": "4\n",
}


def example():
    """{name: text} of the page's files: blocks that begin with ```text NAME or ```toml NAME."""
    blocks = re.findall(r"(?ms)^```(?:text|toml) (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
    return dict(blocks)


def changed(text, changes):
    """Each must be there: the page and the test are to agree."""
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ValueError(f"{old!r} is not once in the example")
        text = text.replace(old, new)
    return text


@needs_nsd
@needs_qpsmtpd
class Beside(unittest.TestCase):
    def start(self, queue, forward):
        """Both as the page has them, but on loopback, with our name server, and waiting a tenth."""
        files = example()
        plugins = changed(files["plugins"], {"queue/smtp-forward 127.0.0.1 2526": queue, "wait 1": "wait 0.1"})
        lists = {name: files[name] for name in ("badmailfrom", "badrcptto")}
        config = changed(files["postern.toml"], {
            'to = ["127.0.0.1:2526"]': f'{forward}\n[dns]\nservers = ["{self.names.address}"]',
            "0.0.0.0:25": "127.0.0.1:@PORT@", "1s": "100ms",
            "/etc/qpsmtpd/badmailfrom": "badmailfrom", "/etc/qpsmtpd/badrcptto": "badrcptto"})
        self.theirs = qpsmtpd(self.addCleanup, Process, "forkserver",
                              {**QPSMTPD, **lists, "plugins": plugins}, self.names.address)
        self.ours = posternd(self.addCleanup, f"workers = 1\n{config}", lists)

    def setUp(self):
        self.names = nsd(self.addCleanup, ZONES)

    def outcomes(self, dialogue):
        (worker,) = self.ours.workers()
        try:
            return (outcome(self.theirs.port, dialogue, self.theirs.pid).classes(),
                    outcome(self.ours.port, dialogue, worker).classes())
        except TimeoutError as late:
            raise AssertionError(f"{dialogue.name}: {late}\n{self.theirs.log()[-2000:]}") from None

    def all_outcomes(self):
        """Who speaks early stops the server for a moment: one after the other, when all else is done."""
        at_once = [dialogue for dialogue in DIALOGUES if not dialogue.early]
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            found = dict(zip((dialogue.name for dialogue in at_once), pool.map(self.outcomes, at_once)))
        found.update({dialogue.name: self.outcomes(dialogue) for dialogue in DIALOGUES if dialogue.early})
        return found

    def outcomes_behind(self):
        """With a mail server that does as it is told."""
        downstream = Downstream(self.addCleanup)
        self.start(f"queue/smtp-forward 127.0.0.1 {downstream.port}", f'to = ["{downstream.address}"]')
        found = {}
        for name, phase, reply in BEHIND:
            if phase:
                downstream.on(phase, faults.say(reply))
            found[name] = self.outcomes(MESSAGE)
            downstream.heal()
            downstream.drop_all()  # Postern would keep the connection for the next message
        return found

    def test_replies_are_of_the_same_class_or_the_difference_is_documented(self):
        self.start("queue/maildir @DIR@/maildir", 'maildir = "@DIR@/maildir"')
        found = self.all_outcomes()
        found.update(self.outcomes_behind())
        wrong = complaints(found, documented(PAGE.read_text(encoding="utf-8")))
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_both_take_the_same_messages(self):
        """Classes of replies could agree about mail that went nowhere."""
        self.start("queue/maildir @DIR@/maildir", 'maildir = "@DIR@/maildir"')
        delivered = [d for d in DIALOGUES if d.name in ("a message", "stuffed dots", "the null sender")]
        for dialogue in delivered:
            self.outcomes(dialogue)
        bodies = [sorted(message.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1] for message in messages)
                  for messages in (messages_in(f"{self.theirs.directory}/maildir"), self.ours.messages())]
        self.assertEqual(bodies[0], bodies[1])
        self.assertEqual(len(bodies[0]), len(delivered))


class Dialogues(unittest.TestCase):
    def test_have_names_of_their_own(self):
        names = [dialogue.name for dialogue in DIALOGUES] + [name for name, _, _ in BEHIND]
        (most_common, times), = collections.Counter(names).most_common(1)
        self.assertEqual(times, 1, most_common)

    def test_are_as_many_as_the_page_says(self):
        self.assertIn(f"The same {len(DIALOGUES) + len(BEHIND)} dialogues", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
