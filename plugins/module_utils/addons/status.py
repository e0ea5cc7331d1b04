# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is there: every recorded add-on with its health, and what changed hands since we applied it.

Read-only. It renders and dry-runs what moved, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..kube.additions import digest_of, foreign_fields
from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import Json, ObjectId, Resource
from ..kube.ownership import entry_hash
from ..kube.readiness import assess
from .behind import is_behind
from .desired import MANAGER
from .model import Addon, Wait
from .observe import Observed, in_parallel
from .plan import AddonPlan, Drift
from .record import Record, RecordedObject, ReleaseState
from .waiting import waited_for


@dataclass(frozen=True)
class AddonStatus:
    """One add-on. ``state``: applied, pending (a run began and did not end), removing, missing (in the manifest,
    not on the cluster) or dropped (on the cluster, no longer in the manifest). ``problems`` say what is not ready;
    ``moved`` are objects that are gone or hold fields that somebody took from us; ``drift`` says which, where the
    manifest still has the add-on and it could be looked at. ``offered`` is the catalog's version of its chart."""

    name: str
    state: str
    version: str = ""
    namespace: str = ""
    revision: int = 0
    objects: int = 0
    problems: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()
    who: str = ""
    when: str = ""
    offered: str = ""

    @property
    def behind(self) -> bool:
        """Whether the catalog has a newer chart than the one that is installed."""
        return is_behind(self.version, self.offered)

    @property
    def healthy(self) -> bool:
        return self.state == "applied" and not self.problems


@dataclass
class Status:
    """All add-ons of one ``slipway_name``, sorted by name."""

    name: str
    cluster: str
    version: str
    addons: list[AddonStatus]
    limits: list[str] = field(default_factory=list)

    @property
    def conditions(self) -> tuple[str, ...]:
        """``changes``, ``drift``, both or none: the result is the strongest, and what is not ready hides neither."""
        changes = any(a.state != "applied" for a in self.addons)
        drift = any(a.moved for a in self.addons)
        return tuple(name for name, holds in (("changes", changes), ("drift", drift)) if holds)

    @property
    def result(self) -> str:
        """``error`` (something is not ready), ``changes`` (not as in the manifest), ``drift`` or ``unchanged``."""
        if any(a.problems for a in self.addons):
            return "error"
        return next(iter(self.conditions), "unchanged")


def status(
    client: Client, observed: Observed, wanted: Mapping[str, Addon], drift: Callable[[list[Addon]], list[AddonPlan]]
) -> Status:
    """``wanted`` is the manifest: it tells what is missing or dropped, and how to judge custom resources.

    ``drift`` plans the add-ons that moved, and is not called when none did.
    """
    live = _full(client, list(observed.records.values()))
    found = [_one(observed, record, wanted.get(record.addon), live) for record in observed.records.values()]
    found += [
        AddonStatus(addon.name, "missing", namespace=addon.namespace)
        for addon in wanted.values()
        if addon.name not in observed.records
    ]
    moved = [wanted[a.name] for a in found if a.moved and a.name in wanted]
    explained = {plan.name: tuple(plan.drift) for plan in (drift(moved) if moved else [])}
    found = [replace(a, drift=explained.get(a.name, ())) for a in found]
    ordered = sorted(found, key=lambda a: a.name)
    return Status(observed.name, observed.uid, observed.version, ordered, observed.limits)


def _one(observed: Observed, record: Record, addon: Addon | None, live: Mapping[ObjectId, Json]) -> AddonStatus:
    state = record.state.value
    if addon is None and record.state is ReleaseState.APPLIED:
        state = "dropped"
    elif record.hooks is not None and record.state is ReleaseState.APPLIED:
        state = "pending"
    wait = addon.wait if addon else Wait(load_balancer="optional")
    judged = {o.id: assess(live[o.id], conditions=wait.conditions, load_balancer=wait.load_balancer)
              for o in record.objects if o.id in live}  # fmt: skip
    return AddonStatus(
        record.addon,
        state,
        record.version,
        record.namespace,
        record.revision,
        sum(1 for o in record.objects if not o.hook),
        tuple(f"{i}: {v.message or v.state.value}" for i, v in sorted(judged.items()) if not v.ready),
        tuple(_moved(observed, record.objects)),
        who=record.who,
        when=record.when,
        offered=addon.offered if addon else "",
    )


def _moved(observed: Observed, objects: Sequence[RecordedObject]) -> list[str]:
    found = []
    for obj in objects:
        if obj.hook:
            continue
        metadata = observed.live.get(obj.id)
        if metadata is None:
            found.append(f"{obj.id}: is gone")
        elif obj.uid and metadata.get("uid") != obj.uid:
            found.append(f"{obj.id}: was deleted and created by somebody")
        elif obj.digest and entry_hash(metadata, MANAGER) != obj.entry:
            found.append(f"{obj.id}: fields changed hands")
        elif obj.digest and digest_of(foreign_fields(metadata, MANAGER)) != obj.foreign:
            found.append(f"{obj.id}: fields were added")
    return found


def _full(client: Client, records: Sequence[Record]) -> dict[ObjectId, Json]:
    """The full objects of kinds that can be anything but ready: by one list for each kind, or one by one where they
    may not be listed."""
    wanted: dict[Resource, set[ObjectId]] = {}
    for record in records:
        for obj in record.objects:
            if not obj.hook and waited_for(obj.id):
                wanted.setdefault(obj.resource, set()).add(obj.id)

    def look(resource: Resource) -> dict[ObjectId, Json]:
        try:
            items = client.list(resource.collection())
        except ApiError as exc:
            if exc.status == 404:
                return {}
            if exc.status != 403:
                raise
            items = [i for i in (client.get(resource.path(w.namespace, w.name)) for w in wanted[resource]) if i]
        ids = ((ObjectId(resource.group, resource.kind, i["metadata"].get("namespace", ""), i["metadata"]["name"]), i)
               for i in items)  # fmt: skip
        return {identity: item for identity, item in ids if identity in wanted[resource]}

    found: dict[ObjectId, Json] = {}
    for part in in_parallel(look, sorted(wanted, key=lambda r: (r.group, r.kind))):
        found.update(part)
    return found
