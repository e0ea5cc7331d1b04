# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the guards of a removal and the way of an upgrade are about, read from the API. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..kube.client import Client
from ..kube.objects import NODE, PV, PVC
from .etcd_quorum import Member
from .guards import Seen, Statement
from .model import by_name
from .upgrade_path import Running

Json = dict[str, Any]
PODS = "/api/v1/pods"
BUDGETS = "/apis/policy/v1/poddisruptionbudgets"
_SERVER = "component=kube-apiserver"


def for_removal(
    client: Client,
    groups: Mapping[str, Sequence[str]],
    *,
    etcd: Sequence[Member] | None = None,
    recorded: Iterable[str] = (),
    unreachable: Iterable[str] = (),
    statements: Sequence[Statement] = (),
) -> Seen:
    """Five lists, however many nodes there are. Raises ``KubeError``."""
    return Seen(
        groups=groups,
        nodes=client.list(NODE.collection()),
        pods=client.list(PODS),
        volumes=client.list(PV.collection()),
        claims=client.list(PVC.collection()),
        budgets=client.list(BUDGETS),
        etcd=etcd,
        recorded=frozenset(recorded),
        unreachable=frozenset(unreachable),
        statements=statements,
    )


def for_upgrade(client: Client, *, kubespray: str = "") -> Running:
    """``kubespray``: the version that the record names. Raises ``KubeError``."""
    version = client.get("/version") or {}
    pods = client.list("/api/v1/namespaces/kube-system/pods", {"labelSelector": _SERVER})
    return Running(
        server=str(version.get("gitVersion", "")),
        nodes=by_name(client.list(NODE.collection())),
        servers=servers(pods),
        kubespray=kubespray,
    )


def servers(pods: Iterable[Json]) -> dict[str, str]:
    """Version of each node's API server, by the image of its static pod; without those whose image has no tag."""
    found = {}
    for pod in pods:
        spec = pod.get("spec") or {}
        image = str(((spec.get("containers") or [{}])[0]).get("image", ""))
        _name, colon, tag = image.partition("@")[0].rpartition(":")
        if colon and "/" not in tag and spec.get("nodeName"):
            found[str(spec["nodeName"])] = tag
    return found
