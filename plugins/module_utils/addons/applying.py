# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Apply the objects of one release: in stages, in parallel inside a stage, each confirmed after its write."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import wait as wait_for
from dataclasses import replace

from ..kube.additions import digest_of, foreign_fields
from ..kube.client import METADATA
from ..kube.errors import ApiError
from ..kube.objects import Json, ObjectId
from ..kube.ownership import entry_hash
from .desired import CRDS, MANAGER, NAMESPACES, WORKLOADS, Desired
from .errors import ActError
from .model import Wait
from .plan import ObjectPlan, Op
from .record import ObjectState, RecordedObject
from .takeover import restore, take_over
from .waiting import Waiter, stuck_lines
from .work import Work

_NEW_API_GRACE = 15.0
_WEBHOOK_GRACE = 30.0
_APPLIED = (Op.CREATE, Op.CHANGE, Op.RECREATE, Op.RETAKE)


def pending_objects(plans: Iterable[ObjectPlan], known: dict[ObjectId, RecordedObject]) -> list[RecordedObject]:
    """What the record says before the first write: previous and desired alike, those to be written as pending."""
    found = dict(known)
    for plan in plans:
        if plan.desired is None or plan.op in (Op.DELETE, Op.KEEP):
            continue
        entry = found.get(plan.id) or new_entry(plan.desired)
        if plan.op is Op.SHARED:
            # Used by this release and not written by it: the last user's removal must know of it.
            found[plan.id] = replace(entry, state=ObjectState.LIVE)
            continue
        state = ObjectState.PENDING if plan.op in _APPLIED else entry.state
        preexisting, former = entry.preexisting or plan.preexisting, plan.former or entry.former
        found[plan.id] = replace(entry, state=state, keep=plan.desired.keep, preexisting=preexisting, former=former)
    return list(found.values())


def new_entry(desired: Desired) -> RecordedObject:
    resource = desired.resource
    return RecordedObject(
        group=resource.group,
        version=resource.version,
        kind=resource.kind,
        plural=resource.plural,
        namespaced=resource.namespaced,
        namespace=desired.id.namespace,
        name=desired.id.name,
        keep=desired.keep,
        hook=desired.hook,
    )


class Applier:
    """``confirmed`` grows with every write, so that a failure leaves behind what is known for certain."""

    def __init__(self, work: Work, waiter: Waiter, addon: str) -> None:
        self._work = work
        self._waiter = waiter
        self._addon = addon
        self.confirmed: dict[ObjectId, RecordedObject] = {}

    def apply_all(self, plans: Iterable[ObjectPlan]) -> None:
        """Raises the first error after the objects of its stage have ended; later stages are not begun."""
        stages: dict[int, list[ObjectPlan]] = {}
        for plan in plans:
            if plan.op is Op.REMEMBER:
                self._remember(plan)
            if plan.op in _APPLIED and plan.desired is not None:
                stages.setdefault(_stage(plan.desired), []).append(plan)
        for stage in sorted(stages):
            futures = [self._work.pool.submit(self.apply, plan) for plan in stages[stage]]
            wait_for(futures)
            for future in futures:
                future.result()
            if stage in (NAMESPACES, CRDS):
                ready = [plan.desired for plan in stages[stage] if plan.desired]
                self._waiter.until_ready(self._addon, ready, Wait(timeout=60))

    def apply(self, plan: ObjectPlan) -> None:
        desired = plan.wanted
        if plan.op is Op.RECREATE:
            self._delete_first(plan)
        if desired.bare:
            self._create_namespace(desired)
            return
        payload = plan.payload if plan.payload is not None else desired.body
        if plan.strip:
            restore(self._work.client, desired, plan.strip, plan.restore)
        if plan.take_over:
            take_over(self._work.client, desired, plan.take_over)
        live = self._patiently(desired, payload, force=plan.force)
        self._confirm(desired, live, plan)

    def _remember(self, plan: ObjectPlan) -> None:
        live = self._work.client.get(plan.known.path, accept=METADATA)
        if live is not None:
            entry = entry_hash(live["metadata"], MANAGER) if plan.settled else ""
            foreign = digest_of(plan.foreign) if plan.settled else ""
            self.confirmed[plan.id] = replace(plan.known, entry=entry, foreign=foreign, kept=plan.kept)

    def _create_namespace(self, desired: Desired) -> None:
        """Created, not applied: an add-on that renders this namespace owns its fields under our one manager."""
        live = self._created(desired)
        if live is None:
            standing = self._work.client.get(desired.path)
            if standing is not None and standing["metadata"].get("deletionTimestamp"):
                left = self._waiter.until_gone({desired.path: standing["metadata"]["uid"]}, 60)
                if left:
                    lines = "\n    ".join(stuck_lines(self._work.client, list(left.values())))
                    raise ActError("SLW-4107", f"{desired.id} is being deleted and does not go away:\n    {lines}")
                standing = None
            live = standing or self._created(desired) or self._work.client.get(desired.path) or desired.body
        uid = str(live["metadata"].get("uid", ""))
        self.confirmed[desired.id] = replace(new_entry(desired), uid=uid, state=ObjectState.LIVE)

    def _created(self, desired: Desired) -> Json | None:
        """None where there is one of this name."""
        try:
            return self._work.client.write(
                "POST", desired.resource.collection(), desired.body, {"fieldManager": MANAGER}
            )
        except ApiError as exc:
            if exc.reason != "AlreadyExists":
                raise _refused(desired, exc) from exc
            return None

    def _confirm(self, desired: Desired, live: Json, plan: ObjectPlan) -> None:
        digester = self._work.observed.digester
        resource = desired.resource
        self.confirmed[desired.id] = replace(
            plan.recorded or new_entry(desired),
            version=resource.version,
            plural=resource.plural,
            uid=live["metadata"]["uid"],
            # Where something stays open, the next run has to look again.
            entry=entry_hash(live["metadata"], MANAGER) if plan.settled else "",
            digest=digester.of(desired.body),
            # A CRD's schema has thousands of leaves, and nobody edits them by hand.
            leaves="" if desired.rank == CRDS else digester.leaves(desired.body),
            state=ObjectState.LIVE,
            keep=desired.keep,
            preexisting=plan.preexisting or bool(plan.recorded and plan.recorded.preexisting),
            former=plan.former or (plan.recorded.former if plan.recorded else ""),
            # What somebody added since the plan has not been looked at.
            foreign=digest_of(plan.foreign & foreign_fields(live["metadata"], MANAGER)),
            kept=plan.kept,
        )

    def _delete_first(self, plan: ObjectPlan) -> None:
        desired = plan.wanted
        live = self._work.client.get(desired.path)
        if live is None:
            return
        uid = live["metadata"]["uid"]
        self._work.client.delete(desired.path, uid=uid)
        left = self._waiter.until_gone({desired.path: uid}, 60)
        if left:
            raise ActError("SLW-4103", f"{desired.id} has to be recreated and does not go away within 60 s")

    def _patiently(self, desired: Desired, payload: Json, *, force: bool) -> Json:
        """Retry what passes by itself: an API that appears shortly after its CRD, a webhook that starts up."""
        started = time.monotonic()
        pause = 0.05
        while True:
            try:
                return self._work.client.apply(desired.path, payload, manager=MANAGER, force=force, accept=METADATA)
            except ApiError as exc:
                passed = time.monotonic() - started
                new_api = exc.status == 404 and passed < _NEW_API_GRACE
                webhook = exc.webhook_unavailable and passed < _WEBHOOK_GRACE
                if not new_api and not webhook:
                    raise _refused(desired, exc) from exc
            time.sleep(pause)
            pause = min(pause * 2, 1.0)


def _stage(desired: Desired) -> int:
    """Ranks that need not wait for each other share a stage: what pods refer to, then pods, then the rest."""
    rank = desired.rank
    if rank in (NAMESPACES, CRDS):
        return rank
    return rank if rank >= WORKLOADS else CRDS + 1


def _refused(desired: Desired, exc: ApiError) -> ActError:
    if exc.field_conflicts:
        causes = "; ".join(f"{c.field} ({c.message})" for c in exc.field_conflicts)
        return ActError("SLW-4002", f"{desired.id} was changed by others since the plan: {causes}", "run again")
    if exc.webhook_unavailable:
        return ActError("SLW-4003", f"{desired.id}: {exc.api_message}", "is the add-on behind this webhook ready?")
    return ActError("SLW-4004", f"{desired.id} was refused: {exc.api_message}")
