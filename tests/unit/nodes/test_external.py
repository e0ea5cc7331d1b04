# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is outside of a cluster, what is not, and the one word that consents to its end."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.external import (
    cluster_consent,
    externals,
    hanging,
    left_outside,
    retained,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Severity

Json = dict[str, Any]


def volume(name: str, policy: str = "Delete", made_by: str = "", **spec: Any) -> Json:
    annotations = {"pv.kubernetes.io/provisioned-by": made_by} if made_by else {}
    meta = {"name": name, "uid": f"u-{name}", "annotations": annotations}
    return {"metadata": meta, "spec": {"persistentVolumeReclaimPolicy": policy, **spec}}


def service(name: str, kind: str, *ingress: Json) -> Json:
    meta = {"namespace": "a", "name": name, "uid": f"u-{name}"}
    return {"metadata": meta, "spec": {"type": kind}, "status": {"loadBalancer": {"ingress": list(ingress)}}}


VOLUMES = [
    volume("csi", csi={"driver": "csi.example.org"}),
    volume("old", made_by="kubernetes.io/aws-ebs", awsElasticBlockStore={}),
    volume("kept", "Retain", csi={"driver": "csi.example.org"}),
    volume("local", made_by="rancher.io/local-path", local={"path": "/x"}),
    volume("host", made_by="lab", hostPath={"path": "/x"}),
    volume("by-hand", nfs={"server": "192.0.2.1"}),
]


def test_only_what_is_outside() -> None:
    services = [service(name, kind) for name, kind in (("lb", "LoadBalancer"), ("in", "ClusterIP"), ("np", "NodePort"))]
    assert [one.name for one in externals(services, VOLUMES)] == ["csi", "old", "lb"]
    assert [one.name for one in retained(VOLUMES)] == ["kept"]


def test_what_is_said_of_each() -> None:
    (one,) = externals([service("lb", "LoadBalancer", {"hostname": "x.example.com"})], [])
    assert str(one) == "Service a/lb (x.example.com)"
    claim = {"namespace": "b", "name": "data"}
    (one,) = externals([], [volume("v", csi={"driver": "d"}, claimRef=claim, capacity={"storage": "5Gi"})])
    assert str(one) == "PersistentVolume v (d, 5Gi of b/data)"
    found = left_outside([one])
    assert [(p.code, p.severity) for p in found] == [("SLW-8431", Severity.WARNING)]


def test_what_hangs() -> None:
    (one,) = externals([service("lb", "LoadBalancer")], [])
    live = {one.path: {"metadata": {"deletionTimestamp": "2026-11-22T14:00:00Z", "finalizers": ["a/b", "c"]}}}
    (problem,) = hanging([one], live, 60)
    assert problem.code == "SLW-8432"
    assert problem.message.endswith("after 60 s: told to go at 2026-11-22T14:00:00Z, held by finalizer a/b, c")
    assert hanging([one], {}, 60)[0].message.endswith("not told to go")


@pytest.mark.parametrize("given", ["", "true", "yes", "Prod", "prod ", "pro", "production"])
def test_consent_is_the_name_to_the_letter(given: str) -> None:
    (problem,) = cluster_consent(given, "prod")
    assert problem.code == "SLW-8430"
    assert "-e slipway_remove_cluster=prod" in problem.remedy
    assert cluster_consent("prod", "prod") == []
    assert [p.code for p in cluster_consent("", "")] == ["SLW-8430"]
