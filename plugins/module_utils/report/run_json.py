# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One report for a run of several segments: as if it had been done in one go."""

from __future__ import annotations

from collections.abc import Mapping

from ..addons.engine import Report
from ..addons.masking import Masker
from ..addons.model import JSON
from ..addons.schedule import Result
from .plan_json import report_dict

_QUIET = ("unchanged", "refresh")
_SUMS = ("seconds", "api_requests", "helm_processes")


def run_dict(
    before: Mapping[str, JSON],
    report: Report,
    results: Mapping[str, Result],
    settled: Mapping[str, Result],
    masker: Masker,
) -> dict[str, JSON]:
    """``before``: the report so far, empty in the first segment. ``results``: those of the whole run, ``settled``:
    those of earlier segments, whose add-ons are shown as they were planned at first."""
    now = report_dict(report, masker)
    now["results"] = results_dict(results, masker)
    failed = any(not result.done for result in results.values())
    if not before:
        return now
    hidden = {masker.text(name) for name in settled}
    told = {addon["name"]: addon["hooks"] for addon in before["addons"]}
    newer = {
        addon["name"]: {**addon, "hooks": told.get(addon["name"], addon["hooks"])}
        for addon in now["addons"]
        if addon["name"] not in hidden and addon["action"] not in _QUIET
    }
    return {
        **before,
        **{key: round(before[key] + now[key], 3) for key in _SUMS},
        "addons": [
            *(newer.get(addon["name"], addon) for addon in before["addons"]),
            *(addon for name, addon in newer.items() if name not in told),
        ],
        "results": now["results"],
        "kept": {**before["kept"], **now["kept"]},
        "result": "error" if failed or now["result"] == "error" else before["result"],
    }


def results_dict(results: Mapping[str, Result], masker: Masker) -> JSON:
    return masker.value({n: {"outcome": r.outcome.value, "reason": r.reason} for n, r in results.items()})
