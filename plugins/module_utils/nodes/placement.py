# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether a pod would have a node to go to: the rules of the scheduler that a removal can break. Pure.

Looked at are cordons, taints, selectors and affinity to nodes, required anti-affinity to pods, volumes that are bound
to nodes, and room for what the pod alone requests. Spread constraints and ports of the host are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .label_selectors import selects, selects_node, untolerated
from .pods import Fate, claims_of, fate, node_of

Json = dict[str, Any]

_UNITS = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_COUNTED = ("cpu", "memory")


@dataclass
class Room:
    """The nodes that stay, with what is on them. ``volumes`` are PersistentVolumes by ``namespace/claim``."""

    nodes: Sequence[Json]
    pods: Sequence[Json]
    volumes: Mapping[str, Json]
    used: dict[str, dict[str, float]] = field(default_factory=dict)
    here: dict[str, list[Json]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.used = {node["metadata"]["name"]: defaultdict(float) for node in self.nodes}
        self.here = {name: [] for name in self.used}
        for pod in self.pods:
            name = node_of(pod)
            if name in self.used and fate(pod) is not Fate.FINISHED:
                self._put(pod, name)

    def _put(self, pod: Json, name: str) -> None:
        self.here[name].append(pod)
        for resource, amount in requests(pod).items():
            self.used[name][resource] += amount

    def nowhere(self, pod: Json, *, take: bool = False) -> str:
        """Why no node can take the pod: the obstacles with how many nodes each keeps out. Empty: one can, and with
        ``take`` it then counts as being there."""
        obstacles: dict[str, int] = defaultdict(int)
        for node in self.nodes:
            obstacle = self._obstacle(pod, node)
            if not obstacle:
                if take:
                    self._put(pod, node["metadata"]["name"])
                return ""
            obstacles[obstacle] += 1
        if not obstacles:
            return "no node is left"
        return ", ".join(f"{number} {what}" for what, number in sorted(obstacles.items()))

    def _obstacle(self, pod: Json, node: Json) -> str:
        spec, name = pod.get("spec") or {}, node["metadata"]["name"]
        labels = node["metadata"].get("labels") or {}
        node_spec = node.get("spec") or {}
        if node_spec.get("unschedulable"):
            return "cordoned"
        if not is_ready(node):
            return "not ready"
        taint = untolerated(spec.get("tolerations") or [], node_spec.get("taints") or [])
        if taint:
            return f"with taint {taint['key']}"
        selector: Mapping[str, str] = spec.get("nodeSelector") or {}
        if any(labels.get(key) != value for key, value in selector.items()):
            return "without the labels of its nodeSelector"
        affinity = spec.get("affinity") or {}
        required = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
        if not selects_node(required, node):
            return "outside of its node affinity"
        for claim in claims_of(pod):
            volume = self.volumes.get(f"{pod['metadata']['namespace']}/{claim}")
            if volume and not selects_node(_affinity_of(volume), node):
                return f"where its volume {volume['metadata']['name']} is not"
        if self._repelled(pod, node):
            return "with a pod that its anti-affinity keeps away from"
        allocatable = (node.get("status") or {}).get("allocatable") or {}
        for resource, amount in requests(pod).items():
            if resource in allocatable and amount > quantity(allocatable[resource]) - self.used[name][resource]:
                return f"without room for its {resource}"
        return ""

    def _repelled(self, pod: Json, node: Json) -> bool:
        anti = ((pod.get("spec") or {}).get("affinity") or {}).get("podAntiAffinity") or {}
        for term in anti.get("requiredDuringSchedulingIgnoredDuringExecution") or []:
            key = term["topologyKey"]
            place = (node["metadata"].get("labels") or {}).get(key)
            # Selectors of namespaces would need the namespaces; the scheduler knows better then.
            if place is None or term.get("namespaceSelector") is not None:
                continue
            spaces = term.get("namespaces") or [pod["metadata"]["namespace"]]
            for other in self.nodes:
                if (other["metadata"].get("labels") or {}).get(key) != place:
                    continue
                for one in self.here[other["metadata"]["name"]]:
                    meta = one["metadata"]
                    if meta["namespace"] in spaces and selects(term.get("labelSelector"), meta.get("labels") or {}):
                        return True
        return False


def is_ready(node: Json) -> bool:
    conditions: list[Json] = (node.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def requests(pod: Json) -> dict[str, float]:
    """What a pod requests, cores and bytes; one ``pods`` too. Init containers count where one wants more than all
    containers together."""
    spec = pod.get("spec") or {}
    found = {"pods": 1.0}
    for resource in _COUNTED:
        together = sum(_request(one, resource) for one in spec.get("containers") or [])
        first = max((_request(one, resource) for one in spec.get("initContainers") or []), default=0.0)
        extra = quantity((spec.get("overhead") or {}).get(resource, "0"))
        if together or first or extra:
            found[resource] = max(together, first) + extra
    return found


def quantity(text: object) -> float:
    """``500m``, ``1.5Gi``, ``2``, ``1e3`` as a number."""
    value = str(text)
    digits = value.rstrip("numkKMGTPEi")
    unit = value[len(digits) :]
    return float(digits) * _UNITS[unit]


def bound_nodes(volume: Json, nodes: Sequence[Json]) -> list[str]:
    """The nodes that a volume can be used on; empty for one that knows no bounds."""
    affinity = _affinity_of(volume)
    return [] if affinity is None else [n["metadata"]["name"] for n in nodes if selects_node(affinity, n)]


def _affinity_of(volume: Json) -> Json | None:
    found: Json | None = ((volume.get("spec") or {}).get("nodeAffinity") or {}).get("required")
    return found


def _request(container: Json, resource: str) -> float:
    return quantity(((container.get("resources") or {}).get("requests") or {}).get(resource, "0"))
