# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Plan the removal of add-ons from their records: what goes, in which order, and what stays and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..kube.client import METADATA, Client
from ..kube.errors import ApiError
from ..kube.objects import NAMESPACE, PV, PVC, Json, ObjectId, crd_resources
from .consent import Consent, check_removal, removal_edges, removal_order
from .desired import CREATED_BY, CUSTOM, KEEP_POLICY, rank_of
from .errors import ConsentError
from .namespaces import Inhabitants
from .observe import Observed, denied_is_none, in_parallel
from .plan import Action, AddonPlan, ObjectPlan, Op
from .pruning import may_delete
from .record import LABEL_NAME, Record, RecordedObject

CLAIM = "volume of a StatefulSet"
VOLUME = "goes with its claim"


class RemovalPlanner:
    """``still_wanted`` are the add-ons that the manifest still names."""

    def __init__(self, client: Client, observed: Observed, consent: Consent, still_wanted: Iterable[str]) -> None:
        self._client = client
        self._observed = observed
        self._consent = consent
        self._still_wanted = set(still_wanted)
        self._releases: set[tuple[str, str]] = set()
        self._inhabitants = Inhabitants(client, observed, ())

    def plan(self, names: Iterable[str], reason: str) -> list[AddonPlan]:
        """Raises ``ConsentError`` before anything is planned that is needed, protected, or miscounted."""
        records = self._observed.records
        chosen = list(names)
        check_removal(chosen, records, self._consent)
        edges = removal_edges(chosen, records)
        going = {obj.id for name in chosen for obj in records[name].objects}
        charts = [records[name] for name in chosen if records[name].source == "chart"]
        self._releases = {(record.namespace, record.release) for record in charts}
        claims = {name: self._claims(records[name]) for name in chosen}
        going |= {claim.id for found in claims.values() for claim in found if claim.op is Op.DELETE}
        order = removal_order(chosen, records)
        plans = [self._one(records[n], reason, edges[n], going, set(chosen), claims[n]) for n in order]
        going = going.union(*(plan.destroys for plan in plans if plan.name in self._consent.crds))
        namespaces = {o.id.name for plan in plans for o in plan.objects if o.id.kind == "Namespace"}
        self._inhabitants = Inhabitants(self._client, self._observed, namespaces)
        for plan in plans:
            self._namespaces(plan, going, self._elsewhere(plan.name, set(chosen)))
        return plans

    def _one(
        self,
        record: Record,
        reason: str,
        before: set[str],
        going: set[ObjectId],
        chosen: set[str],
        claims: list[ObjectPlan],
    ) -> AddonPlan:
        plan = AddonPlan(
            record.addon,
            Action.REMOVE,
            reason,
            version_from=record.version,
            record=record,
            depends=tuple(sorted(before)),
        )
        if record.addon in self._still_wanted:
            plan.notes.append("still in the manifest: the next install brings it back (enabled: false keeps it away)")
        elsewhere = self._elsewhere(record.addon, chosen)
        ordered = sorted((o for o in record.objects), key=lambda o: _order(o, record))
        plan.objects = in_parallel(lambda o: self._object(record, o, elsewhere), ordered)
        plan.objects += claims
        self._owned_claims(plan, claims)
        self._volumes(plan)
        self._crds(plan, record, going)
        return plan

    def _elsewhere(self, addon: str, chosen: set[str]) -> Mapping[ObjectId, str]:
        """Objects that an add-on which stays lists too."""
        return {
            obj.id: other.addon
            for other in self._observed.records.values()
            if other.addon != addon and other.addon not in chosen
            for obj in other.objects
        }

    def _object(self, record: Record, obj: RecordedObject, elsewhere: Mapping[ObjectId, str]) -> ObjectPlan:
        def keep(why: str) -> ObjectPlan:
            return ObjectPlan(Op.KEEP, obj.id, recorded=obj, note=why)

        if obj.kind == "Namespace" and not obj.group:
            return keep("decided below")
        live = self._metadata(obj)
        if live is None:
            return ObjectPlan(Op.NONE, obj.id, recorded=obj, note="is gone already")
        if obj.id in elsewhere:
            return keep(f"still provided by {elsewhere[obj.id]}")
        reason = may_delete(live, obj, record.addon, self._observed.name)
        if reason:
            return keep(reason)
        if obj.preexisting and record.addon not in self._consent.kept:
            return keep("was there before it was adopted")
        if obj.kind == "CustomResourceDefinition":
            return ObjectPlan(Op.DELETE, obj.id, recorded=obj) if record.addon in self._consent.crds else keep("CRD")
        marked = (live["metadata"].get("annotations") or {}).get(KEEP_POLICY) == "keep"
        if (obj.keep or marked) and record.addon not in self._consent.kept:
            return keep("helm.sh/resource-policy: keep")
        if obj.kind in ("PersistentVolumeClaim", "PersistentVolume") and record.addon not in self._consent.pvcs:
            return keep("volume")
        return ObjectPlan(Op.DELETE, obj.id, recorded=obj)

    def _metadata(self, obj: RecordedObject) -> Json | None:
        """Seen by the look that this plan is made from; hooks are not part of it."""
        if obj.hook:
            return self._client.get(obj.path, accept=METADATA)
        seen = self._observed.live.get(obj.id)
        return {"metadata": seen} if seen is not None else None

    def _claims(self, record: Record) -> list[ObjectPlan]:
        """Claims that StatefulSets made: nobody's objects, but this add-on's data."""
        found = []
        for obj in record.objects:
            if obj.kind != "StatefulSet":
                continue
            live = self._client.get(obj.path)
            for metadata in claims_of(self._client, live) if live else ():
                identity = ObjectId("", "PersistentVolumeClaim", metadata["namespace"], metadata["name"])
                entry = _claim_entry(metadata)
                if record.addon in self._consent.pvcs:
                    found.append(ObjectPlan(Op.DELETE, identity, recorded=entry, note=CLAIM))
                else:
                    found.append(ObjectPlan(Op.KEEP, identity, recorded=entry, note=CLAIM))
        return found

    def _owned_claims(self, plan: AddonPlan, claims: list[ObjectPlan]) -> None:
        """Volumes that an object of ours owns (an operator made them for it) are collected with their owner."""
        known = {claim.id.name for claim in claims}
        goes = {o.recorded.uid: o.id for o in plan.objects if o.op is Op.DELETE and o.recorded and o.recorded.uid}
        for namespace in sorted({i.namespace for i in goes.values() if i.namespace}):
            for metadata in _listed_claims(self._client, namespace):
                owners = [goes[r["uid"]] for r in metadata.get("ownerReferences") or [] if r.get("uid") in goes]
                if not owners or metadata["name"] in known:
                    continue
                if plan.name in self._consent.pvcs:
                    # Not left to the collector: it does not know a kind whose CRD has gone.
                    entry = _claim_entry(metadata)
                    plan.objects.append(ObjectPlan(Op.DELETE, entry.id, recorded=entry, note=CLAIM))
                else:
                    raise ConsentError(
                        "SLW-5007",
                        f"add-on {plan.name}: PersistentVolumeClaim {namespace}/{metadata['name']} goes with its owner "
                        f"{owners[0]}",
                        f"consent to that: -e slipway_remove_pvcs={plan.name}; or take its ownerReference off",
                    )

    def _volumes(self, plan: AddonPlan) -> None:
        """What is bound to a claim stays with it; a volume may also outlive its claim."""
        known = {item.id for item in plan.objects}
        for item in list(plan.objects):
            mine = item.op is Op.DELETE or item.note in ("volume", CLAIM)
            if item.id.kind != "PersistentVolumeClaim" or item.op is Op.NONE or not mine:
                continue
            claim = self._client.get(PVC.path(item.id.namespace, item.id.name)) or {}
            volume = ObjectId("", "PersistentVolume", "", str((claim.get("spec") or {}).get("volumeName") or ""))
            if not volume.name or volume in known:
                continue
            if item.op is Op.KEEP:
                plan.objects.append(ObjectPlan(Op.KEEP, volume, note=f"bound to {item.id}"))
                continue
            live = denied_is_none(lambda name=volume.name: self._client.get(PV.path("", name)))  # type: ignore[misc]
            if live is not None and (live.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Retain":
                plan.objects.append(ObjectPlan(Op.KEEP, volume, note="reclaimPolicy: Retain"))
            elif live is not None:
                entry = RecordedObject(
                    "", "v1", PV.kind, PV.plural, False, "", volume.name, uid=live["metadata"]["uid"]
                )
                plan.objects.append(ObjectPlan(Op.NONE, volume, recorded=entry, note=VOLUME))

    def _crds(self, plan: AddonPlan, record: Record, going: set[ObjectId]) -> None:
        """A CRD takes every object of its kind with it: the consent must name how many are foreign."""
        foreign = 0
        for item in list(plan.objects):
            goes = item.op is Op.DELETE or (item.op is Op.KEEP and item.note == "CRD")
            if item.id.kind != "CustomResourceDefinition" or not goes or not item.recorded:
                continue
            for metadata, resource_id in custom_resources(self._client, item.recorded):
                if resource_id not in going:
                    foreign += 1
                    plan.destroys.add(resource_id)
                    if record.addon in self._consent.crds:
                        plan.notes.append(f"destroys {resource_id} (made by {_makers(metadata)})")
        consented = self._consent.crds.get(record.addon)
        has_crds = any(o.id.kind == "CustomResourceDefinition" and o.op is not Op.NONE for o in plan.objects)
        if has_crds and consented is not None and consented != foreign:
            raise ConsentError(
                "SLW-5004",
                f"add-on {record.addon}: removing its CRDs destroys {foreign} foreign custom resources, "
                f"slipway_remove_crds says {consented}",
                f'consent to exactly that: -e \'{{"slipway_remove_crds": {{"{record.addon}": {foreign}}}}}\'',
            )
        if has_crds and consented is None:
            plan.notes.append(f"CRDs kept; removing them would destroy {foreign} foreign custom resources "
                              f"(consent: slipway_remove_crds={{{record.addon}: {foreign}}})")  # fmt: skip

    def _namespaces(self, plan: AddonPlan, going: set[ObjectId], elsewhere: Mapping[ObjectId, str]) -> None:
        kept = {o.id for o in plan.objects if o.op is Op.KEEP}
        for index, item in enumerate(plan.objects):
            if item.id.kind != "Namespace":
                continue
            live = self._namespace(item.id.name)
            if live is None:
                plan.objects[index] = ObjectPlan(Op.NONE, item.id, recorded=item.recorded, note="is gone already")
                continue
            why = ""
            if item.id in elsewhere:
                why = f"still used by {elsewhere[item.id]}"
            elif not self._made_by_us(live, item.id):
                plan.objects[index] = ObjectPlan(Op.NONE, item.id, recorded=item.recorded, note="was there before")
                continue
            else:
                releases = {release for namespace, release in self._releases if namespace == item.id.name}
                others = self._inhabitants.others(item.id.name, going - kept, releases)
                if others:
                    why = f"{len(others)} other object{'' if len(others) == 1 else 's'}: {_some(others)}"
            op = Op.KEEP if why else Op.DELETE
            plan.objects[index] = ObjectPlan(op, item.id, recorded=item.recorded, note=why)

    def _namespace(self, name: str) -> Json | None:
        if self._observed.namespaces is not None:
            return self._observed.namespaces.get(name)
        live = self._client.get(NAMESPACE.path("", name), accept=METADATA)
        return live["metadata"] if live else None

    def _made_by_us(self, metadata: Json, identity: ObjectId) -> bool:
        """Created for a release, or rendered by an add-on that did not find it there."""
        if (metadata.get("annotations") or {}).get(CREATED_BY) == self._observed.name:
            return True
        found_there = any(
            obj.preexisting for r in self._observed.records.values() for obj in r.objects if obj.id == identity
        )
        return (metadata.get("labels") or {}).get(LABEL_NAME) == self._observed.name and not found_there


def claims_of(client: Client, stateful_set: Json) -> list[Json]:
    """Metadata of the claims that a StatefulSet's controller made from its templates: their names are fixed, and
    nobody else's claim counts, whatever its name and labels."""
    meta, spec = stateful_set["metadata"], stateful_set.get("spec") or {}
    prefixes = [f"{t['metadata']['name']}-{meta['name']}-" for t in spec.get("volumeClaimTemplates") or []]
    if not prefixes:
        return []
    controllers = {e.get("manager") for e in meta.get("managedFields") or [] if e.get("subresource") == "status"}
    return [
        m
        for m in _listed_claims(client, meta["namespace"])
        if any(m["name"].startswith(p) and m["name"][len(p) :].isdigit() for p in prefixes)
        and _creator(m) in controllers
    ]


def _listed_claims(client: Client, namespace: str) -> list[Json]:
    """Metadata of all claims of a namespace; none where they may not be listed."""
    try:
        return [item["metadata"] for item in client.list(PVC.collection(namespace), metadata=True)]
    except ApiError as exc:
        if exc.status != 403:
            raise
        return []


def _creator(claim: Json) -> str:
    """Who wrote what only the creation of a claim can say."""
    for entry in claim.get("managedFields") or []:
        if "f:accessModes" in ((entry.get("fieldsV1") or {}).get("f:spec") or {}):
            return str(entry.get("manager"))
    return ""


def custom_resources(client: Client, crd: RecordedObject) -> list[tuple[Json, ObjectId]]:
    """Metadata of every object of the kinds that a CRD serves."""
    live = client.get(crd.path)
    served = crd_resources(live) if live else []
    if not served:
        return []
    resource = served[0]
    try:
        items = client.list(resource.collection(), metadata=True)
    except ApiError as exc:
        if exc.status == 404:
            return []
        raise
    found = []
    for metadata in (item["metadata"] for item in items):
        identity = ObjectId(resource.group, resource.kind, metadata.get("namespace", ""), metadata["name"])
        found.append((metadata, identity))
    return found


def _claim_entry(metadata: Json) -> RecordedObject:
    return RecordedObject(
        "", "v1", "PersistentVolumeClaim", PVC.plural, True, metadata["namespace"], metadata["name"],
        uid=metadata["uid"],
    )  # fmt: skip


def _order(obj: RecordedObject, record: Record) -> tuple[int, int, ObjectId]:
    """What must see its operator alive goes first, then the way back of the creation."""
    first = obj.kind in record.remove_first or rank_of(obj.id) == CUSTOM
    return (0 if first else 1, -rank_of(obj.id), obj.id)


def _makers(metadata: Json) -> str:
    return ", ".join(sorted({str(e.get("manager")) for e in metadata.get("managedFields") or []})) or "unknown"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
