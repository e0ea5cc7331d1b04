# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Run the hooks of one event as Helm does: by weight and name, one after the other, each until it has completed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..kube.errors import ApiError
from ..kube.objects import Json, ObjectId
from ..kube.readiness import State, assess
from .applying import Applier, new_entry
from .desired import Desired, prepare_one
from .errors import ActError
from .hooks import BEFORE_CREATION, FAILED, HOOK, SUCCEEDED, Hook, hooks_for
from .model import Addon, Wait
from .observe import addon_of, owner_of
from .plan import ObjectPlan, Op
from .record import LABEL_NAME, ObjectState, RecordedObject
from .waiting import Waiter
from .work import Progress, Work

_COMPLETES = ("Job", "Pod")
NEVER_BY_POLICY = ("CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim")
"""Helm spares CRDs too; the others hold what cannot be made again."""


class HookRunner:
    """``done`` holds the hooks of an interrupted run of the same operation: one that has completed, or goes on by
    itself, does not run twice."""

    def __init__(
        self,
        work: Work,
        waiter: Waiter,
        addon: Addon,
        progress: Progress,
        done: dict[ObjectId, RecordedObject],
        save: Callable[[RecordedObject], None],
    ) -> None:
        self._work = work
        self._waiter = waiter
        self._addon = addon
        self._progress = progress
        self._done = done
        self._save = save

    def run(self, hooks: Iterable[Hook], event: str) -> None:
        """Raises ``ActError`` SLW-4201 with the reason when a hook fails; later hooks are not begun."""
        over: list[Desired] = []
        for hook in hooks_for(hooks, event):
            desired = prepare_one(
                self._addon, hook.object, self._work.observed.discovery, self._work.observed.name, hook=True
            )
            if desired is None:
                kind = f"{hook.object['apiVersion']} {hook.kind}"
                raise ActError("SLW-4202", f"hook {hook.name} of {self._addon.name}: nobody serves {kind}")
            digest = self._work.observed.digester.of([event, desired.body])
            known = self._done.get(desired.id)
            begun = known is not None and known.digest == digest
            entry = replace(new_entry(desired), digest=digest)
            if not (begun and known and known.state is ObjectState.LIVE and self._stands(hook, desired)):
                self._progress("hook", f"{event} {hook.kind} {hook.name}")
                self._one(hook, entry, desired, event, begun=begun)
                # Before the deletion: once the object is gone, nothing but the record tells that it has run.
                self._save(replace(entry, state=ObjectState.LIVE))
            if SUCCEEDED in hook.delete_policies:
                over.append(desired)
        # Not one by one: a Job among the hooks may run as a ServiceAccount that is a hook too.
        for desired in reversed(over):
            self._delete(desired)

    def _stands(self, hook: Hook, desired: Desired) -> bool:
        """Whether what an interrupted run completed still serves: a Job has run, other kinds must be there."""
        return hook.kind in _COMPLETES or self._work.client.get(desired.path) is not None

    def _one(self, hook: Hook, entry: RecordedObject, desired: Desired, event: str, *, begun: bool) -> None:
        if BEFORE_CREATION in hook.delete_policies and not (begun and self._goes_on(desired)):
            self._delete(desired)
        self._save(entry)
        live = self._work.client.get(desired.path)
        if live is not None:
            self._refuse_foreign(desired, live)
        applier = Applier(self._work, self._waiter, self._addon.name)
        applier.apply(ObjectPlan(Op.CREATE, desired.id, desired, None, desired.body, force=True))
        if hook.kind in _COMPLETES:
            wait = Wait(timeout=self._addon.wait.timeout or 300)
            try:
                self._waiter.until_ready(self._addon.name, [desired], wait)
            except ActError as exc:
                if FAILED in hook.delete_policies:
                    self._delete(desired)
                raise ActError("SLW-4201", f"{event} hook {hook.name}: {exc.message}", exc.advice) from exc

    def _refuse_foreign(self, desired: Desired, live: Json) -> None:
        """A hook of Helm's own run of this release is ours to replace: it carries the release's annotation or none
        of anybody; a hook that another add-on, or a user, made is not."""
        meta = live["metadata"]
        notes = meta.get("annotations") or {}
        helm = notes.get(HOOK) is not None and not (meta.get("labels") or {}).get(LABEL_NAME)
        if addon_of(meta, self._work.observed.name) != self._addon.name and not helm:
            raise ActError(
                "SLW-3201",
                f"hook {desired.id} of {self._addon.name} would replace an object that belongs to {owner_of(meta)}",
                "nothing foreign is touched: rename one of them",
            )

    def _goes_on(self, desired: Desired) -> bool:
        """Whether what the interrupted run started is there, and has not failed."""
        live = self._work.client.get(desired.path)
        return live is not None and assess(live).state not in (State.FAILED, State.TERMINATING)

    def _delete(self, desired: Desired) -> None:
        """Only what this add-on made, and never what holds data or others' objects: not by policy, not by name."""
        live = self._work.client.get(desired.path)
        if live is None or desired.id.kind in NEVER_BY_POLICY:
            return
        self._refuse_foreign(desired, live)
        uid = live["metadata"]["uid"]
        try:
            self._work.client.delete(desired.path, uid=uid)
        except ApiError as exc:
            raise ActError("SLW-4203", f"hook {desired.id} cannot be deleted: {exc.api_message}") from exc
        if self._waiter.until_gone({desired.path: uid}, 60):
            raise ActError("SLW-4203", f"hook {desired.id} does not go away within 60 s")
