# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Pods of a node that is to go: which move, which stay, and which nobody would make again."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from .label_selectors import selects

Json = dict[str, Any]

_MIRROR = "kubernetes.io/config.mirror"


class Fate(Enum):
    """What a drain does with a pod. BARE: no controller, so that deleted it is gone for good."""

    MOVES = "moves"
    BARE = "bare"
    FINISHED = "finished"
    DAEMON = "daemon"
    MIRROR = "mirror"

    @property
    def stays(self) -> bool:
        """Its node's own: the kubelet's, or a DaemonSet's, which would make it again at once."""
        return self in (Fate.DAEMON, Fate.MIRROR)


def fate(pod: Json) -> Fate:
    meta = pod["metadata"]
    if _MIRROR in (meta.get("annotations") or {}):
        return Fate.MIRROR
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return Fate.FINISHED
    owner = controller(pod)
    if owner is None:
        return Fate.BARE
    return Fate.DAEMON if owner.get("kind") == "DaemonSet" else Fate.MOVES


def controller(pod: Json) -> Json | None:
    owners: list[Json] = pod["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def pod_name(pod: Json) -> str:
    """``namespace/name``."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def node_of(pod: Json) -> str:
    return str((pod.get("spec") or {}).get("nodeName") or "")


def claims_of(pod: Json) -> list[str]:
    """Names of the claims that a pod mounts, generic ephemeral ones included; they are in its namespace."""
    found = []
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        if "persistentVolumeClaim" in volume:
            found.append(str(volume["persistentVolumeClaim"]["claimName"]))
        elif "ephemeral" in volume:
            found.append(f"{pod['metadata']['name']}-{volume['name']}")
    return found


def budgets_of(pod: Json, budgets: Sequence[Json]) -> list[Json]:
    """The PodDisruptionBudgets that a pod falls under."""
    meta = pod["metadata"]
    return [
        budget
        for budget in budgets
        if budget["metadata"]["namespace"] == meta["namespace"]
        and selects((budget.get("spec") or {}).get("selector"), meta.get("labels") or {})
    ]
