# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a cluster has outside of itself and would leave there if it were wiped: load balancers and volumes. Pure.

Left out is what nobody outside knows of: volumes on the nodes' own disks. What controllers of other kinds have made
outside (DNS entries, databases of an operator) cannot be seen from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .label_selectors import Labels
from .problem import Problem, Severity

Json = dict[str, Any]

_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_ON_NODES = ("local", "hostPath")


@dataclass(frozen=True, order=True)
class External:
    """``path`` is that of the object whose deletion takes the thing outside away. ``holder`` names who made it."""

    kind: str
    namespace: str
    name: str
    path: str
    uid: str
    holder: str = ""
    detail: str = ""

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        more = ", ".join(part for part in (self.holder, self.detail) if part)
        return f"{self.kind} {where}" + (f" ({more})" if more else "")


def externals(services: Iterable[Json], volumes: Iterable[Json], snapshots: Iterable[Json] = ()) -> list[External]:
    """In a stable order. ``snapshots`` are VolumeSnapshotContents."""
    found = [_service(one) for one in services if (one.get("spec") or {}).get("type") == "LoadBalancer"]
    found += [_volume(one) for one in volumes if _outside(one) and _policy(one) == "Delete"]
    found += [_snapshot(one) for one in snapshots if (one.get("spec") or {}).get("deletionPolicy") == "Delete"]
    return sorted(found)


def retained(volumes: Iterable[Json]) -> list[External]:
    """Volumes outside that are to be kept: their policy says so."""
    return sorted(_volume(one) for one in volumes if _outside(one) and _policy(one) != "Delete")


def cluster_consent(given: str, name: str, *, where: str = "extra variables") -> list[Problem]:
    """``slipway_remove_cluster`` is the name of the cluster, to the letter: a word of it could come from a habit."""
    if given == name and name:
        return []
    said = f"slipway_remove_cluster is {given!r}" if given else "slipway_remove_cluster is not given"
    message = f"{said}, and this cluster is called {name!r}"
    remedy = f"everything on it would be gone: -e slipway_remove_cluster={name}"
    return [Problem("SLW-8430", message, remedy, where)]


def left_outside(found: Sequence[External]) -> list[Problem]:
    """What a removal leaves, when the user has said that it shall."""
    return [
        Problem("SLW-8431", f"{one} stays outside", "take it away by hand", severity=Severity.WARNING) for one in found
    ]


def hanging(found: Sequence[External], live: Mapping[str, Json], seconds: float) -> list[Problem]:
    """What did not go. ``live``: the objects by path."""
    problems = []
    for one in found:
        meta = (live.get(one.path) or {}).get("metadata") or {}
        finalizers = ", ".join(meta.get("finalizers") or [])
        since = meta.get("deletionTimestamp")
        why = f"told to go at {since}" if since else "not told to go"
        why += f", held by finalizer {finalizers}" if finalizers else ""
        message = f"{one} is still there after {seconds:.0f} s: {why}"
        remedy = "look at who owns the finalizer and run again; -e slipway_remove_external=false leaves it outside"
        problems.append(Problem("SLW-8432", message, remedy))
    return problems


def _service(service: Json) -> External:
    meta, spec = service["metadata"], service["spec"]
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    address = next((str(one.get("ip") or one.get("hostname")) for one in ingress), "no address")
    path = f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}"
    holder = str(spec.get("loadBalancerClass") or "")
    return External("Service", meta["namespace"], meta["name"], path, meta["uid"], holder, address)


def _volume(volume: Json) -> External:
    meta, spec = volume["metadata"], volume["spec"]
    claim = spec.get("claimRef")
    size = (spec.get("capacity") or {}).get("storage", "")
    whose = f"{size} of {claim['namespace']}/{claim['name']}" if claim else size
    path = f"/api/v1/persistentvolumes/{meta['name']}"
    return External("PersistentVolume", "", meta["name"], path, meta["uid"], _maker(volume), whose)


def _snapshot(content: Json) -> External:
    meta, spec = content["metadata"], content["spec"]
    path = f"/apis/{content.get('apiVersion', 'snapshot.storage.k8s.io/v1')}/volumesnapshotcontents/{meta['name']}"
    return External("VolumeSnapshotContent", "", meta["name"], path, meta["uid"], str(spec.get("driver") or ""))


def _outside(volume: Json) -> bool:
    spec = volume.get("spec") or {}
    return not any(kind in spec for kind in _ON_NODES) and bool(_maker(volume))


def _maker(volume: Json) -> str:
    annotations: Labels = volume["metadata"].get("annotations") or {}
    return str((volume["spec"].get("csi") or {}).get("driver") or annotations.get(_PROVISIONED_BY) or "")


def _policy(volume: Json) -> str:
    return str((volume.get("spec") or {}).get("persistentVolumeReclaimPolicy") or "Retain")
