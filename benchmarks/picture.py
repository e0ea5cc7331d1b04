# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The seconds of each step as bars, in plain SVG that can be read on white and on black."""

from __future__ import annotations

from html import escape
from pathlib import Path

from benchmarks.contestants import STEPS
from benchmarks.page import STEP_TITLES, TITLES
from benchmarks.results import Results

_COLOURS = {"slipway": "#2f81f7", "helmfile": "#8b949e", "tasks": "#bf8700", "kubectl": "#a371f7"}
_LEFT, _WIDTH, _BAR, _GAP = 130, 760, 15, 14
_STYLE = (
    "text { font: 12px system-ui, sans-serif; fill: #57606a } .step { font-weight: 600 } "
    "@media (prefers-color-scheme: dark) { text { fill: #adbac7 } }"
)


def draw(results: Results) -> str:
    """One group of bars for each step, all on one scale of seconds."""
    medians = {(who, step): results.median(who, step) for step in STEPS for who in TITLES}
    longest = max((value for value in medians.values() if value is not None), default=1.0)
    scale = (_WIDTH - _LEFT - 90) / longest
    shown = [who for who in TITLES if any(medians[who, step] is not None for step in STEPS)]
    parts, top = _legend(shown), 44
    for step in STEPS:
        begin = top
        for who in shown:
            value = medians[who, step]
            if value is None:
                continue
            width = max(value * scale, 1.0)
            parts.append(_rect(_LEFT, top, width, _BAR - 3, who))
            parts.append(f'<text x="{_LEFT + width + 6:.1f}" y="{top + 10}">{value:.1f} s</text>')
            top += _BAR
        if top > begin:
            middle = (begin + top) / 2 + 3
            place = f'x="{_LEFT - 10}" y="{middle:.0f}" text-anchor="end"'
            parts.append(f'<text class="step" {place}>{STEP_TITLES[step]}</text>')
            top += _GAP
    size = f'width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}"'
    title = f"Seconds of each step, {results.about['content']['addons']} add-ons, median"
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def write(path: Path, results: Results) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(draw(results), encoding="utf-8")


def _rect(x: float, y: float, width: float, height: float, who: str) -> str:
    place = f'x="{x:.0f}" y="{y:.0f}" width="{width:.1f}" height="{height:.0f}"'
    return f'<rect {place} rx="2" fill="{_COLOURS[who]}"/>'


def _legend(shown: list[str]) -> list[str]:
    parts, left = [], _LEFT
    for who in shown:
        title = TITLES[who].replace("`", "")
        parts.append(_rect(left, 12, 12, 12, who))
        parts.append(f'<text x="{left + 18}" y="22">{escape(title)}</text>')
        left += 40 + 7 * len(title)
    return parts
