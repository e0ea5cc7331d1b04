# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who else lives in a namespace: it may be deleted only when nobody does."""

from __future__ import annotations

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import API_SERVICE, Json, ObjectId, Resource
from .observe import Observed, in_parallel
from .record import LABEL_RECORD

# Made by the cluster itself in every namespace, or gone with what they describe.
_FURNITURE = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
_SHADOWS = ("Event", "Endpoints", "PodMetrics")


def foreign_objects(
    client: Client, observed: Observed, namespace: str, going: set[ObjectId], releases: set[str]
) -> list[str]:
    """Objects in ``namespace`` that are not in ``going``, in words; what has an owner goes with its owner, and
    Helm's Secrets with their ``releases`` (names)."""

    def look(resource: Resource) -> list[str]:
        try:
            items = client.list(resource.collection(namespace), metadata=True)
        except ApiError as exc:
            if exc.status in (403, 404, 405, 503):
                return []
            raise
        return [
            f"{resource.kind} {item['metadata']['name']}"
            for item in items
            if not _goes(resource, item["metadata"], going, releases)
        ]

    kinds = [r for r in observed.discovery.listable(namespaced=True) if r.kind not in _SHADOWS]
    return sorted(name for part in in_parallel(look, kinds) for name in part)


def _goes(resource: Resource, metadata: Json, going: set[ObjectId], releases: set[str]) -> bool:
    name = metadata["name"]
    if (resource.kind, name) in _FURNITURE or metadata.get("deletionTimestamp"):
        return True
    if ObjectId(resource.group, resource.kind, metadata.get("namespace", ""), name) in going:
        return True
    if metadata.get("ownerReferences"):
        return True
    labels = metadata.get("labels") or {}
    helm = labels.get("owner") == "helm" and labels.get("name") in releases
    return resource.kind == "Secret" and (helm or labels.get(LABEL_RECORD) == "key")


def blocking_api_services(client: Client) -> list[str]:
    """APIServices that do not answer: while there is one, no namespace can be deleted."""
    found: list[str] = []
    for item in client.list(API_SERVICE.collection()):
        found += [
            f"{item['metadata']['name']}: {condition.get('message', '')}"
            for condition in (item.get("status") or {}).get("conditions") or []
            if condition.get("type") == "Available" and condition.get("status") == "False"
        ]
    return found
