# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Simulated nodes: kwok plays the kubelet of each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab.api import Api
from lab.binaries import KUBERNETES
from lab.errors import LabError

MOST = 1000
INDEX = "lab.slipway/node"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
ZONES = ("lab-a", "lab-b", "lab-c")
SHARE = {"cpu": "64", "memory": "256Gi", "pods": "1000", "ephemeral-storage": "500Gi"}


def manifest(name: str, index: int, *, control_plane: bool = False) -> dict[str, Any]:
    """A node object. ``index`` (from 1) decides about zone and address."""
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": "lab",
        "topology.kubernetes.io/zone": ZONES[(index - 1) % len(ZONES)],
        INDEX: str(index),
    }
    if control_plane:
        labels[CONTROL_PLANE] = ""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {
            "capacity": SHARE,
            "allocatable": SHARE,
            "addresses": [
                {"type": "InternalIP", "address": f"239.98.{index // 250}.{index % 250 + 1}"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "osImage": "Simulated node (KWOK)",
                "kernelVersion": "simulated",
                "containerRuntimeVersion": "kwok://0.8.0",
                "kubeletVersion": KUBERNETES,
                "kubeProxyVersion": "",
                "machineID": name,
                "systemUUID": name,
                "bootID": name,
            },
        },
    }


def registered(name: str, address: str, version: str, taints: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A node as a host's kubelet registers it, none of those that the lab counts as its own.

    ``version`` is that of the kubelet, without the ``v``.
    """
    node = manifest(name, 1)
    labels = node["metadata"]["labels"]
    node["metadata"]["labels"] = {key: value for key, value in labels.items() if key.startswith("kubernetes.io/")}
    node["spec"] = {"taints": taints or []}
    node["status"]["addresses"] = [
        {"type": "InternalIP", "address": address},
        {"type": "Hostname", "address": name},
    ]
    node["status"]["nodeInfo"]["kubeletVersion"] = f"v{version}"
    return node


def scale(port: int, pki: Path, wanted: int) -> int:
    """Make the lab's own nodes node-1 … node-``wanted``; return how many were added (below 0: removed).

    Nodes that somebody else created stay as they are.

    :raises LabError: for a number that is not 1 to 1000, and when the API refuses.
    """
    if not 1 <= wanted <= MOST:
        raise LabError(f"a lab has 1 to {MOST} nodes, not {wanted}")
    api = Api(port, pki)
    have = {int(node["metadata"]["labels"][INDEX]) for node in _own(api)}
    api.close()
    missing = [index for index in range(1, wanted + 1) if index not in have]
    surplus = [index for index in have if index > wanted]
    _each(port, pki, missing, _create)
    _each(port, pki, surplus, _delete)
    return len(missing) - len(surplus)


def enrol(port: int, pki: Path, addresses: Mapping[str, str], version: str) -> int:
    """Make a node for each name, with its address and the version of its kubelet; return how many were added.

    :raises LabError: when the API refuses.
    """
    names = dict(enumerate(addresses))
    made: list[bool] = []

    def create(api: Api, index: int) -> None:
        node = registered(names[index], addresses[names[index]], version)
        made.append(api.need("POST", "/api/v1/nodes", node, 409)["kind"] == "Node")

    _each(port, pki, names, create)
    return sum(made)


def wait_ready(port: int, pki: Path, wanted: int, seconds: float) -> None:
    """Wait until the lab's own nodes are ``wanted`` in number and all Ready.

    :raises LabError: when they are not after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        total, ready = count(port, pki)
        if total == ready == wanted:
            return
        if time.monotonic() > deadline:
            raise LabError(f"{ready} of {wanted} nodes Ready after {seconds:.0f} s")
        time.sleep(0.05 if wanted < 50 else 0.5)


def count(port: int, pki: Path) -> tuple[int, int]:
    """Number of the lab's own nodes, and how many of them are Ready."""
    api = Api(port, pki)
    own = _own(api)
    api.close()
    return len(own), sum(map(_ready, own))


def _own(api: Api) -> list[dict[str, Any]]:
    # Version 0 answers from the server's cache; this is asked many times a second.
    nodes: list[dict[str, Any]] = api.need("GET", f"/api/v1/nodes?labelSelector={INDEX}&resourceVersion=0")["items"]
    return nodes


def _ready(node: dict[str, Any]) -> bool:
    conditions = node["status"].get("conditions", [])
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and not any(taint["key"] == "node.kubernetes.io/not-ready" for taint in node["spec"].get("taints", []))


def _each(port: int, pki: Path, indexes: Iterable[int], action: Any) -> None:
    shares: list[list[int]] = [[] for _ in range(4)]
    for position, index in enumerate(sorted(indexes)):
        shares[position % len(shares)].append(index)

    def work(share: list[int]) -> None:
        api = Api(port, pki)
        for index in share:
            action(api, index)
        api.close()

    with ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(work, filter(None, shares)))


def _create(api: Api, index: int) -> None:
    api.need("POST", "/api/v1/nodes", manifest(f"node-{index}", index, control_plane=index == 1), 409)


def _delete(api: Api, index: int) -> None:
    api.need("DELETE", f"/api/v1/nodes/node-{index}", None, 404)
