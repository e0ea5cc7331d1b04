# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Objects of the API, as little of them as the guards read."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
ROLE = "node-role.kubernetes.io/control-plane"


def node(name: str, *, control_plane: bool = False, ready: bool = True, **more: Any) -> Json:
    labels = {"kubernetes.io/hostname": name, **more.pop("labels", {})}
    taints = list(more.pop("taints", []))
    if control_plane:
        labels[ROLE] = ""
        taints.append({"key": ROLE, "effect": "NoSchedule"})
    condition = {"type": "Ready", "status": "True" if ready else "Unknown", "reason": "NodeStatusUnknown"}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels},
        "spec": {"taints": taints, **more},
        "status": {
            "conditions": [condition],
            "nodeInfo": {"kubeletVersion": "v1.35.4"},
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        },
    }


def pod(name: str, on: str, *, owner: str = "ReplicaSet", cpu: str = "", **spec: Any) -> Json:
    meta: Json = {"namespace": "a", "name": name, "uid": f"uid-{name}", "labels": spec.pop("labels", {"app": "x"})}
    meta["annotations"] = spec.pop("annotations", {})
    if owner:
        meta["ownerReferences"] = [{"kind": owner, "name": "o", "controller": True}]
    phase = spec.pop("phase", "Running")
    containers = [{"name": "c", "resources": {"requests": {"cpu": cpu} if cpu else {}}}]
    return {"metadata": meta, "spec": {"nodeName": on, "containers": containers, **spec}, "status": {"phase": phase}}


def budget(name: str, *, allowed: int, healthy: int, expected: int, selector: Json | None = None) -> Json:
    return {
        "metadata": {"namespace": "a", "name": name},
        "spec": {"selector": {"matchLabels": {"app": "x"}} if selector is None else selector},
        "status": {
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": expected,
            "expectedPods": expected,
        },
    }


def local_volume(name: str, on: str, claim: str = "") -> Json:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [on]}]}
    spec: Json = {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}
    if claim:
        spec["claimRef"] = {"namespace": "a", "name": claim}
    return {"metadata": {"name": name}, "spec": spec}


def claim(name: str, volume: str) -> Json:
    return {"metadata": {"namespace": "a", "name": name}, "spec": {"volumeName": volume}}


def mounts(name: str) -> list[Json]:
    return [{"name": "v", "persistentVolumeClaim": {"claimName": name}}]
