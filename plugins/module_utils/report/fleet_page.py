# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The status of a fleet as one page: a file that needs nothing else, no script and no address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ..fleet.cluster import Cluster, Fleet
from .fleet_text import HEADINGS, NUMBERS, details, head_line, row, sign
from .lives_text import left_words

_STATES = {"?": "unreachable", "!": "attention", "~": "changes", "=": "good"}
_WORDS = {"?": "did not answer", "!": "needs attention", "~": "not as written", "=": "in order"}

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --red: #b3261e; --amber: #8a5a00; --green: #1b6e35; }
@media (prefers-color-scheme: dark) { :root { --red: #ff8a80; --amber: #ffca62; --green: #7ddb98; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--green); } .changes, .near { color: var(--amber); } .attention, .unreachable { color: var(--red); }
""".strip()


def fleet_page(fleet: Fleet) -> str:
    """HTML. Whatever comes from clusters is text in it, never markup."""
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Fleet: {_text(fleet.result)}</title>",
        f"<style>\n{_STYLE}\n</style></head>",
        "<body>",
        "<h1>Fleet</h1>",
        f"<p>{_text(head_line(fleet).removeprefix('FLEET').strip())}</p>",
        f"<p>Looked at {_text(fleet.looked)}, in {fleet.seconds:.1f} s.</p>",
        *_overview(fleet.clusters),
        *(line for one in fleet.clusters for line in _section(one)),
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _overview(clusters: Sequence[Cluster]) -> Iterator[str]:
    yield '<div class="scroll"><table>'
    heads = "".join(f"<th{_number(heading)}>{_text(heading)}</th>" for heading in HEADINGS)
    yield f"<thead><tr>{heads}<th>state</th></tr></thead>"
    yield "<tbody>"
    for one in clusters:
        name, *cells = row(one)
        linked = f'<td><a href="#{_anchor(one)}">{_text(name)}</a></td>'
        rest = "".join(
            f"<td{_number(heading)}>{_text(cell)}</td>" for heading, cell in zip(HEADINGS[1:], cells, strict=True)
        )
        mark = sign(one)
        yield f'<tr>{linked}{rest}<td class="{_STATES[mark]}">{_WORDS[mark]}</td></tr>'
    yield "</tbody></table></div>"


def _section(one: Cluster) -> Iterator[str]:
    yield f'<h2 id="{_anchor(one)}" class="{_STATES[sign(one)]}">{_text(one.name)}</h2>'
    looked = f"looked at {one.looked}, {one.seconds:g} s" if one.looked else f"{one.seconds:g} s"
    about = (one.inventory, f"slipway_name {one.slipway_name}" if one.slipway_name else "", f"{one.result}, {looked}")
    yield f"<p>{_text('; '.join(part for part in about if part))}</p>"
    told = [(kind, text) for kind, text in details(one) if kind != "ends"]
    if told:
        yield "<table><tbody>"
        yield from (f"<tr><td>{_text(kind)}</td><td>{_text(text)}</td></tr>" for kind, text in told)
        yield "</tbody></table>"
    if one.lives:
        yield "<table><thead><tr><th>ends in</th><th>at</th><th>what</th><th>name</th></tr></thead><tbody>"
        yield from (_life(life) for life in one.lives)
        yield "</tbody></table>"


def _life(life: Mapping[str, Any]) -> str:
    left = left_words(life["left"]) if life["ends"] else "-"
    near = ' class="near"' if life["near"] else ""
    cells = (life["ends"] or life["note"], life["kind"], life["name"])
    return f"<tr><td{near}>{_text(left)}</td>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"


def _number(heading: str) -> str:
    return ' class="number"' if heading in NUMBERS else ""


def _anchor(one: Cluster) -> str:
    """A name may be a path; what an address cannot have is written as numbers."""
    return "c-" + "".join(
        letter if letter.isascii() and letter.isalnum() else f"-{ord(letter):x}-" for letter in one.name
    )


def _text(text: str) -> str:
    return escape("".join(letter if letter.isprintable() else " " for letter in text))
