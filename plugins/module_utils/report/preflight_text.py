# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The preflight's findings as lines for people: the heaviest first, one line each and one for what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..nodes.problem import Problem, Severity

_SHOWN = 3
_WIDEST = 48


def counted(problems: Sequence[Problem]) -> dict[str, int]:
    """How many there are of each severity."""
    return {severity.value: sum(problem.severity is severity for problem in problems) for severity in Severity}


def preflight_lines(problems: Sequence[Problem], name: str, hosts: int) -> list[str]:
    """``problems`` in the order to be shown. ``hosts`` is the number of those that were looked at."""
    counts = counted(problems)
    parts = [f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count]
    head = f"PREFLIGHT {name}  {hosts} host{'' if hosts == 1 else 's'} looked at: {', '.join(parts) or 'nothing found'}"
    rows: dict[Problem, list[str]] = {}
    for problem in problems:
        rows.setdefault(replace(problem, host=""), []).append(problem.host)
    places = [problem.where or _hosts(found) or "-" for problem, found in rows.items()]
    width = min(max((len(place) for place in places), default=0), _WIDEST)
    lines = [head]
    for problem, place in zip(rows, places, strict=True):
        lines.append(f"{problem.severity.value:<7}  {problem.code}  {place:<{width}}  {problem.message}")
        if problem.remedy:
            lines.append(f"{'':19}{'':{width}}  -> {problem.remedy}")
    return lines


def _hosts(names: Sequence[str]) -> str:
    """A hundred hosts that lack the same are one line."""
    shown = [name for name in names if name]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
