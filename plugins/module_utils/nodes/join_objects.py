# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a batch of joining nodes has in the cluster: one token, and bindings that let it ask and read, never approve.

All of it bears the labels of the ``slipway_name`` and of the batch, and says when its time is over, so that the next
run finds what a dead one has left.
"""

from __future__ import annotations

import secrets
import string
from datetime import datetime
from typing import Any

from ..kube.node import accounts as a
from ..kube.node.bootstrap_token import GROUP, LABEL_BATCH, token_data

SPACE = "kube-system"
RECORD = "join"
BOOTSTRAP_TYPE = "bootstrap.kubernetes.io/token"
BINDINGS = f"{a.RBAC}/clusterrolebindings"
LOCAL_BINDINGS = f"{a.RBAC}/namespaces/{SPACE}/rolebindings"
SECRETS = f"/api/v1/namespaces/{SPACE}/secrets"
PLACES = (SECRETS, LOCAL_BINDINGS, BINDINGS)
"""Where objects of batches are; the token first: without it the rest opens nothing."""

_CLUSTER_ROLES = {"bootstrap": "system:node-bootstrapper", "nodes": "kubeadm:get-nodes"}
_ROLES = {"config": "kubeadm:nodes-kubeadm-config", "kubelet": "kubeadm:kubelet-config", "proxy": "kube-proxy"}
_OPTIONAL = frozenset({"proxy"})
"""Not there where Kubespray installs no kube-proxy; where it is, ``kubeadm join`` reads it."""

_LETTERS = string.ascii_lowercase + string.digits
Json = dict[str, Any]


def needed() -> list[tuple[str, str]]:
    """Path and name of each of kubeadm's roles that a batch is bound to and that has to be there."""
    cluster = [(f"{a.RBAC}/clusterroles/{role}", f"ClusterRole {role}") for role in _CLUSTER_ROLES.values()]
    local = [(_role_path(role), f"Role {SPACE}/{role}") for part, role in _ROLES.items() if part not in _OPTIONAL]
    return cluster + local


def optional() -> list[str]:
    """Paths of those that a batch is bound to where they are there."""
    return [_role_path(_ROLES[part]) for part in sorted(_OPTIONAL)]


def group(batch: str) -> str:
    """Who uses the token of the batch is in it. kubeadm's own group is another one: that is approved automatically."""
    return f"{GROUP}slipway:{batch}"


def new_batch() -> str:
    return secrets.token_hex(4)


def new_token() -> tuple[str, str]:
    """Its public part and its secret one."""
    return _random(6), _random(16)


def selector(name: str, batch: str = "") -> dict[str, str]:
    """Query for the objects of a ``slipway_name``, of one batch or of all."""
    labels = f"{a.LABEL_NAME}={name},{a.LABEL_RECORD}={RECORD}"
    return {"labelSelector": labels + (f",{LABEL_BATCH}={batch}" if batch else "")}


def batch_of(obj: Json) -> str:
    return str((obj["metadata"].get("labels") or {}).get(LABEL_BATCH, ""))


def bindings(name: str, batch: str, expires: datetime, present: frozenset[str]) -> list[tuple[str, Json]]:
    """Paths of collections, each with a body. ``present`` are paths of optional roles that are there."""
    made = []
    for part, role in _CLUSTER_ROLES.items():
        made.append((BINDINGS, _binding("ClusterRole", part, role, name, batch, expires)))
    for part, role in _ROLES.items():
        if part not in _OPTIONAL or _role_path(role) in present:
            made.append((LOCAL_BINDINGS, _binding("Role", part, role, name, batch, expires)))
    return made


def token(name: str, batch: str, pair: tuple[str, str], expires: datetime) -> Json:
    """The body of the token's Secret."""
    data = token_data(
        *pair, expires, ("authentication", "signing"), (group(batch),), "Image nodes that join by Slipway"
    )
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{pair[0]}", "namespace": SPACE, "labels": _labels(name, batch)},
        "type": BOOTSTRAP_TYPE,
        "stringData": data,
    }


def _binding(kind: str, part: str, role: str, name: str, batch: str, expires: datetime) -> Json:
    meta: Json = {
        "name": f"slipway-join-{batch}-{part}",
        "labels": _labels(name, batch),
        "annotations": {a.EXPIRES: a.stamp(expires)},
    }
    if kind == "Role":
        meta["namespace"] = SPACE
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": meta,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group(batch)}],
    }


def _labels(name: str, batch: str) -> dict[str, str]:
    return {a.LABEL_NAME: name, a.LABEL_RECORD: RECORD, LABEL_BATCH: batch}


def _role_path(role: str) -> str:
    return f"{a.RBAC}/namespaces/{SPACE}/roles/{role}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for place in range(length))
