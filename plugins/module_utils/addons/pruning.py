# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Delete objects, and only those that the record owns: never by prefix, never by label alone."""

from __future__ import annotations

import time

from ..kube.client import JSON_TYPE, MERGE, METADATA
from ..kube.discovery import served_now
from ..kube.errors import ApiError
from ..kube.objects import PVC, Json, ObjectId
from .desired import KEEP_POLICY, MANAGER
from .errors import ActError
from .observe import addon_of
from .plan import AddonPlan, Op
from .record import RecordedObject
from .waiting import Waiter, stuck_lines
from .work import Progress, Work

_GIVE_UP = 20.0
"""Seconds that the StatefulSet's controller gets to take its name off the claims."""


def may_delete(live: Json, recorded: RecordedObject, addon: str, name: str) -> str:
    """Why an object that stands in the record may not be deleted all the same; empty when it may.

    It must be the very object that we applied, carry our mark, and belong to no controller (an operator may
    copy our labels to its children).
    """
    meta = live["metadata"]
    if recorded.uid and meta.get("uid") != recorded.uid:
        return "it is another object now: somebody deleted and created it"
    holder = addon_of(meta, name)
    # Several add-ons may list a CRD: it carries the mark of the one that wrote it, and stands in the record of all.
    if holder != addon and not (holder and recorded.kind == "CustomResourceDefinition"):
        return "our mark was taken off"
    if any(ref.get("controller") for ref in meta.get("ownerReferences") or []):
        return "it belongs to a controller"
    return ""


def find(work: Work, recorded: RecordedObject) -> tuple[RecordedObject, Json | None]:
    """The live object, and where it is: a CRD may have come to serve other versions in this very run."""
    # Only of a StatefulSet more than the metadata is asked for.
    accept = JSON_TYPE if recorded.kind == "StatefulSet" else METADATA
    live = work.client.get(recorded.path, accept=accept)
    if live is None:
        now = recorded.at(served_now(work.client, recorded.resource))
        if now != recorded:
            return now, work.client.get(now.path, accept=accept)
    return recorded, live


def prune(work: Work, waiter: Waiter, plan: AddonPlan, progress: Progress) -> set[ObjectId]:
    """Delete what an upgrade no longer renders. Returns what the record may forget."""
    forget: set[ObjectId] = set()
    waiting: dict[str, str] = {}
    ids: dict[str, ObjectId] = {}
    for item in reversed(plan.objects):
        recorded = item.recorded
        if recorded is None or item.op is not Op.DELETE:
            continue
        recorded, live = find(work, recorded)
        if live is None:
            forget.add(item.id)
            continue
        reason = may_delete(live, recorded, plan.name, work.observed.name)
        if (live["metadata"].get("annotations") or {}).get(KEEP_POLICY) == "keep":
            reason = "helm.sh/resource-policy: keep"
        if reason:
            progress("kept", f"{item.id}: {reason}")
            forget.add(item.id)
            continue
        delete(work, recorded, live)
        waiting[recorded.path], ids[recorded.path] = live["metadata"]["uid"], item.id
    left = waiter.until_gone(waiting, 60)
    forget |= {ids[path] for path in waiting if path not in left}
    if left:
        lines = "\n    ".join(stuck_lines(work.client, list(left.values())))
        raise ActError("SLW-4104", f"add-on {plan.name}: objects of an older version do not go away:\n    {lines}")
    return forget


def delete(work: Work, recorded: RecordedObject, live: Json, *, with_claims: bool = False) -> bool:
    """Ask for the deletion of exactly this object; whether it still has to be waited for.

    Raises ``ActError`` SLW-4105 when it is refused.

    A StatefulSet that would take its claims with it gives them up first, unless ``with_claims``.
    """
    if recorded.kind == "StatefulSet" and not with_claims:
        _give_up_claims(work, recorded, live)
    try:
        return work.client.delete(recorded.path, uid=live["metadata"]["uid"])
    except ApiError as exc:
        raise ActError(
            "SLW-4105",
            f"{recorded.id} cannot be deleted: {exc.api_message}",
            "it stays in the record; the next run tries again",
        ) from exc


def _give_up_claims(work: Work, recorded: RecordedObject, live: Json) -> None:
    """Volumes outlive their add-on, also where the StatefulSet's own policy says that they go with it."""
    policy = ((live.get("spec") or {}).get("persistentVolumeClaimRetentionPolicy") or {}).get("whenDeleted")
    if policy != "Delete":
        return
    patch = {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain"}}}
    work.client.write("PATCH", recorded.path, patch, {"fieldManager": MANAGER}, MERGE)
    deadline = time.monotonic() + _GIVE_UP
    uid = live["metadata"]["uid"]
    while True:
        claims = work.client.list(PVC.collection(recorded.namespace), metadata=True)
        owned = [c["metadata"]["name"] for c in claims if uid in _owners(c["metadata"])]
        if not owned:
            return
        if time.monotonic() > deadline:
            raise ActError(
                "SLW-4106",
                f"{recorded.id} would take its volumes with it: {', '.join(owned)}",
                "consent to that: -e slipway_remove_pvcs=ADDON; or set whenDeleted: Retain",
            )
        time.sleep(0.1)


def _owners(metadata: Json) -> set[str]:
    return {str(ref.get("uid")) for ref in metadata.get("ownerReferences") or []}
