# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The figures as tables: on screen, and in docs/performance.md between two marks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import drift, planning
from benchmarks.contestants import STEPS
from benchmarks.goals import Goal
from benchmarks.results import Results, median

BEGIN = "<!-- figures: begin; written by make bench -->"
END = "<!-- figures: end -->"

STEP_TITLES = {
    "install": "first install",
    "again": "no-op",
    "drift": "drift check",
    "change": "one value changed",
    "remove": "removal",
}
TITLES = {
    "slipway": "Slipway",
    "helmfile": "helmfile",
    "tasks": "`kubernetes.core.helm` tasks",
    "kubectl": "`kubectl diff --server-side`",
}
_HEADER = (
    "step",
    "by",
    "seconds (min to max)",
    "its CPU s",
    "of that Helm",
    "API server + etcd CPU s",
    "peak MiB",
    "requests",
    "Helm processes",
)

Rows = list[tuple[str, ...]]


def steps_table(results: Results) -> Rows:
    rows: Rows = [_HEADER]
    for step in STEPS:
        for who, title in TITLES.items():
            times = results.of(who, step)
            if times:
                rows.append((STEP_TITLES[step], title, _span(times), *_costs(results.samples, who, step)))
    return rows


def drift_table(results: Results) -> Rows:
    rows: Rows = [(f"{drift.OBJECTS} objects", *_HEADER[1:6], *_HEADER[7:])]
    for state in drift.STATES:
        for who, title in TITLES.items():
            times = results.of_drift(who, state)
            if times:
                text = f"{drift.CHANGED} changed" if state == "changed" else state
                costs = _costs(results.drift, who, state)
                level = " (engine call)" if who == "slipway" else ""
                rows.append((text, title + level, _span(times, 3), *costs[:3], *costs[4:]))
    return rows


def planning_table(results: Results) -> Rows:
    rows: Rows = [("add-ons planned without a cluster", "CPU seconds (min to max)")]
    return rows + [(str(size), _span(results.planning[str(size)], 3)) for size in planning.SIZES]


def goals_table(goals: Iterable[Goal]) -> Rows:
    rows: Rows = [("goal", "at most", "reached", "")]
    for goal in goals:
        reached = "–" if goal.value is None else f"{goal.value:.3g}"
        rows.append((goal.title, f"{goal.limit:g}", reached, goal.verdict))
    return rows


def missed(goals: Iterable[Goal]) -> list[str]:
    return [f"{goal.title}: {goal.bound}." for goal in goals if goal.verdict == "missed" and goal.bound]


def about(results: Results) -> list[str]:
    """What was measured, where and with what."""
    content, machine, versions = (results.about[key] for key in ("content", "machine", "versions"))
    rounds = results.about["rounds"]
    taken = f"Taken on {results.about['date']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    size = f"{content['addons']} add-ons, {content['objects']} objects of {content['kinds']} kinds"
    return [
        f"{taken}; {rounds} round{'s' if rounds != 1 else ''}, medians.",
        f"{size}, {content['crds']} CRDs among them; {content['kib'] / 1024:.1f} MiB as YAML.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}.",
    ]


def screen(rows: Rows) -> str:
    widths = [max(len(_plain(row[at])) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(_plain(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def markdown(rows: Rows) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def write(path: Path, results: Results, goals: list[Goal]) -> None:
    """Replace what stands between the marks.

    :raises ValueError: when the page has not both marks.
    """
    text = path.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    _old, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{path.name} has lost its marks {BEGIN} and {END}")
    parts = [
        " ".join(about(results)),
        "![Seconds by step](images/performance.svg)",
        markdown(steps_table(results)),
        markdown(drift_table(results)),
        markdown(planning_table(results)),
        "## Goals",
        markdown(goals_table(goals)),
    ]
    bounds = missed(goals)
    if bounds:
        parts += ["What bounds the missed ones:", "\n".join(f"- {line}" for line in bounds)]
    path.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}", encoding="utf-8")


def _costs(samples: list[dict[str, Any]], who: str, step: str) -> tuple[str, ...]:
    mine = [s for s in samples if s["who"] == who and step in (s.get("step"), s.get("state"))]

    def middle(*names: str) -> float:
        return median([sum(s[name] for name in names) for s in mine]) or 0.0

    return (
        f"{middle('cpu'):.1f}",
        f"{middle('helm_cpu'):.1f}",
        f"{middle('api_cpu', 'etcd_cpu'):.1f}",
        f"{middle('peak_mib'):.0f}",
        f"{middle('requests'):.0f}",
        f"{middle('helms'):.0f}",
    )


def _span(times: list[float], digits: int = 1) -> str:
    middle = median(times) or 0.0
    if len(times) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({min(times):.{digits}f} to {max(times):.{digits}f})"


def _plain(text: str) -> str:
    return text.replace("`", "")
