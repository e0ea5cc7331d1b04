# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan as JSON: for files, pipelines and AWX artifacts. Secrets masked, stable keys."""

from __future__ import annotations

from dataclasses import asdict

from ..addons.diff import ABSENT, FieldChange
from ..addons.engine import Report
from ..addons.late import late_values
from ..addons.masking import Masker
from ..addons.model import JSON
from ..addons.plan import AddonPlan, Drift, ObjectPlan, Op, Plan


def plan_dict(plan: Plan, masker: Masker) -> dict[str, JSON]:
    """Everything of a plan but payloads and rendered texts."""
    body = {
        "name": plan.name,
        "cluster": plan.cluster,
        "result": plan.result,
        "addons": [_addon(addon) for addon in plan.addons],
        "dropped": plan.dropped,
        "hints": [hint.as_dict() for hint in plan.hints],
        "limits": plan.limits,
        "pulled_in": plan.pulled_in,
        "seconds": round(plan.seconds, 3),
        "api_requests": plan.requests,
        "helm_processes": plan.helm_processes,
    }
    masked: dict[str, JSON] = masker.value(body)
    return masked


def report_dict(report: Report, masker: Masker) -> dict[str, JSON]:
    """A plan with what became of it."""
    body = plan_dict(report.plan, masker)
    body["results"] = masker.value(
        {name: {"outcome": r.outcome.value, "reason": r.reason} for name, r in report.results.items()}
    )
    body["kept"] = report.kept
    body["seconds"] = round(report.plan.seconds + report.seconds, 3)
    if report.failed:
        body["result"] = "error"
    return body


def _addon(plan: AddonPlan) -> dict[str, JSON]:
    return {
        "name": plan.name,
        "action": plan.action.value,
        "reason": plan.reason,
        "source": str(plan.position),
        "version_from": plan.version_from,
        "version_to": plan.version_to,
        "depends": list(plan.depends),
        "objects": [_object(o) for o in plan.objects if o.op not in (Op.NONE, Op.SHARED, Op.RETAKE, Op.REMEMBER)],
        "values": [_change(c) for c in plan.values],
        "late": [
            {**asdict(late), "outputs": list(late.outputs), "after": list(late.after)} for late in late_values(plan)
        ],
        "again": list(plan.again),
        "drift": [drift_fields(d) for d in plan.drift],
        "adopt": _proposal(plan),
        "problems": [p.as_dict() for p in plan.problems],
        "notes": plan.notes,
        "rollback_to": plan.rollback_to,
        "afterwards": plan.afterwards,
        "smoke": [check.capability for check in plan.checks],
        "hooks": [{"event": hook.event, "path": hook.written} for hook in plan.hooks],
    }


def _proposal(plan: AddonPlan) -> dict[str, JSON]:
    return asdict(plan.proposal) if plan.proposal else {}


def drift_fields(drift: Drift) -> dict[str, JSON]:
    """A field of a Secret has changed, and that is all there is to say."""
    hidden = {"ours": "changed", "live": "changed"} if drift.object.startswith("Secret ") else {}
    return {**asdict(drift), **hidden}


def _object(item: ObjectPlan) -> dict[str, JSON]:
    secret = item.id.kind == "Secret"
    return {
        "op": item.op.value,
        "group": item.id.group,
        "kind": item.id.kind,
        "namespace": item.id.namespace,
        "name": item.id.name,
        "note": item.note,
        "unverified": item.unverified,
        "fields": [{"path": c.path, "change": "changed"} if secret else _change(c) for c in item.fields],
    }


def _change(change: FieldChange) -> dict[str, JSON]:
    found: dict[str, JSON] = {"path": change.path}
    if change.before is not ABSENT:
        found["before"] = change.before
    if change.after is not ABSENT:
        found["after"] = change.after
    if change.where:
        found["source"] = change.where
    return found
