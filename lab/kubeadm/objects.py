# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ``kubeadm init`` leaves in a new cluster, as far as joining needs it."""

from __future__ import annotations

import base64
from typing import Any

import yaml

from lab.nodes import CONTROL_PLANE, registered

RBAC = "/apis/rbac.authorization.k8s.io/v1"
JOINING = {"kind": "Group", "name": "system:bootstrappers:kubeadm:default-node-token"}
NODES = {"kind": "Group", "name": "system:nodes"}
NOBODY = {"kind": "User", "name": "system:anonymous"}
APPROVE = "system:certificates.k8s.io:certificatesigningrequests"
TAINT = {"key": CONTROL_PLANE, "effect": "NoSchedule"}

KUBELET = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}

Creation = tuple[str, dict[str, Any]]


def cluster(config: dict[str, Any], server: str, authority: bytes) -> list[Creation]:
    """Paths and objects of a new cluster; ``config`` is kubeadm's ClusterConfiguration."""
    info: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [
            {
                "name": "",
                "cluster": {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()},
            }
        ],
        "contexts": None,
        "current-context": "",
        "users": None,
    }
    return [
        *_maps("kube-public", "cluster-info", {"kubeconfig": yaml.safe_dump(info)}),
        *_maps("kube-system", "kubeadm-config", {"ClusterConfiguration": yaml.safe_dump(config)}),
        *_maps("kube-system", "kube-proxy", {"kubeconfig.conf": yaml.safe_dump(info)}),
        *_maps("kube-system", "kubelet-config", {"kubelet": yaml.safe_dump(KUBELET)}),
        *_readable("kube-public", "kubeadm:bootstrap-signer-clusterinfo", "cluster-info", [NOBODY]),
        *_readable("kube-system", "kubeadm:nodes-kubeadm-config", "kubeadm-config", [JOINING, NODES]),
        *_readable("kube-system", "kubeadm:kubelet-config", "kubelet-config", [JOINING, NODES]),
        *_readable("kube-system", "kube-proxy", "kube-proxy", [JOINING]),
        *_bound("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", JOINING),
        *_bound("kubeadm:node-autoapprove-bootstrap", f"{APPROVE}:nodeclient", JOINING),
        *_bound("kubeadm:node-autoapprove-certificate-rotation", f"{APPROVE}:selfnodeclient", NODES),
        (
            f"{RBAC}/clusterroles",
            {
                "metadata": {"name": "kubeadm:get-nodes"},
                "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}],
            },
        ),
        *_bound("kubeadm:get-nodes", "kubeadm:get-nodes", JOINING),
    ]


def _maps(namespace: str, name: str, data: dict[str, str]) -> list[Creation]:
    return [(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": name}, "data": data})]


def _readable(namespace: str, name: str, config_map: str, subjects: list[dict[str, str]]) -> list[Creation]:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [config_map], "verbs": ["get"]}
    place = f"{RBAC}/namespaces/{namespace}"
    return [
        (f"{place}/roles", {"metadata": {"name": name}, "rules": [rule]}),
        (
            f"{place}/rolebindings",
            {
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                "subjects": subjects,
            },
        ),
    ]


def _bound(name: str, role: str, subject: dict[str, str]) -> list[Creation]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    body = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    return [(f"{RBAC}/clusterrolebindings", body)]


def control_plane_node(name: str, address: str, version: str, taints: list[dict[str, Any]]) -> dict[str, Any]:
    """A node marked as kubeadm marks a control plane's."""
    made = registered(name, address, version, taints)
    made["metadata"]["labels"] |= {CONTROL_PLANE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
    return made
