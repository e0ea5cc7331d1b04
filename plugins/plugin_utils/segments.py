# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task of the role hands to the next one, so that the segments of a run read as one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Report
from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Plan
from ansible_collections.slipway.cluster.plugins.module_utils.addons.schedule import Outcome, Result
from ansible_collections.slipway.cluster.plugins.module_utils.addons.segments import (
    Earlier,
    finished,
    from_state,
    merged,
    to_state,
)
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_text import more_lines, plan_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.run_json import results_dict, run_dict


@dataclass
class Run:
    """A run as one task sees it. ``plan``: the report so far, as JSON."""

    earlier: Earlier
    plan: Mapping[str, Any] = field(default_factory=dict)
    began: float = 0.0

    @classmethod
    def begin_or_go_on(cls, so_far: Mapping[str, Any]) -> Run:
        """``so_far``: the result of the segment before, or nothing."""
        now = time.time()
        state = so_far.get("state") or {}
        return cls(from_state(state, now), so_far.get("plan") or {}, float(state.get("began") or now))

    def plan_lines(self, plan: Plan, masker: Masker, *, verbose: bool) -> list[str]:
        """The whole plan at first, later only what is new in it."""
        if not self.plan:
            return plan_lines(plan, masker, verbose=verbose)
        return more_lines(plan, self.earlier.told, masker, verbose=verbose)

    def add(self, report: Report, masker: Masker) -> tuple[dict[str, Any], dict[str, Result]]:
        """The report of the run so far as JSON, secrets masked, and its results."""
        results = merged(self.earlier.results, report.results)
        if not report.hooks:
            results = finished(self._told(report), results)
        masked = {n: Result(r.outcome, masker.text(r.reason)) for n, r in results.items()}
        return run_dict(self.plan, report, masked, self.earlier.results, masker), masked

    def state(self, report: Report, results: Mapping[str, Result]) -> dict[str, Any]:
        """What the next segment has to know, as JSON."""
        due = [(hook.addon, hook.name) for hook in report.hooks]
        state: dict[str, Any] = to_state(self._told(report), results, [*self.earlier.ran, *due], self.began)
        return state

    def _told(self, report: Report) -> list[str]:
        return list(dict.fromkeys([*self.earlier.told, *(a.name for a in report.plan.addons if a.acts)]))


def with_failure(so_far: Mapping[str, Any], addon: str, reason: str, masker: Masker) -> dict[str, Any]:
    """The result of the segment before, in which ``addon`` has failed now. ``reason`` is masked here."""
    now = time.time()
    run = Run.begin_or_go_on(so_far)
    earlier = from_state(so_far.get("state") or {}, now)
    results = {**earlier.results, addon: Result(Outcome.FAILED, masker.text(reason))}
    plan = {**run.plan, "results": results_dict(results, masker), "result": "error"}
    return {
        "result": "error",
        "plan": plan,
        "fail_on": list(so_far.get("fail_on") or ()),
        "state": to_state(earlier.told, results, earlier.ran, run.began),
    }
