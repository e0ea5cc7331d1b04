# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Forget an add-on without deleting anything: the way back from an adoption, and out of Slipway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..kube.client import METADATA, Client
from ..kube.errors import ApiError
from ..kube.objects import SECRET, ObjectId
from .desired import CREATED_BY
from .errors import ActError, FindingsError
from .finding import Finding, Position
from .handover import Heir, hand_over, heir_of, held_by_us
from .names import did_you_mean
from .observe import Observed, in_parallel, owner_of
from .plan import Action, AddonPlan, ObjectPlan, Op
from .record import LABEL_NAME, Record, RecordedObject, ReleaseState
from .revisions import Revisions
from .storage import ReleaseStorage
from .work import Progress, Work

_WHOLE = (ReleaseState.APPLIED, ReleaseState.DISOWNING)


def names_to_disown(
    names: Sequence[str], removed: Iterable[str], records: Mapping[str, Record], manifest: Iterable[str]
) -> list[str]:
    """The named add-ons that are there, in order. Raises ``FindingsError``: SLW-3411, SLW-3412, SLW-3414."""
    known, both = {*records, *manifest}, set(removed)
    findings = []
    for name in dict.fromkeys(names):
        record = records.get(name)
        if name not in known:
            advice = did_you_mean(name, known) or f"known: {', '.join(sorted(known)) or 'none'}"
            findings.append(_refused(name, "SLW-3411", "there is no such add-on here", advice))
        elif name in both:
            findings.append(_refused(name, "SLW-3414", "it is to be removed, too", "name it in one of the two"))
        elif record is not None and (record.hooks or record.state not in _WHOLE):
            message = f"it has an unfinished run of {record.who} at {record.when} ({record.state.value})"
            advice = "end it first: install, rollback or remove; half an add-on is of no use to anybody"
            findings.append(_refused(name, "SLW-3412", message, advice))
    if findings:
        raise FindingsError(findings)
    return [name for name in dict.fromkeys(names) if name in records]


def _refused(name: str, code: str, message: str, advice: str) -> Finding:
    return Finding(code, message, ("slipway_disown", name), Position("option slipway_disown"), advice=advice)


class DisownPlanner:
    """``still_wanted`` are the add-ons that the manifest still names."""

    def __init__(self, client: Client, observed: Observed, still_wanted: Iterable[str]) -> None:
        self._client = client
        self._observed = observed
        self._still_wanted = set(still_wanted)

    def plan(self, names: Sequence[str]) -> list[AddonPlan]:
        return [self._one(self._observed.records[name], set(names)) for name in names]

    def _one(self, record: Record, going: set[str]) -> AddonPlan:
        elsewhere = {
            obj.id: other.addon
            for other in self._observed.records.values()
            if other.addon not in going
            for obj in other.objects
        }
        plan = AddonPlan(record.addon, Action.DISOWN, "", version_from=record.version, record=record)
        plan.objects = in_parallel(lambda obj: self._object(record, obj, elsewhere), record.objects)
        count = sum(1 for item in plan.objects if item.op is Op.HAND_OVER)
        plan.reason = f"{count} object{'' if count == 1 else 's'} stay{'s' if count == 1 else ''}, nothing is deleted"
        if record.addon in self._still_wanted:
            plan.notes.append("still in the manifest: from then on somebody else's there, until adopt: true")
        return plan

    def _object(self, record: Record, obj: RecordedObject, elsewhere: Mapping[ObjectId, str]) -> ObjectPlan:
        live = self._client.get(obj.path, accept=METADATA)
        if live is None:
            return ObjectPlan(Op.NONE, obj.id, recorded=obj, note="is gone already")
        meta = live["metadata"]
        if obj.uid and meta.get("uid") != obj.uid:
            return ObjectPlan(Op.NONE, obj.id, recorded=obj, note="is another object now")
        if obj.id in elsewhere:
            return ObjectPlan(Op.KEEP, obj.id, recorded=obj, note=f"goes on with {elsewhere[obj.id]}")
        labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
        name = self._observed.name
        if labels.get(LABEL_NAME) not in (None, name):
            return ObjectPlan(Op.NONE, obj.id, recorded=obj, note=f"belongs to {owner_of(meta)}")
        if not labels.get(LABEL_NAME) and notes.get(CREATED_BY) != name and not held_by_us(meta):
            return ObjectPlan(Op.NONE, obj.id, recorded=obj, note="was never ours")
        return ObjectPlan(Op.HAND_OVER, obj.id, recorded=obj, note=f"to {heir_of(obj, meta, record.source)}")


class Disowner:
    """One add-on, once. The record says what was begun, and goes last."""

    def __init__(self, work: Work, plan: AddonPlan) -> None:
        self._work = work
        self._plan = plan
        self._record = plan.known
        self._progress = Progress(work, plan.name)

    def run(self) -> None:
        """Raises ``ActError`` SLW-3415 naming every object that could not be handed over; the next run goes on."""
        self._progress("disowning", self._record.version)
        begun = replace(self._record, state=ReleaseState.DISOWNING, who=self._work.who, when=self._work.now())
        self._work.store.save(begun)
        objects = [item.known for item in self._plan.objects if item.op is Op.HAND_OVER]
        problems = [p for p in self._work.pool.map(self._hand_over, objects) if p]
        if problems:
            listed = "\n    ".join(problems)
            raise ActError(
                "SLW-3415",
                f"add-on {self._plan.name}: not all of it could be handed over:\n    {listed}",
                "mend that and run again",
            )
        self._release()
        Revisions(self._work.client, self._work.observed, self._work.store.namespace, self._plan.name).forget()
        self._work.store.drop(self._plan.name)
        self._progress("disowned", self._plan.reason)

    def _hand_over(self, obj: RecordedObject) -> str:
        client = self._work.client
        try:
            live = client.get(obj.path, accept=METADATA)
            if live is not None:
                hand_over(client, obj.path, heir_of(obj, live["metadata"], self._record.source))
        except ApiError as exc:
            return f"{obj.id}: {exc.api_message}"
        return ""

    def _release(self) -> None:
        """Helm writes its storage as it likes; only our marks are taken off."""
        record = self._record
        if not record.revision:
            return
        for metadata in ReleaseStorage(
            self._work.client, record.release, record.namespace, record.revision
        ).revisions():
            hand_over(self._work.client, SECRET.path(record.namespace, metadata["name"]), Heir("Helm", "Update"))
