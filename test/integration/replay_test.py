"""A day of junk (bench/day.hpp) against the policy of test/integration/day.py: everybody is told what he must be told,
the log says why, and what was taken has arrived."""

import collections
import json
import re
import unittest

from day import Sink, config, files, needs_day, replay, world, zones
from harness import *
from nameserver import nsd

PART = 10 if is_sanitized else 1  # of the day
# In the record of a session; 127.0.0.1 only looks whether the server greets.
CLIENT = re.compile(r'"event":"session","id":"[^"]*","client":"127\.(?!0\.0\.1")')
SESSIONS = {"unlikely": 18_500, "invented": 40_000, "dictionary": 2_400, "listed": 3_000, "good": 2_000}


class Records:
    """What the log has on each session."""

    def __init__(self, log):
        self.sessions = collections.defaultdict(list)      # by the name in HELO, or (client, port)
        self.transactions = collections.defaultdict(list)  # by the session's id
        for line in log.splitlines():
            record = json.loads(line) if '"event"' in line else {}
            if record.get("event") == "session":
                self.sessions[record["helo"] or (record["client"], record["port"])].append(record)
            elif record.get("event") == "transaction":
                self.transactions[record["session"]].append(record)

    def of(self, visit):
        """The session, and its transactions."""
        sessions = self.sessions.pop((visit["client"], visit["port"]) if is_turned_away(visit)
                                     else f"{visit['id']}.day.example", [])
        if len(sessions) != 1:
            raise Unexplained(f"{len(sessions)} sessions")
        return sessions[0], self.transactions.pop(sessions[0]["id"], [])


class Unexplained(Exception):
    pass


def demand(holds, what, *shown):
    if not holds:
        raise Unexplained(" ".join([what, *map(repr, shown)]))


def is_turned_away(visit):
    return visit["turns"][0]["code"] != 220


def said(visit, verb):
    return [turn for turn in visit["turns"] if turn.get("said", "").startswith(verb)]


def is_taken(visit):
    return any(turn["code"] == 250 for turn in said(visit, "."))


def was_told_otherwise(visit):
    """The turn where it was, or None."""
    for turn in visit["turns"]:
        heard = turn.get("heard", "")
        if not heard.startswith(str(turn["code"])) or turn.get("text", "") not in heard:
            return turn
    return None if visit["ended"] else "it was not left in peace"


# ---- The records -----------------------------------------------------------------------------------------------


def explain(visit, records, target):
    """Raises Unexplained where the records do not tell who decided what, why, and by whose settings."""
    session, transactions = records.of(visit)
    demand(session["client"] == visit["client"], "another client", session)
    if is_turned_away(visit):
        demand(session["ending"] == "refused" and not transactions, "it was let in", session)
        return explain_refusal(visit["turns"][0], session.get("trail", []), 0)
    demand(len(transactions) == 1, "transactions:", transactions)
    record = transactions[0]
    explain_recipients(visit, record)
    explain_message(visit, record, target)


def explain_recipients(visit, record):
    asked = said(visit, "RCPT")
    demand(len(asked) == len(record["recipients"]), "recipients:", record)
    for number, (turn, told) in enumerate(zip(asked, record["recipients"]), 1):
        demand(f"RCPT TO:<{told['path']}>" == turn["said"], "another recipient", told)
        demand(f"{told['code']} {told['enhanced']} {told['text']}" == turn["heard"], "it heard otherwise", told)
        demand(told["by"] == turn["by"], "another decided", told)
        trail = record.get("trail", [])
        if turn["code"] != 250:
            explain_refusal(turn, trail, number)
        elif "elsewhere.example" not in told["path"]:  # whom those may write to who relay
            demand(find(trail, effect="accepted", recipient=number), "nobody accepted", told)
        if "dnsbl" in (turn["by"], turn.get("observed")):
            listed = [fact["listed"] for fact in record["facts"] if fact["by"] == "dnsbl"]
            demand(listed[0] and listed[0][0] in turn.get("text", "bl.test"), "no list", record["facts"])
        if "observed" in turn:
            step = find(trail, effect="would have refused", plugin=turn["observed"], recipient=number)
            demand(step and step["settings"] == "watch.test", "nobody observed", told)


def explain_refusal(turn, trail, number):
    """`number`: the recipient's; 0: it was the client's."""
    if turn["by"].startswith("core:"):
        return
    step = find(trail, effect="refused", plugin=turn["by"], recipient=number)
    demand(step, "no such step for", turn, trail)
    demand(step["verdict"] in ("reject", "defer"), "no refusal", step)
    demand(step["text"] and step["text"] in turn["heard"], "no evidence", step)
    demand(step.get("settings", "") == turn.get("settings", ""), "others' settings", step)


def explain_message(visit, record, target):
    ends = said(visit, ".")
    if not ends:
        refused = all(turn["code"] != 250 for turn in said(visit, "RCPT"))
        return demand(record["outcome"] == ("refused" if refused else "aborted"), "another outcome", record)
    reply = record["reply"]
    demand(reply["code"] == ends[0]["code"] and reply["text"] in ends[0]["heard"], "it heard otherwise", reply)
    demand(reply["by"] == ends[0]["by"], "another decided", reply)
    demand(record["outcome"] == ("accepted" if is_taken(visit) else "refused"), "another outcome", record)
    if is_taken(visit):
        return demand(record["target"] == target, "it went elsewhere", record)
    return explain_refusal(ends[0], record["trail"], 1)


def find(trail, recipient, **wanted):
    for step in trail:
        if step.get("recipient", 0) == recipient and wanted.items() <= step.items():
            return step
    return None


# ---- The test --------------------------------------------------------------------------------------------------


@needs_day
class Replay(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        day = world(PART)
        self.sink = Sink(self.addCleanup)
        self.server = posternd(self.addCleanup, config(nsd(self.addCleanup, zones(day)), self.sink), files(day))

    def test_every_session_goes_as_it_must_and_the_log_explains_it(self):
        visits, summary = replay(self.server.port, PART)
        print(f"{summary['sessions']} sessions in {summary['seconds']:.0f} s ", end="", flush=True)
        self.assert_whole_day(visits)
        self.assert_each(visits, was_told_otherwise)
        self.assert_arrived([visit for visit in visits if is_taken(visit)])
        wait_until(lambda: len(CLIENT.findall(self.server.log())) >= len(visits), "the last is on record")
        self.assert_explained(visits, Records(self.server.log()))

    def assert_whole_day(self, visits):
        count = collections.Counter(visit["kind"] for visit in visits)
        self.assertEqual({kind: count[kind] * PART for kind in SESSIONS}, SESSIONS)

    def assert_each(self, visits, fault_of):
        """No visit has a fault: the first of each kind is shown."""
        faults = {visit["kind"]: (fault, visit) for visit in visits if (fault := fault_of(visit))}
        self.assertEqual(faults, {})

    def assert_arrived(self, taken):
        """Each message once, for those recipients that were taken."""
        expected = {visit["id"]: [turn["said"].removeprefix("RCPT TO:<").removesuffix(">")
                                  for turn in said(visit, "RCPT") if turn["code"] == 250] for visit in taken}
        arrived = self.sink.messages()
        self.assertEqual(len(arrived), len(expected))
        self.assertEqual(dict(arrived), expected)

    def assert_explained(self, visits, records):
        def why_not(visit):
            try:
                explain(visit, records, f"127.0.0.1:{self.sink.port}")
            except Unexplained as why:
                return str(why)
            return None
        self.assert_each(visits, why_not)
        # Nobody else was there, but whoever looked whether the server greets.
        self.assertEqual([], [each for each in records.sessions.values() if each[0]["client"] != "127.0.0.1"])
        self.assertEqual({}, records.transactions)


if __name__ == "__main__":
    unittest.main()
