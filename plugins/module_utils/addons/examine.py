# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One object against the live one: what would change, and whether it can be applied.

Nothing is recreated because of an error's class: only kinds that may be, and only where it helps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..kube.additions import digest_of
from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import Json, is_crd
from ..kube.ownership import entry_hash, format_field, without
from .answers import Answers
from .desired import MANAGER, Desired
from .diff import ABSENT, FieldChange, diff_objects
from .digest import Digester
from .disputes import Disputes, Judge
from .finding import Finding
from .plan import NO_RIGHT, Adoption, Drift, ObjectPlan, Op
from .record import RecordedObject
from .takeover import restore

RECREATABLE = frozenset({"Job", "Pod"})


@dataclass
class Examined:
    """``blocked`` findings stop the add-on; ``drift`` is told; ``plan`` is what to do with the object."""

    plan: ObjectPlan
    drift: list[Drift] = field(default_factory=list)
    blocked: list[Finding] = field(default_factory=list)
    adoptions: list[Adoption] = field(default_factory=list)


def examine(
    client: Client, desired: Desired, recorded: RecordedObject | None, live: Json, answers: Answers, digester: Digester
) -> Examined:
    """Compare with ``live`` (the full object) and try by dry run what would be applied.

    Called for objects that changed, in what we want or in what is live; the others need no look.
    """
    disputes = Judge(client, desired, recorded, live, answers, digester).judge()
    payload = without(desired.body, disputes.left_out) if disputes.left_out else desired.body
    plan = ObjectPlan(
        Op.NONE,
        desired.id,
        desired,
        recorded,
        payload,
        strip=disputes.strip,
        restore=tuple(disputes.taken_back) if disputes.stripped else (),
        kept=disputes.kept,
        settled=disputes.settled,
        foreign=disputes.foreign,
    )
    found = Examined(plan, disputes.drift, list(disputes.blocked), disputes.adoptions)
    if found.blocked:
        return found
    changed = recorded is None or recorded.digest != digester.of(desired.body) or recorded.state.value == "pending"
    if not changed and not disputes.taken_back:
        found.plan = _unchanged(plan, disputes, live)
        return found
    preflight = _crd_preflight(desired.body, live, answers.addon)
    if preflight:
        found.blocked.append(preflight)
        return found
    _dry_run(client, found, payload, live, answers, force=bool(disputes.taken_back or disputes.shared))
    if not disputes.stripped:
        return found
    if any(finding.code == "SLW-3302" for finding in found.blocked):
        # Ours and what others added do not go together: tried as it will be done, both in one write.
        found.blocked.clear()
        found.plan = replace(plan, op=Op.CHANGE, force=True)
        _dry_restore(client, found, live, answers)
    else:
        found.plan = replace(found.plan, fields=(*found.plan.fields, *_stripped(disputes)))
    return found


def _unchanged(plan: ObjectPlan, disputes: Disputes, live: Json) -> ObjectPlan:
    """What we want has not changed: what is left are answers about what others did."""
    if disputes.stripped:
        return replace(plan, op=Op.CHANGE, fields=_stripped(disputes))
    recorded = plan.known
    same_entry = recorded.entry == entry_hash(live["metadata"], MANAGER)
    same_foreign = recorded.foreign == digest_of(disputes.foreign)
    if not disputes.drift and not disputes.left_out and not same_entry:
        # Ours, moved, and equal again: whoever changed it changed it back. Take the field, tell nobody. By force, as
        # they may have spelt the same value in another way.
        return replace(plan, op=Op.RETAKE, force=True)
    # What is settled is remembered, so that the next run need not look; what is open again is not.
    if recorded.kept != disputes.kept or disputes.settled is not (same_entry and same_foreign):
        return replace(plan, op=Op.REMEMBER)
    return plan


def _stripped(disputes: Disputes) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(format_field(a.path), a.value, ABSENT) for a in disputes.stripped)


def _dry_run(client: Client, found: Examined, payload: Json, live: Json, answers: Answers, *, force: bool) -> None:
    desired = found.plan.wanted
    recorded = found.plan.recorded
    unverified = ""
    fields: tuple[FieldChange, ...] = ()
    op = Op.CHANGE
    try:
        predicted = client.apply(desired.path, payload, manager=MANAGER, force=force, dry_run=True)
        fields = tuple(diff_objects(live, predicted))
    except ApiError as exc:
        if exc.field_conflicts:
            found.blocked.append(_conflict(desired, exc, answers))
            return
        if exc.status == 422 and recorded is not None and _recreation_helps(client, desired, payload):
            op = Op.RECREATE
            # What only the server wrote into the old object is no difference.
            fields = tuple(change for change in diff_objects(live, payload) if change.after is not ABSENT)
        elif exc.status in (400, 422):
            found.blocked.append(_impossible(desired, exc))
            return
        elif exc.status == 403 and exc.reason == "Forbidden":
            unverified = f"{NO_RIGHT} to dry-run"
        elif exc.status == 404 or exc.webhook_unavailable:
            unverified = exc.api_message
        else:
            raise
    found.plan = replace(found.plan, op=op, payload=payload, fields=fields, unverified=unverified, force=force)


def _dry_restore(client: Client, found: Examined, live: Json, answers: Answers) -> None:
    plan = found.plan
    try:
        predicted = restore(client, plan.wanted, plan.strip, plan.restore, dry_run=True)
    except ApiError as exc:
        if exc.status not in (400, 422):
            raise
        found.blocked.append(_impossible(plan.wanted, exc))
    else:
        found.plan = replace(plan, fields=tuple(diff_objects(live, predicted or live)))


def _impossible(desired: Desired, exc: ApiError) -> Finding:
    where = ", ".join(c.field for c in exc.causes if c.field)
    return Finding(
        "SLW-3302",
        f"{desired.id}: the API server refuses the change{f' of {where}' if where else ''}: {exc.api_message}",
        advice="undo the value, or change the object by hand; Slipway never recreates this kind",
    )


def _recreation_helps(client: Client, desired: Desired, payload: Json) -> bool:
    """Whether the API server takes as a new object, under a name that nobody has, what it refuses as a change.

    An error's class says nothing: it is the same for a wrong value, and the old object would be lost for nothing.
    """
    if desired.id.kind not in RECREATABLE:
        return False
    name = f"{desired.id.name[:40].rstrip('.-')}-slipway-dry-run"
    path = desired.resource.path(desired.id.namespace, name)
    body = {**payload, "metadata": {**payload["metadata"], "name": name}}
    try:
        client.apply(path, body, manager=MANAGER, dry_run=True)
    except ApiError as exc:
        if exc.status in (400, 422):
            return False
        raise
    return True


def _conflict(desired: Desired, exc: ApiError, answers: Answers) -> Finding:
    causes = "; ".join(f"{c.field} ({c.message})" for c in exc.field_conflicts)
    return Finding(
        "SLW-3301",
        f"{desired.id}: fields are held by others, and their desired value changed: {causes}",
        advice=f"decide: -e slipway_overwrite={answers.addon} or -e slipway_keep={answers.addon}",
    )


def _crd_preflight(desired: Json, live: Json, addon: str) -> Finding | None:
    """A CRD update that would lose stored objects is refused before anything is written."""
    if not is_crd(desired):
        return None
    name = desired["metadata"]["name"]
    new, old = desired.get("spec") or {}, live.get("spec") or {}
    if new.get("scope") != old.get("scope"):
        return Finding(
            "SLW-3303",
            f"add-on {addon}: CRD {name} changes scope {old.get('scope')} -> {new.get('scope')}",
            advice="the API server cannot convert it: back up its objects, remove the CRD with consent, install again",
        )
    stored = set((live.get("status") or {}).get("storedVersions") or [])
    dropped = sorted(stored - {str(v.get("name")) for v in new.get("versions") or []})
    if dropped:
        return Finding(
            "SLW-3303",
            f"add-on {addon}: CRD {name} drops {', '.join(dropped)}, in which objects are still stored",
            advice="rewrite every object in the storage version, then take it from the CRD's status.storedVersions",
        )
    return None
