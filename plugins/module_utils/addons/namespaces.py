# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who else lives in a namespace: it may be deleted only when nobody does."""

from __future__ import annotations

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import API_SERVICE, Json, ObjectId, Resource, split_api_version
from .observe import Observed, in_parallel
from .record import LABEL_RECORD

# Made by the cluster itself in every namespace, or gone with what they describe.
_FURNITURE = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
_SHADOWS = ("Event", "Endpoints", "PodMetrics")


def foreign_objects(
    client: Client, observed: Observed, namespace: str, going: set[ObjectId], releases: set[str]
) -> list[str]:
    """Objects in ``namespace`` that are not in ``going``, in words; what has an owner goes with its owner, and
    Helm's Secrets with their ``releases`` (names). What may not be looked at counts as foreign."""
    unseen: list[str] = []

    def look(resource: Resource) -> list[str]:
        try:
            items = client.list(resource.collection(namespace), metadata=True)
        except ApiError as exc:
            if exc.status == 403:
                unseen.append(resource.plural)
            if exc.status in (403, 404, 405, 503):
                return []
            raise
        return [
            f"{resource.kind} {item['metadata']['name']}"
            for item in items
            if not _goes(observed, resource, item["metadata"], going, releases)
        ]

    kinds = [r for r in observed.discovery.listable(namespaced=True) if r.kind not in _SHADOWS]
    found = sorted(name for part in in_parallel(look, kinds) for name in part)
    return [*found, f"{len(unseen)} kinds that may not be listed"] if unseen else found


def _goes(observed: Observed, resource: Resource, metadata: Json, going: set[ObjectId], releases: set[str]) -> bool:
    name = metadata["name"]
    if (resource.kind, name) in _FURNITURE or metadata.get("deletionTimestamp"):
        return True
    if ObjectId(resource.group, resource.kind, metadata.get("namespace", ""), name) in going:
        return True
    if any(_owner_goes(observed, ref, going) for ref in metadata.get("ownerReferences") or []):
        return True
    labels = metadata.get("labels") or {}
    helm = labels.get("owner") == "helm" and labels.get("name") in releases
    return resource.kind == "Secret" and (helm or labels.get(LABEL_RECORD) == "key")


def _owner_goes(observed: Observed, reference: Json, going: set[ObjectId]) -> bool:
    """An owner in the namespace is judged itself. One outside stays when the namespace goes, unless it goes too."""
    group = split_api_version(str(reference.get("apiVersion", "")))[0]
    kind = str(reference.get("kind", ""))
    resource = observed.discovery.preferred(group, kind)
    if resource is not None and resource.namespaced:
        return True
    return ObjectId(group, kind, "", str(reference.get("name", ""))) in going


def blocking_api_services(client: Client) -> list[str]:
    """APIServices that do not answer: while there is one, no namespace can be deleted."""
    found: list[str] = []
    try:
        items = client.list(API_SERVICE.collection())
    except ApiError as exc:
        if exc.status != 403:
            raise
        return []
    for item in items:
        found += [
            f"{item['metadata']['name']}: {condition.get('message', '')}"
            for condition in (item.get("status") or {}).get("conditions") or []
            if condition.get("type") == "Available" and condition.get("status") == "False"
        ]
    return found
