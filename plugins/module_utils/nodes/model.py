# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nodes as the inventory wants them, and as the API knows them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONTROL_PLANE = "control-plane"
ETCD = "etcd"
WORKER = "worker"
REFLECTOR = "route-reflector"
GROUPS = {"kube_control_plane": CONTROL_PLANE, "etcd": ETCD, "kube_node": WORKER, "calico_rr": REFLECTOR}
"""Kubespray's groups, and the role that a host has by being in one."""

KUBESPRAY = "kubespray"
IMAGE = "image"
SOURCES = (KUBESPRAY, IMAGE)
"""What makes a node of a host: Kubespray over SSH, or a prepared image and a token."""

_ROLE = "node-role.kubernetes.io/"


def runs_kubelet(roles: Collection[str]) -> bool:
    """Whether a host with these roles is a node; one in the group ``etcd`` alone is none."""
    return not {CONTROL_PLANE, WORKER, REFLECTOR}.isdisjoint(roles)


@dataclass(frozen=True)
class Desired:
    """A host of the inventory that belongs to the cluster.

    ``address`` is what the inventory has of it (``access_ip``, ``ip`` or ``ansible_host``; empty: only the host itself
    knows). ``own`` are the addresses that Kubespray binds it to (``ip``, ``ip6``), ``access`` those that others are
    told (``access_ip``, ``access_ip6``); ``ansible_host`` is neither, for it may lead there by NAT. ``variables`` are
    digests, by name, of what the user set for it and Kubespray reads. ``where`` is ``file:line`` of the host in the
    inventory, where that is known. ``source`` is one of ``SOURCES``. ``replaces`` names the host whose place it takes.
    ``override`` is the name of its node, where that is another than its own.
    """

    name: str
    roles: frozenset[str]
    address: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    source: str = KUBESPRAY
    replaces: str = ""
    own: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    override: str = ""

    @property
    def node(self) -> str:
        """What the API calls it."""
        return self.override or self.name

    @property
    def is_node(self) -> bool:
        return runs_kubelet(self.roles)

    @property
    def worker_only(self) -> bool:
        return self.roles == {WORKER}


@dataclass(frozen=True)
class Actual:
    """A node of the API. ``reason`` says why it is not ``ready``, ``since`` from when on it is or is not (as the API
    writes times); ``kubelet`` is its version without the ``v``."""

    name: str
    roles: frozenset[str]
    ready: bool
    reason: str
    kubelet: str
    addresses: tuple[str, ...]
    cordoned: bool
    uid: str
    since: str = ""


def actual(node: Mapping[str, Any]) -> Actual:
    """A node object of the API."""
    meta, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    labels = meta.get("labels") or {}
    control_plane = any(labels.get(_ROLE + role) is not None for role in ("control-plane", "master"))
    taints = {taint["key"] for taint in spec.get("taints") or []}
    roles = {CONTROL_PLANE} if control_plane else set()
    # Kubespray tells in no other way what it is.
    if _ROLE + "calico-rr" in taints:
        roles.add(REFLECTOR)
    elif _ROLE + "control-plane" not in taints:
        roles.add(WORKER)
    ready: Mapping[str, Any] = next((c for c in status.get("conditions") or [] if c.get("type") == "Ready"), {})
    return Actual(
        name=meta["name"],
        roles=frozenset(roles),
        ready=ready.get("status") == "True",
        reason=str(ready.get("reason") or "no status yet"),
        kubelet=str((status.get("nodeInfo") or {}).get("kubeletVersion", "")).removeprefix("v"),
        addresses=tuple(a["address"] for a in status.get("addresses") or [] if a.get("type") == "InternalIP"),
        cordoned=bool(spec.get("unschedulable")),
        uid=str(meta.get("uid", "")),
        since=str(ready.get("lastTransitionTime") or ""),
    )


def by_name(nodes: Iterable[Mapping[str, Any]]) -> dict[str, Actual]:
    return {node["metadata"]["name"]: actual(node) for node in nodes}
