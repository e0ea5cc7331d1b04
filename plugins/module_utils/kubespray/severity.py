# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How much each problem weighs: as it comes, or as the user says for its code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..nodes.problem import Problem, Severity

IGNORE = "ignore"
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.HINT: 2}


def tune(problems: Iterable[Problem], wanted: Mapping[str, str], known: Iterable[str]) -> list[Problem]:
    """``problems`` with the severities that ``wanted`` gives to codes, in a stable order, the heaviest first.

    A code that is not in ``known``, and a word that is no severity, are problems themselves: a misspelt one must not
    silently leave a check as it was.
    """
    codes = set(known)
    words = {severity.value for severity in Severity} | {IGNORE}
    own = []
    for code, severity in wanted.items():
        if code not in codes:
            said = f"slipway_preflight_severity names {code}, which is no code of the preflight"
            own.append(Problem("SLW-8030", said, "docs/preflight.md lists them"))
        elif severity not in words:
            said = f"slipway_preflight_severity says {severity!r} for {code}"
            own.append(Problem("SLW-8030", said, "say error, warning, hint or ignore"))
    kept = []
    for problem in problems:
        severity = wanted.get(problem.code, problem.severity.value)
        if severity == IGNORE:
            continue
        kept.append(replace(problem, severity=Severity(severity)) if severity in words else problem)
    return in_order([*own, *kept])


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """The heaviest first, then by code, host, place and text: two runs over the same thing print the same."""
    return sorted(
        dict.fromkeys(problems), key=lambda p: (_ORDER[p.severity], p.code, p.host, _place(p.where), p.message)
    )


def _place(where: str) -> tuple[str, int, int]:
    """``all.yml:9:1`` before ``all.yml:10:1``."""
    source, line, column = where, 0, 0
    parts = where.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        source, line, column = parts[0], int(parts[1]), int(parts[2])
    return source, line, column
