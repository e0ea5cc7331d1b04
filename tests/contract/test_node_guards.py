# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The guards of a removal on what a real API server says, and the drain that bears them out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.reader_rules import readable
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_servers import servers
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.drain import Settings, drain
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.etcd_quorum import Member
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.guards import Removal, Seen, check_removal
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Store
from tests.contract.fixtures import objects as o
from tests.contract.fixtures.nodes import ONLY, nodes_of
from tests.contract.support import Cluster, eventually

pytestmark = pytest.mark.lab

Json = dict[str, Any]


@pytest.fixture
def nodes(cluster: Cluster, main: None) -> Iterator[list[str]]:
    with nodes_of(cluster, "cp1", "w1", "w2", control_plane="cp1") as names:
        yield names


def groups(nodes: list[str]) -> dict[str, list[str]]:
    return {"kube_control_plane": nodes[:1], "etcd": nodes[:1], "kube_node": nodes[1:]}


def check(cluster: Cluster, nodes: list[str], *names: str, **consents: Any) -> dict[str, str]:
    """Codes with their messages, of the nodes of this test."""
    read = cluster.client().list
    seen = Seen(
        groups=groups(nodes),
        nodes=read("/api/v1/nodes"),
        pods=read("/api/v1/pods"),
        volumes=read("/api/v1/persistentvolumes"),
        claims=read("/api/v1/persistentvolumeclaims"),
        budgets=read("/apis/policy/v1/poddisruptionbudgets"),
        etcd=[Member(nodes[0], True)],
    )
    found = check_removal(Removal(names, **consents), seen)
    return {problem.code: problem.message for problem in found}


def deploy(cluster: Cluster, name: str, on: str, replicas: int = 1) -> None:
    body = o.deployment(name)
    body["spec"]["replicas"] = replicas
    body["spec"]["template"]["spec"].update({
        "nodeSelector": {"kubernetes.io/hostname": on} if on else {ONLY: cluster.name},
        "tolerations": [{"key": ONLY, "operator": "Exists"}],
    })  # fmt: skip
    path = f"/apis/apps/v1/namespaces/{cluster.ns('main')}/deployments"
    cluster.client().write("POST", path, body)
    eventually(lambda: (cluster.get(f"{path}/{name}") or {}).get("status", {}).get("readyReplicas") == replicas)


def test_guards_and_drain_agree(cluster: Cluster, nodes: list[str]) -> None:
    w1, w2 = nodes[1:]
    assert check(cluster, nodes, w1) == {}
    assert set(check(cluster, nodes, w1, w2)) == {"SLW-8405"}
    deploy(cluster, "free", "", 2)
    deploy(cluster, "pinned", w1)
    found = check(cluster, nodes, w1)
    assert set(found) == {"SLW-8412"}
    assert f"{cluster.ns('main')}/pinned-" in found["SLW-8412"]
    assert check(cluster, nodes, w2) == {}
    assert drain(cluster.client(), [[w2]], Settings(poll=0.2), lambda *line: None)[0].outcome == "drained"
    # Drained and cordoned it takes nobody any more.
    assert " cordoned" in check(cluster, nodes, w1)["SLW-8412"]


def test_budget_and_local_volume(cluster: Cluster, nodes: list[str]) -> None:
    w1 = nodes[1]
    deploy(cluster, "db", "")
    home = f"/apis/policy/v1/namespaces/{cluster.ns('main')}/poddisruptionbudgets"
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "db"}}}
    body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "db"}, "spec": spec}
    cluster.client().write("POST", home, body)
    eventually(lambda: (cluster.get(f"{home}/db") or {}).get("status", {}).get("expectedPods") == 1)
    (pod,) = cluster.client().list(f"/api/v1/namespaces/{cluster.ns('main')}/pods", {"labelSelector": "app=db"})
    on = pod["spec"]["nodeName"]
    assert (
        f"{cluster.ns('main')}/db lets no pod go now (1 of 1 healthy, 1 wanted)"
        in check(cluster, nodes, on)["SLW-8414"]
    )

    name = f"{cluster.name}-local"
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [w1]}]}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": "/nonexistent/x"},
            "claimRef": {"namespace": cluster.ns("main"), "name": "data"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
        },
    }
    cluster.client().write("POST", "/api/v1/persistentvolumes", volume)
    try:
        assert (
            f"volume {name} of the claim {cluster.ns('main')}/data is on {w1} alone"
            in check(cluster, nodes, w1)["SLW-8410"]
        )
        assert "SLW-8410" not in check(cluster, nodes, w1, data=frozenset({w1}))
    finally:
        cluster.client().delete(f"/api/v1/persistentvolumes/{name}")


def test_api_servers_by_their_static_pods(cluster: Cluster, nodes: list[str]) -> None:
    """The lab's API server is no pod: this one stands for it, and runs nothing."""
    spec = {
        "nodeName": nodes[0],
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "kube-apiserver", "image": "registry.example/kube-apiserver:v1.34.7"}],
    }
    name = f"kube-apiserver-{nodes[0]}"
    labels = {"component": "kube-apiserver", "tier": "control-plane"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
    cluster.client().write("POST", "/api/v1/namespaces/kube-system/pods", body)
    try:
        assert servers(cluster.client())[nodes[0]] == "v1.34.7"
    finally:
        cluster.client().delete(f"/api/v1/namespaces/kube-system/pods/{name}")


def test_reader_may_read_all_of_it() -> None:
    kinds = readable([], name="n", home="h").kinds
    assert {"nodes", "pods", "persistentvolumes", "persistentvolumeclaims", "services"} <= kinds[""]
    assert kinds["policy"] == {"poddisruptionbudgets"}
    assert kinds["snapshot.storage.k8s.io"] == {"volumesnapshotcontents"}


def test_record_of_a_cluster_that_has_none_yet(cluster: Cluster) -> None:
    """To a reader its namespace is forbidden before it exists: nobody can be given rights in it."""
    token = subprocess.run(
        [cluster.env["bin"]["kubectl"], "--kubeconfig", cluster.env["kubeconfig"], "create", "token", "default"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    access = replace(cluster.access, token=token, client_cert_pem=b"", client_key_pem=b"", again=None)
    nobody = Client(access, user_agent=f"test {cluster.name}", patience=5)
    with pytest.raises(ApiError, match="403"):
        Store(nobody, cluster.home).read()
    name = f"see-namespaces-{cluster.name}"
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    meta = {"name": name, "labels": {"slipway.cluster/name": cluster.name}}
    rules = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]
    client = cluster.client()
    client.write(
        "POST",
        f"{rbac}/clusterroles",
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules},
    )
    bound = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
             "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": "default"}]}  # fmt: skip
    client.write(
        "POST",
        f"{rbac}/clusterrolebindings",
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta, **bound},
    )
    assert eventually(lambda: read(nobody, cluster.home) == "none")
    o.make_namespaces(cluster, cluster.home)
    assert read(nobody, cluster.home) == "refused with 403"


def read(client: Client, namespace: str) -> str:
    try:
        return "none" if Store(client, namespace).read() is None else "there"
    except ApiError as exc:
        return f"refused with {exc.status}"
