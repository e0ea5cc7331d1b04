# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Plan what is wanted: for every selected add-on an ``AddonPlan``, from what was written and what was seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..kube.additions import digest_of, foreign_fields
from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import Json, ObjectId, crd_resources, is_crd
from ..kube.ownership import entry_hash
from .adoption import adopting, as_adopted
from .answers import Answers, Decisions
from .belonging import foreign, given_away, moved_elsewhere, not_ours
from .desired import CRDS, MANAGER, NAMESPACES, Desired
from .diff import diff_values
from .examine import Examined, examine
from .graph import layers
from .late import outline
from .masking import Masker, mask_paths, rendered_secrets, secret_strings
from .model import Addon, ChartSource
from .newcomers import Newcomers
from .observe import Observed, addon_of, denied_is_none, in_parallel, of_release
from .pinning import pin_random
from .plan import NO_RIGHT, Action, AddonPlan, Drift, ObjectPlan, Op
from .record import ObjectState, RecordedObject, ReleaseState
from .rendering import Renderer, Rendering, crd_edges
from .takeover import HELM, entries_of
from .verdict import conclude, told_otherwise

_NEVER_PRUNED = ("PersistentVolumeClaim", "PersistentVolume", "CustomResourceDefinition", "Namespace")


class Planner:
    """Reads only: dry runs are the one kind of write request it makes."""

    def __init__(
        self,
        client: Client,
        observed: Observed,
        renderer: Renderer,
        decisions: Decisions,
        secrets: Iterable[str] = (),
    ) -> None:
        self._client = client
        self._observed = observed
        self._renderer = renderer
        self._decisions = decisions
        self._secrets = tuple(secrets)
        self._shared: dict[ObjectId, str] = {}
        self._newcomers = Newcomers(client, observed)

    def plan(self, addons: Iterable[Addon]) -> list[AddonPlan]:
        chosen = list(addons)
        moved = {addon.name: self._moved(addon) for addon in chosen}
        work = self._renderer.run(chosen, {name: bool(ids) for name, ids in moved.items()})
        edges = crd_edges(work.values())
        self._newcomers.look(work.values())
        # Who comes first in the graph applies what several add-ons render, whatever their order in the manifest.
        order = [name for step in layers({a.name: a.depends for a in chosen}) for name in step]
        planned = {name: self._one(work[name], moved[name]) for name in order}
        plans = [planned[addon.name] for addon in chosen]
        for plan in plans:
            extra = edges.get(plan.name, set()) - set(plan.depends)
            plan.depends = (*plan.depends, *sorted(extra))
        _mark_unverified(plans)
        return plans

    def again(self, addon: Addon, secrets: Iterable[str]) -> AddonPlan:
        """Plan one add-on once more, with other values; ``secrets`` are all that are known by now."""
        self._secrets = tuple(secrets)
        # Others have been at work since: what was not there may be there, and is asked for one by one.
        self._observed = replace(self._observed, namespaces=None)
        self._newcomers = Newcomers(self._client, self._observed)
        (plan,) = self.plan([addon])
        return plan

    def _moved(self, addon: Addon) -> set[ObjectId]:
        """Recorded objects that are not as we left them: gone, recreated, or a field of ours changed hands.

        A release that Helm changed behind our back is told by an id of its own.
        """
        record = self._observed.records.get(addon.name)
        if record is None:
            return set()
        moved = {obj.id for obj in record.objects if not obj.hook and self._has_moved(obj)}
        if record.drift != addon.drift_digest:
            # Told otherwise about drift: what was settled by the old rules may be open by the new ones.
            moved |= {obj.id for obj in record.objects if not obj.hook}
        if told_otherwise(addon, record):
            moved.add(ObjectId("", "ConfigMap", record.namespace, f"record {addon.name}"))
        release = self._observed.releases.get((record.namespace, record.release))
        if record.revision and (release is None or release.revision != record.revision or release.status != "deployed"):
            moved.add(ObjectId("", "Secret", record.namespace, f"release {record.release}"))
            # What Helm adds to an object changes nothing of ours: all are looked at.
            moved |= {obj.id for obj in record.objects if not obj.hook}
        return moved

    def _has_moved(self, obj: RecordedObject) -> bool:
        live = self._observed.live.get(obj.id)
        if obj.state is ObjectState.PENDING or live is None:
            return True
        if not obj.digest:
            # Used by this release, not applied by it.
            return False
        if not obj.uid:
            return False
        return (
            live.get("uid") != obj.uid
            or entry_hash(live, MANAGER) != obj.entry
            or digest_of(foreign_fields(live, MANAGER)) != obj.foreign
        )

    def examined(self, work: Rendering) -> AddonPlan:
        """What it takes to get from what is there to ``work``, wherever that comes from."""
        return self._one(work, self._moved(work.addon), proposing=False)

    def _one(self, work: Rendering, moved: set[ObjectId], *, proposing: bool = True) -> AddonPlan:
        addon = work.addon
        record = self._observed.records.get(addon.name)
        plan = AddonPlan(
            addon.name,
            Action.UNCHANGED,
            "as written",
            addon.position,
            version_from=record.version if record else "",
            version_to=work.rendered.version if work.rendered else (record.version if record else ""),
            depends=addon.depends,
            addon=addon,
            rendered=work.rendered,
            record=record,
            inputs=work.inputs,
            is_upgrade=work.is_upgrade,
        )
        if addon.unknown:
            self._outlined(plan, work)
            return plan
        if work.rendered is None or work.desired is None:
            return plan
        elsewhere = given_away(addon, record) or moved_elsewhere(self._observed, addon, record)
        if elsewhere:
            plan.problems.append(elsewhere)
            conclude(plan, work)
            return plan
        self._release_state(plan)
        desired, notes = pin_random(work.desired, work.rendered, addon.namespace, self._live)
        plan.notes += notes
        if work.rendered.blind:
            plan.notes.append(work.rendered.blindness)
        self._objects(plan, desired, moved)
        self._values(plan)
        conclude(plan, work)
        if plan.adoptions and proposing:
            plan.proposal = self._renderer.propose(work, plan.adoptions)
        return plan

    def _outlined(self, plan: AddonPlan, work: Rendering) -> None:
        elsewhere = moved_elsewhere(self._observed, plan.wanted, plan.record)
        plan.problems += [elsewhere] if elsewhere else []
        self._release_state(plan)
        if plan.rendered is not None:
            self._values(plan)
        for desired in work.desired or ():
            if desired.rank in (NAMESPACES, CRDS) and not desired.bare:
                self._first(plan, desired)
        recorded = plan.record.objects if plan.record else ()
        moved = {obj.id for obj in recorded if not obj.hook and self._has_moved(obj)}
        outline(plan, work, self._observed, moved)

    def _release_state(self, plan: AddonPlan) -> None:
        addon, record = plan.addon, plan.record
        if addon is None or not isinstance(addon.source, ChartSource):
            return
        release = self._observed.releases.get((addon.namespace, addon.release))
        plan.release_revision = release.revision if release else 0
        if release is None:
            if record and record.revision and record.state is ReleaseState.APPLIED:
                plan.stale_release = "its release is gone from Helm's storage (helm uninstall?)"
        elif record is None:
            if not addon.adopt:
                plan.problems.append(foreign(addon, f"Helm release {release.namespace}/{release.name}", release))
        elif release.revision != record.revision and record.state is ReleaseState.APPLIED:
            if release.status == "deployed":
                what = f"revision {record.revision} -> {release.revision}"
                plan.drift.append(Drift(f"release {release.name}", "revision", record.revision, release.revision,
                                        "helm", "", self._decisions.answers(addon).mode, what))  # fmt: skip
            else:
                plan.stale_release = f"Helm left revision {release.revision} {release.status}"
        elif release.status != "deployed" and record.state is ReleaseState.APPLIED:
            plan.stale_release = f"Helm left revision {release.revision} {release.status}"

    def _objects(self, plan: AddonPlan, desired: list[Desired], moved: set[ObjectId]) -> None:
        addon = plan.wanted
        recorded = plan.record.by_id() if plan.record else {}
        looked = in_parallel(lambda d: self._object(plan, addon, d, recorded.get(d.id), moved), desired)
        for examined in looked:
            plan.objects.append(examined.plan)
            plan.drift += examined.drift
            plan.adoptions += examined.adoptions
            plan.problems += [replace(f, position=addon.position) for f in examined.blocked]
        wanted = {d.id for d in desired}
        for obj in plan.record.objects if plan.record else ():
            if obj.id not in wanted and not obj.hook:
                plan.objects.append(self._leftover(obj))
        plan.notes += [
            f"{o.id} is no longer in the source and stays: {o.note}" for o in plan.objects if o.op is Op.KEEP
        ]

    def _object(
        self, plan: AddonPlan, addon: Addon, desired: Desired, recorded: RecordedObject | None, moved: set[ObjectId]
    ) -> Examined:
        nothing = Examined(ObjectPlan(Op.NONE, desired.id, desired, recorded, desired.body))
        if desired.bare:
            return self._release_namespace(desired, recorded)
        if desired.rank in (NAMESPACES, CRDS):
            first = self._first(plan, desired)
            if first != addon.name:
                note = f"applied by {first}"
                return Examined(ObjectPlan(Op.SHARED, desired.id, desired, recorded, desired.body, note=note))
        digest = self._observed.digester.of(desired.body)
        known = recorded if recorded and self._observed.live.get(desired.id) else None
        # With the same inputs the same is wanted, whatever a chart makes of the time, of chance, or of the cluster.
        # What a failed or killed run left is not trusted: its record still names the inputs of the run before.
        record = plan.record
        same = record is not None and record.state is ReleaseState.APPLIED and record.inputs == plan.inputs
        if known and desired.id not in moved and (same or known.digest == digest):
            return nothing
        try:
            return self._look(plan, addon, desired, recorded, known)
        except ApiError as exc:
            if exc.status != 403:
                raise
            op = Op.CREATE if known is None else Op.CHANGE
            item = ObjectPlan(
                op, desired.id, desired, recorded, desired.body, unverified=f"{NO_RIGHT}: {exc.api_message}"
            )
            return Examined(item)

    def _live(self, desired: Desired) -> Json | None:
        """What may not be read is judged by the look at the object itself."""
        return denied_is_none(lambda: self._client.get(desired.path))

    def _first(self, plan: AddonPlan, desired: Desired) -> str:
        """Who applies an object that several add-ons may render; the others go after that one."""
        first = self._shared.setdefault(desired.id, self._writer(desired.id, plan.name))
        if first != plan.name:
            plan.depends = (*plan.depends, first)
        return first

    def _writer(self, identity: ObjectId, asking: str) -> str:
        """Who applies what several add-ons render: the one whose record says that it did, else the one that asks."""
        writers = [
            name
            for name, record in sorted(self._observed.records.items())
            for obj in record.objects
            if obj.id == identity and obj.digest
        ]
        return asking if asking in writers or not writers else writers[0]

    def _look(
        self,
        plan: AddonPlan,
        addon: Addon,
        desired: Desired,
        recorded: RecordedObject | None,
        known: RecordedObject | None,
    ) -> Examined:
        create = Examined(ObjectPlan(Op.CREATE, desired.id, desired, recorded, desired.body))
        if known is None:
            existing = self._newcomers.existing(desired)
            if existing is None:
                if recorded and recorded.state is ObjectState.LIVE:
                    create.plan = replace(create.plan, note="was deleted")
                return create
            blocked = not_ours(self._observed, addon, desired, existing)
            if blocked:
                return Examined(create.plan, blocked=[blocked])
        live = self._client.get(desired.path)
        if live is None:
            return create
        ours = addon_of(live["metadata"], self._observed.name) == addon.name
        of_ours = plan.release_revision > 0 and of_release(live["metadata"], addon.namespace, addon.release)
        # Somebody may have taken our label off, or made the object anew: the record still says that it is ours.
        decided = ours or known is not None or (of_ours and plan.record is not None)
        answers = self._decisions.answers(addon)
        if not decided:
            answers = adopting(addon, answers, of_release=of_ours)
        examined = examine(self._client, desired, known, live, answers, self._observed.digester)
        if not ours and known is None:
            as_adopted(examined, live, of_release=of_ours, explicit=addon.adopt)
        if of_ours and not examined.blocked and (plan.record is None or plan.helm_was_here):
            _take_helm_s(examined, live, answers)
        return examined

    def _release_namespace(self, desired: Desired, recorded: RecordedObject | None) -> Examined:
        name = desired.id.name
        known = self._observed.namespaces
        meta = known.get(name) if known is not None else (self._client.get(desired.path) or {}).get("metadata")
        if meta is None or meta.get("deletionTimestamp"):
            note = "is being deleted: waited for, then made anew" if meta else ""
            return Examined(ObjectPlan(Op.CREATE, desired.id, desired, recorded, desired.body, note=note))
        return Examined(ObjectPlan(Op.SHARED, desired.id, desired, recorded, desired.body, note="is there"))

    def _leftover(self, obj: RecordedObject) -> ObjectPlan:
        live = self._observed.live.get(obj.id)
        if live is None:
            return ObjectPlan(Op.DELETE, obj.id, recorded=obj, note="is gone already")
        if obj.keep or obj.preexisting or obj.kind in _NEVER_PRUNED:
            why = "pre-existing" if obj.preexisting else "resource-policy: keep" if obj.keep else "never pruned"
            return ObjectPlan(Op.KEEP, obj.id, recorded=obj, note=why)
        return ObjectPlan(Op.DELETE, obj.id, recorded=obj, note="no longer in the source")

    def _values(self, plan: AddonPlan) -> None:
        """Masked by what this add-on alone makes secret, so that the next run masks the same and sees no change."""
        addon = plan.wanted
        masker = Masker(self._secrets)
        for obj in rendered_secrets(plan.output):
            masker.add(secret_strings(obj))
        plan.shown_values = masker.value(mask_paths(addon.values, addon.secret_paths))
        if plan.record is not None:
            plan.values = diff_values(plan.record.values, plan.shown_values, addon.origins)


def _take_helm_s(examined: Examined, live: Json, answers: Answers) -> None:
    """Where our answer is to overwrite, what Helm holds becomes ours: else it would be a conflict at every change."""
    if answers.mode != "overwrite" or not entries_of(live["metadata"], HELM):
        return
    op = examined.plan.op
    if op in (Op.NONE, Op.RETAKE, Op.REMEMBER):
        op = Op.CHANGE if examined.plan.fields else Op.RETAKE
    examined.plan = replace(examined.plan, op=op, take_over=HELM, force=True)


def _mark_unverified(plans: Iterable[AddonPlan]) -> None:
    """What nobody can try before the run: objects whose CRD is made by it."""
    arriving: dict[tuple[str, str], str] = {}
    for plan in plans:
        for item in plan.objects:
            if item.op is Op.CREATE and item.desired and is_crd(item.desired.body):
                for resource in crd_resources(item.desired.body):
                    arriving[resource.group, resource.kind] = item.id.name
    for plan in plans:
        waiting: set[str] = set()
        for index, item in enumerate(plan.objects):
            crd = arriving.get((item.id.group, item.id.kind))
            if item.op is Op.CREATE and crd:
                plan.objects[index] = replace(item, unverified=f"CRD {crd} arrives in this run")
                waiting.add(crd)
        plan.notes += [f"unverified: CRD {crd} arrives in this run" for crd in sorted(waiting)]
