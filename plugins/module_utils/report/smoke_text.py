# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Smoke checks as people read them, and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from ..addons.model import JSON
from ..addons.smoke.operation import CheckResult, SmokeReport

_SIGNS = {"passed": "=", "failed": "!", "absent": "?", "open": "?"}
_WORDS = {"absent": "not installed", "open": "not tried"}


def smoke_lines(report: SmokeReport) -> list[str]:
    """One line for each check, and the reasons of those that failed below it."""
    many = len(report.checks)
    counts = {word: sum(1 for check in report.checks if check.outcome == word) for word in _SIGNS}
    told = [f"{count} {_WORDS.get(word, word)}" for word, count in counts.items() if count]
    head = f"SMOKE {report.name}  cluster {report.cluster[:4]}  {many} check{'' if many == 1 else 's'}"
    lines = [f"{head}{': ' if told else ''}{', '.join(told)}  ({report.seconds:.1f} s)"]
    for check in report.checks:
        lines.append(_line(check))
        if check.outcome == "failed":
            lines += [f"    {line}" for line in check.reason.splitlines()]
    return lines


def smoke_dict(report: SmokeReport) -> dict[str, JSON]:
    return {
        "name": report.name,
        "cluster": report.cluster,
        "result": report.result,
        "checks": [{**asdict(check), "seconds": round(check.seconds, 3)} for check in report.checks],
        "seconds": round(report.seconds, 3),
    }


def _line(check: CheckResult) -> str:
    word = _WORDS.get(check.outcome, check.outcome)
    seconds = f"{check.seconds:.1f} s" if check.outcome in ("passed", "failed") else ""
    return f"{_SIGNS[check.outcome]} {check.addon:<20} {check.capability:<24} {word:<14} {seconds}".rstrip()
