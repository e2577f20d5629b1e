"""CPU per session as an SVG: bars on a logarithmic scale, readable on light and on dark ground."""

import math
from xml.sax.saxutils import escape

from table import HEADINGS, TITLES

SCENARIOS = ("attack", "message", "dnsbl")
COLOURS = {"posternd": "#2f81f7", "spike": "#8b949e", "smtp-sink": "#8b949e", "prefork": "#d29922",
           "forkserver": "#db6d28"}
LEFT, WIDTH, RIGHT = 150, 480, 90            # names, bars, figures
BAR, GAP, TITLE, AXIS = 16, 5, 26, 44        # heights
STYLE = """text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.tick{font-size:11px}
line{stroke:#1f2328;stroke-opacity:.15}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}line{stroke:#e6edf3}}"""


def svg(side_by_side):
    """The file's text. Decades from below the half of the least figure, so that it has a bar, upwards."""
    groups = [(scenario, [(name, side_by_side[scenario][name]["cpu_us"]) for name in HEADINGS
                          if name in side_by_side[scenario]]) for scenario in SCENARIOS]
    figures = [figure for _, bars in groups for _, figure in bars]
    low, high = math.floor(math.log10(min(figures) / 2)), math.ceil(math.log10(max(figures)))
    length = lambda figure: WIDTH * (math.log10(figure) - low) / max(1, high - low)  # noqa: E731
    height = sum(TITLE + len(bars) * (BAR + GAP) + GAP for _, bars in groups) + AXIS
    parts = list(axis(low, high, length, height))
    y = 0
    for scenario, bars in groups:
        y += TITLE
        parts.append(text(0, y - 8, TITLES[scenario], kind="title"))
        for name, figure in bars:
            parts += bar(name, figure, length(figure), y)
            y += BAR + GAP
        y += GAP
    total = LEFT + WIDTH + RIGHT
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" width="{total}" '
            f'height="{height}" role="img" aria-label="CPU per session">\n<style>{STYLE}</style>\n'
            + "\n".join(parts) + "\n</svg>\n")


def axis(low, high, length, height):
    for decade in range(low, high + 1):
        x = LEFT + length(10 ** decade)
        yield f'<line x1="{x:.0f}" y1="{TITLE}" x2="{x:.0f}" y2="{height - AXIS + 4}"/>'
        yield text(x, height - AXIS + 18, f"{10 ** decade:,}", kind="tick", anchor="middle")
    yield text(LEFT, height - 8, "µs of CPU per session, logarithmic: each line is ten times the one before",
               kind="tick")


def bar(name, figure, length, y):
    heading = HEADINGS[name].strip("*")
    yield text(LEFT - 8, y + BAR - 3, heading, anchor="end")
    yield f'<rect x="{LEFT}" y="{y}" width="{max(1, length):.0f}" height="{BAR}" rx="2" fill="{COLOURS[name]}"/>'
    yield text(LEFT + length + 6, y + BAR - 3, f"{figure:,.0f}")


def text(x, y, words, kind="", anchor=""):
    more = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:.0f}" y="{y:.0f}"{more}>{escape(words)}</text>'
