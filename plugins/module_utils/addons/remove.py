# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Carry out a removal: operators outlive their custom resources, and afterwards it is verified to be gone."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

from ..kube.errors import ApiError, KubeError
from ..kube.objects import NAMESPACE, Json, ObjectId
from .consent import Consent
from .desired import CUSTOM, WEBHOOKS, rank_of
from .errors import ActError, EngineError
from .hooking import NEVER_BY_POLICY, HookRunner
from .hooks import Hook
from .model import Addon, ChartSource, Wait
from .namespaces import Inhabitants, blocking_api_services
from .plan import AddonPlan, ObjectPlan, Op
from .pruning import delete, find, may_delete
from .record import ObjectState, Record, RecordedObject, ReleaseState
from .removal import CLAIM, VOLUME, claims_of, custom_resources
from .revisions import Revisions
from .segments import acted, begun
from .storage import ReleaseStorage
from .stored import hooks_of
from .waiting import Waiter, stuck_lines
from .work import Progress, Work


@dataclass(frozen=True)
class _Asked:
    """What came of asking for a deletion: ``gone``, ``kept`` (why), going (its ``uid``), or an ``error``."""

    plan: ObjectPlan
    recorded: RecordedObject
    gone: bool = False
    kept: str = ""
    uid: str = ""
    error: EngineError | KubeError | None = None


class Remover:
    """One add-on, once. What is confirmed to be gone leaves the record, and the record itself goes last."""

    def __init__(self, work: Work, waiter: Waiter, plan: AddonPlan, consent: Consent) -> None:
        self._work = work
        self._waiter = waiter
        self._plan = plan
        self._consent = consent
        self._record: Record = replace(plan.known, state=ReleaseState.REMOVING, hooks=begun(plan))
        self._progress = Progress(work, plan.name)
        self._deadline = time.monotonic() + self._record.remove_timeout
        self.kept: list[str] = [f"{o.id}: {o.note}" for o in plan.objects if o.op is Op.KEEP]

    def run(self) -> None:
        """Everything but the namespaces: dependents' order is kept, and nobody waits for a namespace to empty."""
        self._progress("removing", self._record.version)
        self._save_first()
        try:
            self._steps()
        except (EngineError, KubeError):
            self._leave_behind()
            raise

    def _save_first(self) -> None:
        """Our own dead webhook may refuse even the record: it is in the record already, and goes first."""
        try:
            self._work.store.save(self._record)
        except ApiError as exc:
            webhooks = [o for o in self._plan.objects if o.op is Op.DELETE and rank_of(o.id) == WEBHOOKS]
            if not exc.webhook_unavailable or not webhooks:
                raise
            self._delete_all(webhooks)
            self._work.store.save(self._record)

    def finish(self, inhabitants: Inhabitants, later: Container[ObjectId]) -> None:
        """Namespaces that nobody else uses, then the record. Called when all removals have ended, but for those that
        wait for hooks: what is in ``later`` is left to them."""
        self._namespaces(inhabitants, later)
        Revisions(self._work.client, self._work.observed, self._work.store.namespace, self._plan.name).forget()
        left = acted(self._plan)
        if left is None:
            self._work.store.drop(self._plan.name)
        else:
            self._work.store.save(replace(self._record, objects=(), inputs="", revision=0, hooks=left))
        self._progress("removed", f"{len(self.kept)} kept" if self.kept else "")

    def _steps(self) -> None:
        hooks = list(self._hooks())
        runner = HookRunner(self._work, self._waiter, self._stub(), self._progress, self._done(), self._save_hook)
        runner.run(hooks, "pre-delete")
        goes = [o for o in self._plan.objects if o.op is Op.DELETE and o.recorded and o.id.kind != "Namespace"]
        crds = [o for o in goes if o.id.kind == "CustomResourceDefinition"]
        hooked = [o for o in goes if o.recorded and o.recorded.hook]
        rest = [o for o in goes if o not in crds and o not in hooked]
        first = [o for o in rest if o.id.kind in self._record.remove_first or rank_of(o.id) == CUSTOM]
        webhooks = [o for o in rest if o not in first and rank_of(o.id) == WEBHOOKS]
        last = [o for o in rest if o not in first and o not in webhooks]
        claims = self._claims_to_delete()
        self._delete_all(first, webhooks)
        self._foreign_custom_resources(crds)
        self._delete_all(webhooks)
        self._delete_all(last)
        self._delete_all(claims)
        self._released()
        self._delete_all(crds)
        runner.run(hooks, "post-delete")
        self._delete_all(self._hook_leftovers())
        if self._record.source == "chart":
            record = self._record
            storage = ReleaseStorage(self._work.client, record.release, record.namespace, record.revision)
            storage.forget(only_ours=not self._record.revision)

    def _delete_all(self, plans: Iterable[ObjectPlan], webhooks: Sequence[ObjectPlan] = ()) -> None:
        """Delete and wait. When our own dead webhook refuses the deletion, it goes first (it has nobody to ask)."""
        wanted = list(plans)
        asked = list(self._work.pool.map(self._ask, wanted))
        refused = [a for a in asked if a.error]
        if refused and webhooks and all(_by_webhook(a.error) for a in refused):
            self._delete_all(webhooks)
            asked = [self._ask(a.plan) if a.error else a for a in asked]
        self._forget({a.plan.id for a in asked if a.gone})
        self.kept += [f"{a.plan.id}: {a.kept}" for a in asked if a.kept]
        for one in asked:
            if one.error:
                raise one.error
        waiting = {a.recorded.path: a.uid for a in asked if a.uid}
        entries = {a.recorded.path: a.recorded for a in asked if a.uid}
        if any(a.gone for a in asked) or waiting:
            self._progress("deleting", _counted(a.recorded for a in asked if not a.kept))
        left = self._waiter.until_gone(waiting, max(1.0, self._deadline - time.monotonic()))
        self._forget({entry.id for path, entry in entries.items() if path not in left})
        if left:
            self._stuck(list(left.values()))

    def _ask(self, plan: ObjectPlan) -> _Asked:
        """Ask for one deletion. Errors are kept, so that those of others are asked for all the same."""
        recorded, live = find(self._work, plan.known)
        if live is None:
            return _Asked(plan, recorded, gone=True)
        reason = "" if plan.note == CLAIM else self._why_not(live, recorded)
        if reason:
            return _Asked(plan, recorded, kept=reason)
        try:
            going = delete(self._work, recorded, live, with_claims=self._plan.name in self._consent.pvcs)
        except (EngineError, KubeError) as exc:
            return _Asked(plan, recorded, error=exc)
        return _Asked(plan, recorded, gone=not going, uid=live["metadata"]["uid"] if going else "")

    def _released(self) -> None:
        """Volumes that their provisioner deletes after their claims."""
        volumes = {o.recorded.path: o for o in self._plan.objects if o.note == VOLUME and o.recorded}
        uids = {path: o.recorded.uid for path, o in volumes.items() if o.recorded}
        left = self._waiter.until_gone(uids, min(30.0, max(1.0, self._deadline - time.monotonic())))
        self.kept += [f"{volumes[path].id}: its provisioner has not deleted it yet" for path in left]

    def _why_not(self, live: Json, recorded: RecordedObject) -> str:
        return may_delete(live, recorded, self._plan.name, self._work.observed.name)

    def _stuck(self, left: list[Json]) -> None:
        lines = "\n    ".join(stuck_lines(self._work.client, left))
        raise ActError(
            "SLW-5101",
            f"add-on {self._plan.name}: not gone after {self._record.remove_timeout} s:\n    {lines}",
            "the record keeps what is left: mend it and remove again",
        )

    def _claims_to_delete(self) -> list[ObjectPlan]:
        """Looked up while their StatefulSets still stand."""
        if self._plan.name not in self._consent.pvcs:
            return []
        planned = {o.id: o for o in self._plan.objects if o.note == CLAIM and o.op is Op.DELETE}
        for obj in self._record.objects:
            live = self._work.client.get(obj.path) if obj.kind == "StatefulSet" else None
            for metadata in claims_of(self._work.client, live) if live else ():
                identity = ObjectId("", "PersistentVolumeClaim", metadata["namespace"], metadata["name"])
                if identity in planned:
                    continue
                self.kept.append(f"{identity}: appeared after the plan")
        return list(planned.values())

    def _foreign_custom_resources(self, crds: list[ObjectPlan]) -> None:
        """While the operator is alive, so that it can clean up behind them."""
        waiting: dict[str, str] = {}
        left_over: list[Json] = []
        for plan in crds:
            for metadata, identity in custom_resources(self._work.client, plan.known):
                self._consented(identity)
                resource = self._work.observed.discovery.preferred(identity.group, identity.kind)
                if resource is None:
                    continue
                path = resource.path(identity.namespace, identity.name)
                self._work.client.delete(path, uid=metadata["uid"])
                waiting[path] = metadata["uid"]
        if waiting:
            self._progress("deleting", f"{len(waiting)} custom resources of others, by consent")
            left_over = list(self._waiter.until_gone(waiting, max(1.0, self._deadline - time.monotonic())).values())
        if left_over:
            self._stuck(left_over)

    def _consented(self, identity: ObjectId) -> None:
        """The consent named a number: what came after the plan is not in it."""
        ours = any(identity in record.by_id() for record in self._work.observed.records.values())
        if identity not in self._plan.destroys and not ours:
            raise ActError(
                "SLW-5004",
                f"add-on {self._plan.name}: {identity} appeared after the plan, and would be destroyed with its CRD",
                "remove again: the plan then counts it",
            )

    def _namespaces(self, inhabitants: Inhabitants, later: Container[ObjectId]) -> None:
        waiting: dict[str, str] = {}
        for plan in self._plan.objects:
            if plan.id.kind != "Namespace" or plan.op is not Op.DELETE or plan.id in later:
                continue
            path = NAMESPACE.path("", plan.id.name)
            live = self._work.client.get(path)
            if live is None:
                continue
            gone = {o.id for o in self._plan.objects if o.op is Op.DELETE and not o.id.namespace}
            others = inhabitants.others(plan.id.name, gone, set())
            if others:
                self.kept.append(f"{plan.id}: {len(others)} other objects: {', '.join(others[:3])}")
                continue
            self._no_dead_api(plan.id.name)
            if not live["metadata"].get("deletionTimestamp"):
                self._work.client.delete(path, uid=live["metadata"]["uid"])
            waiting[path] = live["metadata"]["uid"]
        left = self._waiter.until_gone(waiting, max(10.0, self._deadline - time.monotonic()))
        if left:
            self._stuck(list(left.values()))

    def _no_dead_api(self, namespace: str) -> None:
        blocking = blocking_api_services(self._work.client)
        if blocking:
            raise ActError(
                "SLW-5102",
                f"namespace {namespace} cannot go while an APIService does not answer: {'; '.join(blocking)}",
                "mend or delete that APIService, then remove again",
            )

    def _hooks(self) -> Iterable[Hook]:
        """From the release's own Secret: they may hold secret values, which the record never does."""
        record = self._record
        if not record.revision:
            return
        storage = ReleaseStorage(self._work.client, record.release, record.namespace, record.revision)
        yield from hooks_of(storage.read(record.revision) or {})

    def _hook_leftovers(self) -> list[ObjectPlan]:
        """Hooks that the plan lets go, and those that this removal itself has run."""
        planned = {o.id: o.op for o in self._plan.objects}
        return [
            ObjectPlan(Op.DELETE, o.id, recorded=o)
            for o in self._record.objects
            if o.hook and planned.get(o.id, Op.DELETE) is Op.DELETE and o.kind not in NEVER_BY_POLICY
        ]

    def _stub(self) -> Addon:
        return Addon(
            self._plan.name,
            ChartSource(),
            self._record.namespace,
            self._record.release,
            wait=Wait(timeout=self._record.remove_timeout),
        )

    def _done(self) -> dict[ObjectId, RecordedObject]:
        resumed = self._plan.record is not None and self._plan.record.state is ReleaseState.REMOVING
        return {o.id: o for o in self._record.objects if o.hook and o.state is ObjectState.LIVE} if resumed else {}

    def _save_hook(self, entry: RecordedObject) -> None:
        self._record = self._record.with_objects({entry.id: entry})
        self._work.store.save(self._record)

    def _forget(self, ids: set[ObjectId]) -> None:
        self._record = self._record.without_objects(ids)

    def _leave_behind(self) -> None:
        try:
            self._work.store.save(self._record)
        except KubeError:
            return


def _by_webhook(error: EngineError | KubeError | None) -> bool:
    cause = error.__cause__ if error else None
    return isinstance(cause, ApiError) and cause.webhook_unavailable


def _counted(entries: Iterable[RecordedObject]) -> str:
    kinds: dict[str, int] = {}
    for entry in entries:
        kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
