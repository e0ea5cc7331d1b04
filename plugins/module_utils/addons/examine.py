# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One object against the live one: what was taken from us, what would change, and whether it can be applied.

Rules (DESIGN 11.6): a field that somebody else changed and whose desired value did not change is left out of the
payload; when it did change, the add-on is not applied until one of two variables decides. Nothing is forced
without a rule, and nothing is recreated because of an error's class: only kinds that may be.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import Json, is_crd
from ..kube.owners import owner_of_field
from ..kube.ownership import FieldPath, format_field, lost_fields, our_entry, value_at, without
from .desired import Desired
from .diff import ABSENT, FieldChange, diff_objects
from .digest import Digester, leaf_path
from .finding import Finding
from .plan import Drift, ObjectPlan, Op
from .record import RecordedObject

MANAGER = "slipway"
RECREATABLE = frozenset({"Job", "Pod"})


@dataclass
class Examined:
    """``blocked`` findings stop the add-on; ``drift`` is told; ``plan`` is what to do with the object."""

    plan: ObjectPlan
    drift: list[Drift] = field(default_factory=list)
    blocked: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """The decision for fields that others hold: ``mode`` is report, keep or overwrite."""

    addon: str
    mode: str


def examine(
    client: Client, desired: Desired, recorded: RecordedObject | None, live: Json, rule: Rule, digester: Digester
) -> Examined:
    """Compare with ``live`` (the full object) and try by dry run what would be applied.

    Called for objects that changed, in what we want or in what is live; the others need no look.
    """
    found = Examined(ObjectPlan(Op.NONE, desired.id, desired, recorded, desired.body))
    left_out, taken_back = _decide(found, desired, recorded, live, rule, digester)
    if found.blocked:
        return found
    payload = without(desired.body, left_out) if left_out else desired.body
    changed = recorded is None or recorded.digest != digester.of(desired.body) or recorded.state.value == "pending"
    if not changed and not taken_back:
        # Ours, moved, and equal again: whoever changed it changed it back. Take the field, tell nobody.
        op = Op.RETAKE
        if found.drift:
            # Kept by a rule: remembered, so that the next run need not look again.
            op = Op.REMEMBER if all(d.decision == "keep" for d in found.drift) else Op.NONE
        found.plan = ObjectPlan(op, desired.id, desired, recorded, payload)
        return found
    preflight = _crd_preflight(desired.body, live, rule.addon)
    if preflight:
        found.blocked.append(preflight)
        return found
    _dry_run(client, found, payload, live, rule, force=bool(taken_back))
    return found


def _decide(
    found: Examined,
    desired: Desired,
    recorded: RecordedObject | None,
    live: Json,
    rule: Rule,
    digester: Digester,
) -> tuple[list[FieldPath], list[FieldPath]]:
    """Paths to leave out of the payload, and paths to take back by force."""
    left_out: list[FieldPath] = []
    taken_back: list[FieldPath] = []
    for path, value in lost_fields(desired.body, our_entry(live["metadata"], MANAGER)):
        current = value_at(live, path)
        if covers(current, value):
            continue
        owner = owner_of_field(live["metadata"], path)
        applied = bool(
            recorded and recorded.leaves and digester.has(recorded.leaves, leaf_path(desired.body, path), value)
        )
        name = format_field(path)
        if owner.subresource == "scale" and path == ("spec", "replicas"):
            left_out.append(path)
            note = "scaled through the scale subresource"
            found.drift.append(Drift(str(desired.id), name, value, current, owner.manager, owner.when, "keep", note))
        elif rule.mode == "overwrite":
            taken_back.append(path)
            found.drift.append(Drift(str(desired.id), name, value, current, owner.manager, owner.when, "overwrite"))
        elif rule.mode == "keep" and (applied or owner.manager):
            left_out.append(path)
            found.drift.append(Drift(str(desired.id), name, value, current, owner.manager, owner.when, "keep"))
        elif applied:
            left_out.append(path)
            found.drift.append(Drift(str(desired.id), name, value, current, owner.manager, owner.when, "report"))
        elif owner.manager and current is not None:
            found.drift.append(Drift(str(desired.id), name, value, current, owner.manager, owner.when, "undecided"))
            found.blocked.append(
                Finding(
                    "SLW-3301",
                    f"{desired.id}: {name} is held by {owner.manager}, and its desired value changed",
                    advice=f"decide: -e slipway_overwrite={rule.addon} or -e slipway_keep={rule.addon}",
                )
            )
    return left_out, taken_back


def covers(live: object, wanted: object) -> bool:
    """Whether ``live`` says all that ``wanted`` says; the server may have added defaults."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(covers(live.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(live) == len(wanted)
            and all(covers(a, b) for a, b in zip(live, wanted, strict=True))
        )
    return type(live) is type(wanted) and live == wanted


def _dry_run(client: Client, found: Examined, payload: Json, live: Json, rule: Rule, *, force: bool) -> None:
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
            found.blocked.append(_conflict(desired, exc, rule))
            return
        if exc.status == 422 and recorded is not None and _recreation_helps(client, desired, payload):
            op = Op.RECREATE
            # What only the server wrote into the old object is no difference.
            fields = tuple(change for change in diff_objects(live, payload) if change.after is not ABSENT)
        elif exc.status in (400, 422):
            where = ", ".join(c.field for c in exc.causes if c.field)
            found.blocked.append(
                Finding(
                    "SLW-3302",
                    f"{desired.id}: the API server refuses the change{f' of {where}' if where else ''}: "
                    f"{exc.api_message}",
                    advice="undo the value, or change the object by hand; Slipway never recreates this kind",
                )
            )
            return
        elif exc.status == 403 and exc.reason == "Forbidden":
            unverified = "no right to dry-run"
        elif exc.status == 404 or exc.webhook_unavailable:
            unverified = exc.api_message
        else:
            raise
    found.plan = ObjectPlan(op, desired.id, desired, recorded, payload, fields, unverified=unverified, force=force)


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


def _conflict(desired: Desired, exc: ApiError, rule: Rule) -> Finding:
    causes = "; ".join(f"{c.field} ({c.message})" for c in exc.field_conflicts)
    return Finding(
        "SLW-3301",
        f"{desired.id}: fields are held by others, and their desired value changed: {causes}",
        advice=f"decide: -e slipway_overwrite={rule.addon} or -e slipway_keep={rule.addon}",
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
