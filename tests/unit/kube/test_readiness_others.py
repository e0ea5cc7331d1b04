# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Readiness of storage, network and API objects, one table per kind."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.readiness import State, assess

Object = dict[str, Any]
READY, WAITING, FAILED = State.READY, State.IN_PROGRESS, State.FAILED


def make(version: str, kind: str, **parts: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, **parts}


def cond(kind: str, status: str, reason: str = "", message: str = "") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def with_conditions(version: str, kind: str, *conditions: Object) -> Object:
    return make(version, kind, status={"conditions": list(conditions)})


def claim(phase: str, name: str = "fast", used: bool = False) -> Object:
    obj = make("v1", "PersistentVolumeClaim", spec={"storageClassName": name} if name else {}, status={"phase": phase})
    if used:
        obj["metadata"]["annotations"] = {"volume.kubernetes.io/selected-node": "node-1"}
    return obj


MODES = {"fast": "Immediate", "local": "WaitForFirstConsumer", "": "WaitForFirstConsumer"}


@pytest.mark.parametrize(
    ("obj", "state", "text"),
    [
        (claim("Bound"), READY, "bound"),
        (claim("Lost"), FAILED, "lost"),
        (claim("Pending"), WAITING, "storage class fast"),
        (claim("Pending", "gone"), WAITING, "storage class gone"),
        (claim("Pending", "local"), READY, "first consumer"),
        (claim("Pending", ""), READY, "first consumer"),
        (claim("Pending", "local", used=True), WAITING, "storage class local"),
    ],
)
def test_claim(obj: Object, state: State, text: str) -> None:
    verdict = assess(obj, binding_mode=MODES.get)
    assert (verdict.state, text in verdict.message) == (state, True), verdict


def test_claim_of_a_class_nobody_knows_is_waited_for() -> None:
    assert assess(claim("Pending", "local")).state is WAITING
    assert assess(claim("Pending", "")).message == "Pending, no storage class"


@pytest.mark.parametrize(
    ("spec", "status", "mode", "state"),
    [
        ({"type": "ClusterIP"}, {}, "required", READY),
        ({"type": "ExternalName", "externalName": "x.example"}, {}, "required", READY),
        ({"clusterIP": "None"}, {}, "required", READY),
        ({"type": "LoadBalancer"}, {"loadBalancer": {}}, "required", WAITING),
        ({"type": "LoadBalancer"}, {"loadBalancer": {}}, "optional", READY),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, "required", READY),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}, "required", READY),
    ],
)
def test_service(spec: Object, status: Object, mode: str, state: State) -> None:
    verdict = assess(make("v1", "Service", spec=spec, status=status), load_balancer=mode)
    assert verdict.state is state
    if mode == "optional":
        assert "no load balancer address" in verdict.message


CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([], WAITING),
        ([cond("NamesAccepted", "True"), cond("Established", "False", "Installing")], WAITING),
        ([cond("NamesAccepted", "True"), cond("Established", "True")], READY),
        ([cond("NamesAccepted", "False", "ListKindConflict", "taken"), cond("Established", "False")], FAILED),
        ([cond("NamesAccepted", "True"), cond("Established", "False", "NotAccepted")], FAILED),
    ],
)
def test_definition(conditions: list[Object], state: State) -> None:
    assert assess(with_conditions(*CRD, *conditions)).state is state


def test_api_service_is_waited_for_and_says_why() -> None:
    api = ("apiregistration.k8s.io/v1", "APIService")
    down = assess(with_conditions(*api, cond("Available", "False", "FailedDiscoveryCheck", "refused")))
    assert (down.state, down.message) == (WAITING, "FailedDiscoveryCheck: refused")
    assert assess(with_conditions(*api, cond("Available", "True"))).state is READY
    assert assess(make(*api)).state is WAITING


@pytest.mark.parametrize(
    ("reason", "age", "state"),
    [
        ("FailedGetScale", 1.0, FAILED),
        ("FailedUpdateScale", None, FAILED),
        ("InvalidSelector", 1.0, FAILED),
        ("FailedGetResourceMetric", None, FAILED),
        ("FailedGetResourceMetric", 500.0, FAILED),
        ("FailedGetResourceMetric", 5.0, READY),
        ("ScalingDisabled", 500.0, READY),
    ],
)
def test_autoscaler(reason: str, age: float | None, state: State) -> None:
    obj = with_conditions("autoscaling/v2", "HorizontalPodAutoscaler", cond("ScalingActive", "False", reason, "why"))
    assert assess(obj, age=age).state is state


def test_namespace_says_what_remains() -> None:
    remaining = cond("NamespaceContentRemaining", "True", "SomeResourcesRemain", "pods. has 1 resource instances")
    obj = with_conditions("v1", "Namespace", remaining, cond("NamespaceDeletionContentFailure", "False", "", "fine"))
    obj["status"]["phase"] = "Terminating"
    assert assess(obj).state is State.TERMINATING
    assert assess(obj).message == "SomeResourcesRemain: pods. has 1 resource instances"
    obj["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    obj["spec"] = {"finalizers": ["kubernetes"]}
    assert "pods. has 1" in assess(obj).message
    assert "finalizers kubernetes" in assess(obj).message
