# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Counts of nodes, for values that follow the cluster's size (``slipway_nodes``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_ROLE = "node-role.kubernetes.io/"
_ZONE = "topology.kubernetes.io/zone"


def node_counts(nodes: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """``total``, ``control_plane``, ``workers`` (nodes that are not control plane), ``roles``, ``zones`` and
    ``labels`` (``key=value`` to count), as integers. Cordoned nodes count: they come back."""
    found: dict[str, Any] = {
        "total": 0, "control_plane": 0, "workers": 0, "roles": {}, "zones": {}, "labels": {},
    }  # fmt: skip
    for node in nodes:
        labels = (node.get("metadata") or {}).get("labels") or {}
        roles = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)}
        control_plane = bool(roles & {"control-plane", "master"})
        found["total"] += 1
        found["control_plane" if control_plane else "workers"] += 1
        for role in sorted(roles or {"worker"}):
            found["roles"][role] = found["roles"].get(role, 0) + 1
        if _ZONE in labels:
            found["zones"][labels[_ZONE]] = found["zones"].get(labels[_ZONE], 0) + 1
        for key, value in labels.items():
            found["labels"][f"{key}={value}"] = found["labels"].get(f"{key}={value}", 0) + 1
    return found
