# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Cordons that remember whose they are: we take back our own, and never one that somebody else has set."""

from __future__ import annotations

from typing import Any

from ..kube.client import MERGE, Client
from ..kube.errors import ApiError
from ..kube.node.accounts import stamp
from ..kube.objects import NODE
from .problem import NodesError, Problem

CORDONED = "slipway.cluster/cordoned"
"""Annotation of a node that we have cordoned; the value says when. It outlives a run that dies."""
MANAGER = "slipway-nodes"
_ATTEMPTS = 8

Json = dict[str, Any]

OUT_OF_SERVICE = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}


def is_cordoned(node: Json) -> bool:
    return bool((node.get("spec") or {}).get("unschedulable"))


def is_ours(node: Json) -> bool:
    return CORDONED in (node["metadata"].get("annotations") or {})


def cordon(client: Client, name: str) -> bool | None:
    """Whether the cordon is ours, now or from an earlier run; None: there is no such node."""
    for _attempt in range(_ATTEMPTS):
        node = client.get(NODE.path("", name))
        if node is None:
            return None
        if is_cordoned(node):
            return is_ours(node)
        if _written(client, node, unschedulable=True, note=stamp(client.now())):
            return True
    raise _contended(name)


def expect(client: Client, name: str) -> bool | None:
    """A cordon that a node gets from now on, by whatever we start, is ours. False: somebody has cordoned it already;
    None: there is no such node."""
    for _attempt in range(_ATTEMPTS):
        node = client.get(NODE.path("", name))
        if node is None:
            return None
        if is_cordoned(node) or is_ours(node):
            return is_ours(node)
        if _written(client, node, unschedulable=None, note=stamp(client.now())):
            return True
    raise _contended(name)


def uncordon(client: Client, name: str, *, dry: bool = False) -> bool | None:
    """Takes our own cordon back. False: there was none of ours; None: there is no such node."""
    for _attempt in range(_ATTEMPTS):
        node = client.get(NODE.path("", name))
        if node is None:
            return None
        if not is_ours(node):
            return False
        if dry or _written(client, node, unschedulable=None, note=None):
            return True
    raise _contended(name)


def take_out_of_service(client: Client, name: str) -> None:
    """Says that nothing runs on a node any more, so that its pods are deleted without a word from its kubelet
    (https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown). Only for a
    host that is off, or is never to come back as this node."""
    for _attempt in range(_ATTEMPTS):
        node = client.get(NODE.path("", name))
        if node is None:
            return
        taints = list((node.get("spec") or {}).get("taints") or [])
        if any(taint.get("key") == OUT_OF_SERVICE["key"] for taint in taints):
            return
        version = {"resourceVersion": node["metadata"]["resourceVersion"], "uid": node["metadata"]["uid"]}
        patch: Json = {"metadata": version, "spec": {"taints": [*taints, OUT_OF_SERVICE]}}
        try:
            client.write("PATCH", NODE.path("", name), patch, {"fieldManager": MANAGER}, MERGE)
        except ApiError as exc:
            if exc.status not in (404, 409):
                raise
        else:
            return
    raise _contended(name)


def _written(client: Client, node: Json, *, unschedulable: bool | None, note: str | None) -> bool:
    meta = node["metadata"]
    patch: Json = {
        "metadata": {
            "resourceVersion": meta["resourceVersion"],
            "uid": meta["uid"],
            "annotations": {CORDONED: note},
        },
        "spec": {"unschedulable": unschedulable},
    }
    try:
        client.write("PATCH", NODE.path("", meta["name"]), patch, {"fieldManager": MANAGER}, MERGE)
    except ApiError as exc:
        if exc.status in (404, 409):
            return False
        raise
    return True


def _contended(name: str) -> NodesError:
    return NodesError([Problem("SLW-8421", f"node {name}: others change it all the time", "run again", host=name)])
