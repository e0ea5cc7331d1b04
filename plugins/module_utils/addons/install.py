# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Carry out one add-on's plan: install, upgrade, repair, adopt. The record frames every write."""

from __future__ import annotations

from dataclasses import replace

from ..kube.errors import KubeError
from ..kube.objects import ObjectId
from .applying import Applier, pending_objects
from .errors import EngineError
from .hooking import HookRunner
from .model import Addon
from .plan import Action, AddonPlan, Op
from .pruning import prune
from .record import ObjectState, Record, RecordedObject, ReleaseState
from .revisions import remember
from .segments import acted, begun
from .smoke.run import Smoke
from .sources.render import Rendered
from .waiting import Waiter
from .work import Progress, Work


class Installer:
    """One add-on, once. ``run`` raises the typed errors of this room; the record then says what is certain."""

    def __init__(self, work: Work, waiter: Waiter, plan: AddonPlan) -> None:
        self._work = work
        self._waiter = waiter
        self._plan = plan
        self._addon: Addon = plan.wanted
        self._rendered: Rendered = plan.output
        self._progress = Progress(work, plan.name)
        self._applier = Applier(work, waiter, plan.name)
        self._record = self._first_record()

    def run(self) -> None:
        if self._plan.action in (Action.REFRESH, Action.FINISH):
            self._refresh()
            return
        self._progress("started", self._summary())
        self._work.store.save(self._record)
        try:
            self._steps()
        except (EngineError, KubeError):
            self._leave_behind()
            raise
        self._progress("ready", self._ready_text())

    def _steps(self) -> None:
        previous = self._plan.record
        installed = previous is not None and bool(previous.inputs)
        # Adopting what Helm runs is an upgrade: install hooks would make its data anew. A run that goes on after a
        # death may find a release too, its own: then the record says what was begun.
        adopting = previous.upgraded if previous else self._plan.release_revision > 0
        upgrade = self._record.revision > 0 or installed or adopting
        event = "rollback" if self._plan.action is Action.ROLLBACK else "upgrade" if upgrade else "install"
        before, after = f"pre-{event}", f"post-{event}"
        hooks = HookRunner(self._work, self._waiter, self._addon, self._progress, self._hooks_done(), self._save_hook)
        hooked = self._plan.action is not Action.REPAIR
        if hooked and any(before in hook.events for hook in self._rendered.hooks):
            # Hooks may use the namespace and the CRDs; Helm has them there as well.
            early = [o for o in self._plan.objects if o.id.kind in ("Namespace", "CustomResourceDefinition")]
            self._applier.apply_all(early)
            hooks.run(self._rendered.hooks, before)
        rest = [o for o in self._plan.objects if o.id not in self._applier.confirmed]
        self._applier.apply_all(rest)
        if self._addon.wait.timeout:
            waited = [o.desired for o in self._plan.objects if o.desired and o.op is not Op.SHARED]
            self._waiter.until_ready(
                self._plan.name, waited, self._addon.wait, lambda text: self._progress("waiting", text)
            )
        if hooked:
            hooks.run(self._rendered.hooks, after)
        self._smoke()
        gone = prune(self._work, self._waiter, self._plan, self._progress)
        self._finish(gone)

    def _smoke(self) -> None:
        """Before anything of the version before goes, and before the record says that all is well: what fails here is
        tried again by the next run."""
        smoke = Smoke(self._work.client, self._work.observed.discovery, self._work.observed.name)
        for check in self._plan.checks:
            self._progress("smoke", check.capability)
            smoke.run(self._addon, check, lambda text: self._progress("waiting", text))

    def _finish(self, gone: set[ObjectId]) -> None:
        record = remember(self._work, self._plan, self._with_confirmed().without_objects(gone))
        self._work.store.save(
            replace(
                record,
                state=ReleaseState.APPLIED,
                inputs=self._plan.inputs,
                hooks=acted(self._plan),
                who=self._work.who,
                when=self._work.now(),
            )
        )

    def _refresh(self) -> None:
        """The objects are as they should be; only what we remember of them is brought up to date."""
        self._applier.apply_all(self._plan.objects)
        previous = self._plan.known
        record = replace(self._with_confirmed(), state=ReleaseState.APPLIED, inputs=self._plan.inputs)
        self._work.store.save(replace(record, hooks=acted(self._plan), who=previous.who, when=previous.when))

    def _leave_behind(self) -> None:
        """What is certain goes into the record; when even that fails, the pending record of the start stands."""
        try:
            self._work.store.save(self._with_confirmed())
        except KubeError:
            return

    def _with_confirmed(self) -> Record:
        return self._record.with_objects(self._applier.confirmed)

    def _save_hook(self, entry: RecordedObject) -> None:
        self._record = self._with_confirmed().with_objects({entry.id: entry})
        self._work.store.save(self._record)

    def _hooks_done(self) -> dict[ObjectId, RecordedObject]:
        previous = self._plan.record
        if previous is None or previous.state is not ReleaseState.PENDING:
            return {}
        return {obj.id: obj for obj in previous.objects if obj.hook}

    def _first_record(self) -> Record:
        addon, rendered, previous = self._addon, self._rendered, self._plan.record
        known = dict(previous.by_id()) if previous else {}
        if previous and previous.state is ReleaseState.APPLIED:
            # Without the digest: a Job that an earlier operation left is not the one of this operation.
            known = {i: replace(o, state=ObjectState.PENDING, digest="") if o.hook else o for i, o in known.items()}
        return Record(
            addon=addon.name,
            release=addon.release,
            namespace=addon.namespace,
            source=type(addon.source).__name__.removesuffix("Source").lower(),
            state=ReleaseState.PENDING,
            inputs=previous.inputs if previous else "",
            version=rendered.version,
            app_version=rendered.app_version,
            revision=previous.revision if previous else 0,
            history=previous.history if previous else 0,
            gated=rendered.gated,
            upgraded=self._plan.is_upgrade,
            identity=rendered.identity,
            values=self._plan.shown_values,
            provides=addon.provides,
            requires=addon.requires,
            depends=tuple(self._plan.depends),
            protected=addon.protected,
            drift=addon.drift_digest,
            store_values=addon.store_values,
            remove_first=addon.remove.first,
            remove_timeout=addon.remove.timeout,
            who=self._work.who,
            when=self._work.now(),
            objects=tuple(pending_objects(self._plan.objects, known)),
            hooks=begun(self._plan),
        )

    def _summary(self) -> str:
        plan = self._plan
        version = plan.version_to
        if plan.version_from and plan.version_from != plan.version_to:
            version = f"{plan.version_from} -> {plan.version_to}"
        return f"{plan.action.value} {version}".strip()

    def _ready_text(self) -> str:
        count = len(self._applier.confirmed)
        return f"{count} object{'' if count == 1 else 's'} applied"
