# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Scaling down an add-on whose replicas hold data: refused until somebody consents to it by name.

What counts is what the plan would do to the live object: replicas that another one holds are not lowered by us.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import Json
from .finding import Finding, Position
from .model import JSON
from .plan import Action, AddonPlan, ObjectPlan, Op

REPLICAS = "spec.replicas"
_GUARDED_REMOVALS = ("Deployment", "StatefulSet")
_DEFAULT = 1
"""What becomes of replicas that nobody sets any more."""


def refuse_scale_down(client: Client, plans: Iterable[AddonPlan], consented: Collection[str]) -> None:
    """Block the plans that would lower replicas which their add-on calls unsafe to lose (SLW-3501)."""
    for plan in plans:
        if plan.addon is None or plan.addon.scale_down != "unsafe" or plan.name in consented or not plan.changes:
            continue
        plan.problems += [_finding(plan, item, before, after) for item, before, after in _lowered(client, plan)]
        if plan.problems:
            plan.action, plan.reason = Action.BLOCKED, plan.problems[0].message


def lowered(client: Client, plan: AddonPlan) -> list[str]:
    """What the plan would lower, as far as its add-on calls that unsafe: one text for each object."""
    if plan.addon is None or plan.addon.scale_down != "unsafe" or not plan.changes:
        return []
    return [_told(*found) for found in _lowered(client, plan)]


def _lowered(client: Client, plan: AddonPlan) -> Iterator[tuple[ObjectPlan, int, int]]:
    """Objects whose replicas would become fewer: from, to."""
    for item in plan.objects:
        before, after = _replicas(client, item)
        if before is not None and after is not None and after < before:
            yield item, before, after


def _replicas(client: Client, item: ObjectPlan) -> tuple[int | None, int | None]:
    """Live replicas, and what they would become; None where that cannot be said."""
    if item.op is Op.DELETE and item.id.kind in _GUARDED_REMOVALS:
        return _live(client, item), 0
    if item.op is not Op.CHANGE:
        return None, None
    if item.unverified:
        # No dry run has said what would change.
        return _live(client, item), _wanted(item.payload)
    change = next((change for change in item.fields if change.path == REPLICAS), None)
    return (_number(change.before), _number(change.after, _DEFAULT)) if change else (None, None)


def _live(client: Client, item: ObjectPlan) -> int | None:
    """Replicas of the live object; None where there is none, or where it may not be seen."""
    path = item.desired.path if item.desired else item.known.path
    try:
        return _wanted(client.get(path))
    except ApiError as exc:
        if exc.status != 403:
            raise
        return None


def _wanted(body: Json | None) -> int | None:
    found = ((body or {}).get("spec") or {}).get("replicas")
    return found if isinstance(found, int) else None


def _number(value: JSON, otherwise: int | None = None) -> int | None:
    return value if isinstance(value, int) else otherwise


def _told(item: ObjectPlan, before: int, after: int) -> str:
    if item.op is Op.DELETE:
        return f"{item.id} would be removed with its {before} replicas"
    return f"{item.id} would go down from {before} to {after} replicas"


def _finding(plan: AddonPlan, item: ObjectPlan, before: int, after: int) -> Finding:
    return Finding(
        "SLW-3501",
        f"{_told(item, before, after)}, and the add-on calls that unsafe",
        ("slipway_addons", plan.name),
        _position(plan, after),
        advice=f"move its data off first, then consent: -e slipway_scale_down={plan.name}",
    )


def _position(plan: AddonPlan, after: int) -> Position:
    """Where the value stands that became this number; the add-on's own place where no value did."""
    addon = plan.wanted
    changed = {change.where for change in plan.values if change.after == after}
    found = [position for position in addon.origins.values() if str(position) in changed]
    return found[0] if found else addon.position
