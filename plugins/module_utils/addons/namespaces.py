# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who else lives in a namespace: it may be deleted only when nobody does."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from ..kube.client import Client
from ..kube.errors import ApiError
from ..kube.objects import API_SERVICE, Json, ObjectId, Resource, split_api_version
from .observe import Observed, in_parallel
from .record import LABEL_RECORD

# Made by the cluster itself in every namespace, or gone with what they describe.
_FURNITURE = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
_FEW = 2
_SHADOWS = ("Event", "Endpoints", "PodMetrics")


class Inhabitants:
    """Who lives in ``namespaces``, as of the first question: few lists for many namespaces."""

    def __init__(self, client: Client, observed: Observed, namespaces: Iterable[str]) -> None:
        self._client = client
        self._observed = observed
        self._namespaces = set(namespaces)
        self._lock = Lock()
        self._seen: dict[str, list[tuple[Resource, Json]]] | None = None
        self._lock_unseen = Lock()
        self._unseen: dict[str, int] = {}

    def others(self, namespace: str, going: set[ObjectId], releases: set[str]) -> list[str]:
        """Objects in ``namespace`` that are not in ``going``, in words; what has an owner goes with its owner, and
        Helm's Secrets with their ``releases`` (names). What may not be looked at counts as foreign."""
        with self._lock:
            if self._seen is None:
                self._seen = self._look()
        found = sorted(
            f"{resource.kind} {metadata['name']}"
            for resource, metadata in self._seen.get(namespace, ())
            if not _goes(self._observed, resource, metadata, going, releases)
        )
        unseen = self._unseen.get(namespace, 0)
        return [*found, f"{unseen} kinds that may not be listed"] if unseen else found

    def _look(self) -> dict[str, list[tuple[Resource, Json]]]:
        kinds = [r for r in self._observed.discovery.listable(namespaced=True) if r.kind not in _SHADOWS]
        seen: dict[str, list[tuple[Resource, Json]]] = {}
        for resource, items in zip(kinds, in_parallel(self._of_kind, kinds), strict=True):
            for item in items:
                seen.setdefault(item["metadata"]["namespace"], []).append((resource, item["metadata"]))
        return seen

    def _of_kind(self, resource: Resource) -> list[Json]:
        if len(self._namespaces) > _FEW:
            found = self._list(resource.collection())
            if found is not None:
                return [item for item in found if item["metadata"].get("namespace") in self._namespaces]
        parts: list[Json] = []
        for namespace in sorted(self._namespaces):
            found = self._list(resource.collection(namespace))
            if found is None:
                with self._lock_unseen:
                    self._unseen[namespace] = self._unseen.get(namespace, 0) + 1
            parts += found or []
        return parts

    def _list(self, path: str) -> list[Json] | None:
        """None where this credential may not look."""
        try:
            return self._client.list(path, metadata=True)
        except ApiError as exc:
            if exc.status == 403:
                return None
            if exc.status in (404, 405, 503):
                return []
            raise


def _goes(observed: Observed, resource: Resource, metadata: Json, going: set[ObjectId], releases: set[str]) -> bool:
    name = metadata["name"]
    if (resource.kind, name) in _FURNITURE or metadata.get("deletionTimestamp"):
        return True
    if ObjectId(resource.group, resource.kind, metadata.get("namespace", ""), name) in going:
        return True
    if any(_owner_goes(observed, ref, going) for ref in metadata.get("ownerReferences") or []):
        return True
    labels = metadata.get("labels") or {}
    if labels.get(LABEL_RECORD) == "access":
        # What lets a plan read here: it is cleared away when there is nothing to read any more.
        return True
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
