# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a cluster has outside of itself, on a real API server; the cloud and the driver are played by the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.external_removal import Removal, look
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from tests.contract.fixtures import objects as o
from tests.contract.fixtures.plays import play
from tests.contract.support import Cluster, eventually

# A removal takes everything that is outside of the cluster, whoever made it.
pytestmark = [pytest.mark.lab, pytest.mark.alone]

Json = dict[str, Any]
CLEANUP = "service.kubernetes.io/load-balancer-cleanup"
DRIVER = "csi.example.org"
HELD = f"external-provisioner.{DRIVER}/finalizer"


class Cloud:
    """Load balancers and volumes outside: it gives up what it is told to, and counts."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.gone: list[str] = []
        self.stuck: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Cloud:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end.set()
        self._thread.join(10)

    def _work(self) -> None:
        client = self._cluster.client()
        while not self._end.wait(0.2):
            for volume in client.list("/api/v1/persistentvolumes"):
                path = f"/api/v1/persistentvolumes/{volume['metadata']['name']}"
                if (
                    volume["spec"].get("csi", {}).get("driver") == DRIVER
                    and volume["status"].get("phase") == "Released"
                ):
                    client.delete(path)
                self._let_go(path, volume, HELD)
            for service in client.list("/api/v1/services"):
                meta = service["metadata"]
                self._let_go(f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}", service, CLEANUP)

    def _let_go(self, path: str, obj: Json, finalizer: str) -> None:
        meta = obj["metadata"]
        if (
            meta.get("deletionTimestamp")
            and finalizer in (meta.get("finalizers") or [])
            and meta["name"] not in self.stuck
        ):
            left = [one for one in meta["finalizers"] if one != finalizer]
            try:
                self._cluster.patch(
                    path, {"metadata": {"finalizers": left, "resourceVersion": meta["resourceVersion"]}}
                )
            except ApiError as exc:
                if exc.status not in (404, 409):
                    raise
                # Somebody else's finalizer went meanwhile: the next look sees what is left.
                return
            self.gone.append(meta["name"])


@pytest.fixture
def cloud(cluster: Cluster, main: None) -> Iterator[Cloud]:
    with Cloud(cluster) as one:
        yield one


def path_of(cluster: Cluster, plural: str, group: str = "api/v1") -> str:
    return f"/{group}/namespaces/{cluster.ns('main')}/{plural}"


def balancer(cluster: Cluster, name: str, kind: str = "LoadBalancer") -> None:
    meta = {"name": name, "finalizers": [CLEANUP] if kind == "LoadBalancer" else []}
    spec = {"type": kind, "ports": [{"port": 80}], "selector": {"app": name}}
    cluster.client().write(
        "POST", path_of(cluster, "services"), {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
    )


def volume(cluster: Cluster, claim: str, *, policy: str = "Delete", driver: str = DRIVER, bound: bool = True) -> str:
    """A volume outside, and the claim that it is for."""
    name = f"{cluster.name}-{claim}"
    spec: Json = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": policy,
        "storageClassName": "",
    }
    spec.update(
        {"csi": {"driver": driver, "volumeHandle": name}} if driver else {"hostPath": {"path": "/nonexistent/x"}}
    )
    if bound:
        spec["claimRef"] = {"namespace": cluster.ns("main"), "name": claim}
    body = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "finalizers": [HELD] if driver else []},
        "spec": spec,
    }
    cluster.client().write("POST", "/api/v1/persistentvolumes", body)
    if bound:
        wanted = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": claim}}
        wanted["spec"] = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "volumeName": name,
            "resources": {"requests": {"storage": "1Gi"}},
        }
        cluster.client().write("POST", path_of(cluster, "persistentvolumeclaims"), wanted)
        live = f"{path_of(cluster, 'persistentvolumeclaims')}/{claim}"
        # A claim that the controller saw before its volume is looked at again after 15 seconds.
        eventually(lambda: (cluster.get(live) or {})["status"].get("phase") == "Bound", 60)
    return name


def using(cluster: Cluster, name: str, claim: str) -> None:
    """A Deployment whose pod mounts a claim."""
    body = o.deployment(name)
    mounted = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    body["spec"]["template"]["spec"]["volumes"] = mounted
    cluster.client().write("POST", path_of(cluster, "deployments", "apis/apps/v1"), body)
    pods = path_of(cluster, "pods")
    eventually(lambda: [p for p in cluster.client().list(pods) if p["status"].get("phase") == "Running"])


@contextmanager
def forced(cluster: Cluster, *paths: str) -> Iterator[None]:
    """Whatever a test leaves hanging goes afterwards."""
    try:
        yield
    finally:
        for path in paths:
            if cluster.get(path) is not None:
                cluster.patch(path, {"metadata": {"finalizers": None}})
                cluster.client().delete(path)


def test_what_would_be_orphaned_goes_and_the_rest_stays(cluster: Cluster, cloud: Cloud) -> None:
    balancer(cluster, "web")
    balancer(cluster, "inner", "ClusterIP")
    data, spare = volume(cluster, "data"), volume(cluster, "spare", bound=False)
    kept = volume(cluster, "kept", policy="Retain")
    local = volume(cluster, "local", driver="")
    using(cluster, "db", "data")
    everything = [f"/api/v1/persistentvolumes/{name}" for name in (data, spare, kept, local)]
    with forced(cluster, *everything, f"{path_of(cluster, 'services')}/web"):
        outside = look(cluster.client())
        assert {one.name for one in outside.found if one.name.startswith(cluster.name) or one.name == "web"} == {
            "web", data, spare
        }  # fmt: skip
        assert kept in {one.name for one in outside.kept}
        lines: list[str] = []
        gone = Removal(cluster.client(), timeout=60, say=lines.append, poll=0.2).run()
        assert {"web", data, spare} <= {one.name for one in gone}
        assert sorted(cloud.gone) == sorted(["web", data, spare])
        assert look(cluster.client()).found == []
        assert cluster.get(f"/api/v1/persistentvolumes/{kept}") is not None
        assert cluster.get(f"/api/v1/persistentvolumes/{local}") is not None
        assert cluster.get(f"{path_of(cluster, 'persistentvolumeclaims')}/kept") is not None
        assert cluster.get(f"{path_of(cluster, 'services')}/inner") is not None
        # What used the claim went from the top, or its pod would have come again.
        assert cluster.get(f"{path_of(cluster, 'deployments', 'apis/apps/v1')}/db") is None
        assert any("deployments/db, which uses the claim data" in line for line in lines)
        assert any(
            line == f"gone: PersistentVolume {data} ({DRIVER}, 1Gi of {cluster.ns('main')}/data)" for line in lines
        )
        client = cluster.client()
        assert Removal(client, timeout=5, say=lines.append).run() == []
        assert client.requests <= 4


def test_what_hangs_is_named_with_its_finalizer(cluster: Cluster, cloud: Cloud) -> None:
    balancer(cluster, "web")
    data = volume(cluster, "data")
    cloud.stuck = {"web", data}
    with forced(cluster, f"{path_of(cluster, 'services')}/web", f"/api/v1/persistentvolumes/{data}"):
        with pytest.raises(NodesError) as caught:
            Removal(cluster.client(), timeout=3, say=lambda line: None, poll=0.2).run()
        told = {problem.code: problem.message for problem in caught.value.problems}
        assert set(told) == {"SLW-8432"}
        texts = [problem.message for problem in caught.value.problems]
        assert any(f"Service {cluster.ns('main')}/web" in text and f"finalizer {CLEANUP}" in text for text in texts)
        assert any(f"PersistentVolume {data}" in text and HELD in text for text in texts)
        # Once that is seen to, the next run goes on.
        cloud.stuck = set()
        assert {one.name for one in Removal(cluster.client(), timeout=60, say=lambda line: None, poll=0.2).run()} <= {
            "web", data
        }  # fmt: skip
        assert look(cluster.client()).found == []


def test_action_wants_the_name_of_the_cluster(cluster: Cluster, cloud: Cloud, tmp_path: Path) -> None:
    balancer(cluster, "web")
    path = f"{path_of(cluster, 'services')}/web"
    with forced(cluster, path):
        words = {"state": "absent", "name": "prod", "timeout": 60}
        for given in ({}, {"remove_cluster": "true"}, {"remove_cluster": "Prod"}):
            refused, _shown = play(cluster, tmp_path, "cluster_external", **words, **given)
            assert refused["code"] == "SLW-8430"
        listed, _shown = play(cluster, tmp_path, "cluster_external")
        assert [one["name"] for one in listed["found"]] == ["web"]
        words["remove_cluster"] = "prod"
        left, _shown = play(cluster, tmp_path, "cluster_external", **words, remove_external="false")
        assert not left["changed"]
        checked, _shown = play(cluster, tmp_path, "cluster_external", "--check", **words)
        assert checked["changed"]
        assert (cluster.get(path) or {})["metadata"].get("deletionTimestamp") is None
        done, shown = play(cluster, tmp_path, "cluster_external", **words)
        assert [one["name"] for one in done["removed"]] == ["web"]
        assert f"gone: Service {cluster.ns('main')}/web" in shown
        assert cluster.get(path) is None
        assert not play(cluster, tmp_path, "cluster_external", **words)[0]["changed"]


def snapshot_kinds() -> Iterator[Json]:
    for kind, scope in (("VolumeSnapshot", "Namespaced"), ("VolumeSnapshotContent", "Cluster")):
        plural, group = f"{kind.lower()}s", "snapshot.storage.k8s.io"
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        yield {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{plural}.{group}",
                "annotations": {"api-approved.kubernetes.io": "unapproved, test"},
            },
            "spec": {
                "group": group,
                "scope": scope,
                "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
            },
        }


def test_snapshots_of_volumes_go_by_what_holds_them(cluster: Cluster, main: None) -> None:
    """The contents of a deletion: one that a VolumeSnapshot holds, one that nobody does, one that is to be kept."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    api, ns = "/apis/snapshot.storage.k8s.io/v1", cluster.ns("main")
    client = cluster.client()
    held = f"{api}/namespaces/{ns}/volumesnapshots/nightly"
    kinds = list(snapshot_kinds())
    try:
        for kind in kinds:
            client.write("POST", crds, kind)
            served = f"{crds}/{kind['metadata']['name']}"
            eventually(
                lambda served=served: any(
                    c["type"] == "Established" and c["status"] == "True"
                    for c in ((cluster.get(served) or {}).get("status") or {}).get("conditions") or []
                )
            )
        base = {"apiVersion": "snapshot.storage.k8s.io/v1"}
        client.write(
            "POST", held.rpartition("/")[0], {**base, "kind": "VolumeSnapshot", "metadata": {"name": "nightly"}}
        )
        for name, policy in (("held", "Delete"), ("free", "Delete"), ("kept", "Retain")):
            spec: Json = {"driver": DRIVER, "deletionPolicy": policy}
            if name == "held":
                spec["volumeSnapshotRef"] = {"namespace": ns, "name": "nightly"}
            body = {**base, "kind": "VolumeSnapshotContent", "metadata": {"name": name}, "spec": spec}
            client.write("POST", f"{api}/volumesnapshotcontents", body)
        assert [one.name for one in look(client).found] == ["free", "held"]

        def controller(line: str) -> None:
            """The snapshot controller deletes a content once its snapshot is told to go."""
            if line.startswith("gone: VolumeSnapshotContent free"):
                assert cluster.get(held) is None
                client.delete(f"{api}/volumesnapshotcontents/held")

        gone = Removal(client, timeout=30, say=controller, poll=0.2).run()
        assert [one.name for one in gone] == ["free", "held"]
        assert cluster.get(f"{api}/volumesnapshotcontents/kept") is not None
    finally:
        for kind in kinds:
            client.delete(f"{crds}/{kind['metadata']['name']}")
