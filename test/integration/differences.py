"""The table of differences in docs/from-qpsmtpd.md, and what is wrong with it."""

import dataclasses

HEADING = "## What is different on purpose"


@dataclasses.dataclass(frozen=True)
class Difference:
    qpsmtpd: str  # outcomes, as conversation.py writes them
    postern: str
    why: str


def documented(text):
    """{name of a dialogue: Difference} of the table under HEADING: | dialogue | `2 5` | `2 2` | why |"""
    found, inside = {}, False
    for line in text.splitlines():
        if line.startswith("## "):
            inside = line == HEADING
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not inside or len(cells) != 4 or not cells[1].startswith("`"):
            continue
        name, theirs, ours, why = cells
        if name in found:
            raise ValueError(f"{name} stands twice in the table of differences")
        found[name] = Difference(theirs.strip("`"), ours.strip("`"), why)
    if not found:
        raise ValueError(f'no table under "{HEADING}"')
    return found


def complaints(outcomes, table):
    """What the documentation must say otherwise. `outcomes`: {dialogue: (qpsmtpd's, Postern's)}."""
    found = [f"{name}: is in the table, but no dialogue" for name in table if name not in outcomes]
    for name, (theirs, ours) in outcomes.items():
        listed = table.get(name)
        if listed is None:
            if theirs != ours:
                found.append(f"{name}: qpsmtpd {theirs}, Postern {ours}; not documented")
        elif theirs == ours:
            found.append(f"{name}: documented as a difference, but both say {ours}")
        elif (theirs, ours) != (listed.qpsmtpd, listed.postern):
            found.append(f"{name}: qpsmtpd {theirs}, Postern {ours}; the table says "
                         f"{listed.qpsmtpd} and {listed.postern}")
        elif not listed.why:
            found.append(f"{name}: the table gives no reason")
    return found
