# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the findings about one add-on amount to: its action, and the reason that people read."""

from __future__ import annotations

from .model import Addon, ChartSource, ObjectsSource
from .plan import Action, AddonPlan, Op
from .record import Record, ReleaseState
from .rendering import Rendering


def conclude(plan: AddonPlan, work: Rendering) -> None:
    """Set action and reason from what was found; the first rule that fits decides."""
    record = plan.record
    ops = {o.op for o in plan.objects}
    writes = ops & {Op.CREATE, Op.CHANGE, Op.RECREATE, Op.DELETE}
    if plan.problems:
        plan.action, plan.reason = Action.BLOCKED, plan.problems[0].message
    elif record is None:
        foreign = any(o.preexisting for o in plan.objects) or plan.release_revision
        plan.action = Action.ADOPT if foreign else Action.INSTALL
        plan.reason = "adopt: true" if foreign else "in the manifest, not on the cluster"
    elif record.state is not ReleaseState.APPLIED:
        plan.action = Action.UPGRADE if record.inputs else Action.INSTALL
        plan.reason = f"unfinished run of {record.who} at {record.when}"
    elif record.inputs != work.inputs and (writes or _released_anew(plan, work)):
        plan.action, plan.reason = Action.UPGRADE, _why(plan, work)
    elif plan.stale_release:
        plan.action, plan.reason = Action.REPAIR, plan.stale_release
    elif any(d.object.startswith("release ") and d.decision == "overwrite" for d in plan.drift):
        plan.action, plan.reason = Action.REPAIR, "Helm's revision is replaced (overwrite)"
    elif writes:
        plan.action, plan.reason = Action.REPAIR, "objects are not as they were applied"
    elif record.store_values != plan.wanted.store_values and isinstance(plan.wanted.source, ChartSource):
        plan.action, plan.reason = Action.REPAIR, "store_values changed"
    elif record.inputs != work.inputs or ops & {Op.RETAKE, Op.REMEMBER, Op.KEEP} or told_otherwise(plan.wanted, record):
        plan.action = Action.REFRESH


def _released_anew(plan: AddonPlan, work: Rendering) -> bool:
    """Whether the release differs although no object does: Helm's storage names version and values."""
    if plan.known.rolled_back:
        # Of what was rolled back neither the source nor every value is known: what it looks like has to do.
        return plan.version_from != plan.version_to
    return bool(plan.values) or plan.version_from != plan.version_to or plan.known.identity != work.identity


def _why(plan: AddonPlan, work: Rendering) -> str:
    record = plan.known
    if record.rolled_back:
        return f"rolled back to revision {record.rolled_back} by {record.who} at {record.when}"
    if plan.version_from != plan.version_to:
        return "version"
    if plan.values:
        return "values"
    if record.identity != work.identity:
        return "objects" if isinstance(work.addon.source, ObjectsSource) else "files of the source"
    secrets = plan.addon is not None and plan.addon.secret_paths
    return "a secret value" if secrets else "the cluster's version or APIs"


def told_otherwise(addon: Addon, record: Record) -> bool:
    """Whether the record says other things of the add-on than the manifest: removals go by the record."""
    return (
        record.protected != addon.protected
        or record.hooks is not None
        or record.drift != addon.drift_digest
        or record.store_values != addon.store_values
        or set(record.provides) != set(addon.provides)
        or set(record.requires) != set(addon.requires)
        or record.remove_first != addon.remove.first
        or record.remove_timeout != addon.remove.timeout
        # Either the manifest goes elsewhere, or it has come to say the same and this is over.
        or record.rolled_back > 0
    )
