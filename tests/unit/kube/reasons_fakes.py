# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An API that is a list of objects, and the objects that the reasons of a failed wait are read from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError

Object = dict[str, Any]
NOW = datetime(2026, 1, 2, 3, 10, 0, tzinfo=UTC)
"""Five minutes after every object was created."""
BORN = "2026-01-02T03:05:00Z"


class Api:
    """A reader with canned answers. ``refused`` paths answer 403; ``events`` are filtered as the API does."""

    def __init__(self, *objects: Object, logs: str | None = None, refused: str = "") -> None:
        self.objects = objects
        self.logs = logs
        self.refused = refused
        self.calls: list[tuple[str, dict[str, str]]] = []

    def get(self, path: str, query: dict[str, str] | None = None) -> Object | None:
        self.calls.append((path, query or {}))
        if self.refused and self.refused in path:
            raise ApiError(403, "Forbidden", "no", (), f"GET {path}")
        plural = path.rpartition("/")[2]
        kinds = {"pods": "Pod", "events": "Event", "storageclasses": "StorageClass"}
        if plural in kinds:
            return {"items": [o for o in self.objects if o["kind"] == kinds[plural] and _matches(o, query or {})]}
        kind = {"persistentvolumeclaims": "PersistentVolumeClaim", "storageclasses": "StorageClass"}[
            path.split("/")[-2]
        ]
        return next((o for o in self.objects if (o["kind"], o["metadata"].get("name")) == (kind, plural)), None)

    def text(self, path: str, query: dict[str, str] | None = None) -> str | None:
        self.calls.append((path, query or {}))
        return self.logs


def _matches(obj: Object, query: dict[str, str]) -> bool:
    if "fieldSelector" in query:
        wanted = dict(part.split("=") for part in query["fieldSelector"].split(","))
        seen = obj["involvedObject"]
        return (seen["kind"], seen["name"]) == (wanted["involvedObject.kind"], wanted["involvedObject.name"])
    labels = obj["metadata"].get("labels", {})
    pairs = [part.split("=") for part in query.get("labelSelector", "").split(",") if "=" in part]
    return all(labels.get(key) == value for key, value in pairs)


def make(version: str, kind: str, name: str, **parts: Any) -> Object:
    metadata = {"name": name, "namespace": "n", "uid": f"uid-{name}", "creationTimestamp": BORN}
    return {"apiVersion": version, "kind": kind, "metadata": metadata | parts.pop("metadata", {}), **parts}


def deployment(name: str = "web", **status: Any) -> Object:
    return make("apps/v1", "Deployment", name, spec={"selector": {"matchLabels": {"app": "web"}}}, status=status)


def pod(name: str, *states: Object, owner: str = "web", ready: bool = False, **status: Any) -> Object:
    """A pod of a Deployment's ReplicaSet, scheduled unless its status says otherwise."""
    conditions = [cond("PodScheduled", "True"), cond("Ready", str(ready))]
    status = {"phase": "Pending", "containerStatuses": list(states), "conditions": conditions} | status
    reference = {"kind": "ReplicaSet", "name": f"{owner}-5d9", "controller": True}
    metadata = {"labels": {"app": "web", "pod-template-hash": "5d9"}, "ownerReferences": [reference]}
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}, {"name": "tmp", "emptyDir": {}}]
    return make("v1", "Pod", name, spec={"nodeName": "n1", "volumes": volumes}, status=status, metadata=metadata)


def cond(kind: str, status: str, reason: str = "", message: str = "") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def waits(reason: str, message: str = "", **more: Any) -> Object:
    return {"name": "web", "state": {"waiting": {"reason": reason, "message": message}}, "ready": False, **more}


def event(about: str, reason: str, message: str, at: str = "03:09:00", count: int = 1, kind: str = "Pod") -> Object:
    seen = {"kind": kind, "name": about, "uid": f"uid-{about}"}
    stamp = f"2026-01-02T{at}Z"
    return {"kind": "Event", "metadata": {}, "involvedObject": seen, "type": "Warning", "reason": reason,
            "message": message, "lastTimestamp": stamp, "count": count}  # fmt: skip


def claim(**spec: Any) -> Object:
    return make("v1", "PersistentVolumeClaim", "data-0", spec=spec, status={"phase": "Pending"})


BOUND = make("v1", "PersistentVolumeClaim", "data-0", status={"phase": "Bound"})
PULL = waits("ImagePullBackOff", 'Back-off pulling image "x:1"')
