# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The status of a fleet as lines that fit the 80 columns of a job's terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from ..fleet.cluster import Cluster, Fleet
from .lives_text import left_words

WIDTH = 80
HEADINGS = ("cluster", "Kubernetes", "Kubespray", "nodes", "add-ons", "drift", "behind", "ends first")
NUMBERS = frozenset({"nodes", "add-ons", "drift", "behind", "ends first"})
"""Columns that stand to the right."""

_NONE = "-"
_SHORTEST_NAME = 7


def head_line(fleet: Fleet) -> str:
    """What is wrong with whom stands in the table."""
    number, answered = fleet.counts["clusters"], fleet.counts["answered"]
    silent = f", {number - answered} did not" if answered < number else ""
    return f"FLEET  {number} cluster{'' if number == 1 else 's'}: {answered} answered{silent}  result: {fleet.result}"


def fleet_lines(fleet: Fleet, *, verbose: bool = False) -> Iterator[str]:
    """One table, and below it what is to be known of single clusters; ``verbose``: also what is in order."""
    yield head_line(fleet)
    yield from _table(fleet.clusters)
    for one in fleet.clusters:
        yield from detail_lines(one, verbose=verbose)


def sign(one: Cluster) -> str:
    """``?`` could not be looked at, ``!`` needs somebody, ``~`` is not as written, ``=`` is in order."""
    if not one.answered:
        return "?"
    if one.result == "error" or one.drift or _near(one):
        return "!"
    return "~" if one.changes or one.behind else "="


def row(one: Cluster) -> tuple[str, ...]:
    """The cells, as ``HEADINGS``."""
    first = one.first_end
    return (
        one.name,
        one.kubernetes or _NONE,
        one.kubespray or _NONE,
        str(one.nodes or _NONE),
        str(one.addons or _NONE),
        (str(len(one.drift)) if one.drift else _NONE) if one.addons else "?",
        (str(len(one.behind)) if one.behind else _NONE) if one.addons else "?",
        left_words(first["left"]) if first else _NONE,
    )


def detail_lines(one: Cluster, *, verbose: bool = False) -> Iterator[str]:
    """What the table has no place for, each line with the cluster's name, so that it can be searched for."""
    for kind, text in details(one, verbose=verbose):
        yield from _wrapped(f"{sign(one)} {one.name}  {kind:<7}", text)


def details(one: Cluster, *, verbose: bool = False) -> Iterator[tuple[str, str]]:
    """A word for the kind, and what is to be said."""
    if one.failure:
        yield "error", str(one.failure)
    yield from (("problem", text) for text in one.problems)
    yield from (("drift", text) for text in one.drift)
    yield from (("behind", f"{old.addon} {old.version} -> {old.offered}") for old in one.behind)
    for life in one.lives:
        if verbose or life["near"]:
            left = f"{life['ends']} ({left_words(life['left'])})" if life["ends"] else life["note"]
            yield "ends", f"{life['kind']} {life['name']}: {left}"
    if verbose and one.looked:
        yield "looked", f"{one.looked}, {one.seconds:g} s"


def _near(one: Cluster) -> bool:
    return any(life["near"] for life in one.lives)


def _table(clusters: Sequence[Cluster]) -> Iterator[str]:
    """A cluster that could not be looked at has no row: its line says why. A name that is too long has a line."""
    rows = {one.name: (sign(one), row(one)) for one in clusters if one.answered}
    if not rows:
        return
    cells = [HEADINGS, *(found for _sign, found in rows.values())]
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEADINGS))]
    rest = sum(widths[1:]) + 2 * len(widths)
    widths[0] = max(_SHORTEST_NAME, min(widths[0], WIDTH - rest))
    yield _joined(" ", HEADINGS, widths)
    for mark, found in rows.values():
        if len(found[0]) > widths[0]:
            yield f"{mark} {found[0]}"
            yield _joined(" ", ("", *found[1:]), widths)
        else:
            yield _joined(mark, found, widths)


def _joined(mark: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    columns = (
        f"{cell:>{width}}" if heading in NUMBERS else f"{cell:<{width}}"
        for cell, width, heading in zip(cells, widths, HEADINGS, strict=True)
    )
    return f"{mark} {'  '.join(columns)}".rstrip()


def _wrapped(lead: str, text: str) -> Iterator[str]:
    """Nothing but what can be printed; what has no space in it may be longer than a line."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    yield from textwrap.wrap(
        f"{lead}  {text}",
        WIDTH,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
