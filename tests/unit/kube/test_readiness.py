# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Readiness: what holds for every kind, and custom resources."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Condition
from ansible_collections.slipway.cluster.plugins.module_utils.kube.readiness import (
    RULES,
    State,
    assess,
    assess_absent,
)

Object = dict[str, Any]
READY, WAITING, FAILED = State.READY, State.IN_PROGRESS, State.FAILED
GATE = ("gateway.lab.example/v1", "Gateway")


def make(version: str, kind: str, **parts: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, **parts}


def cond(kind: str, status: str, reason: str = "", message: str = "", **more: Any) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message, **more}


def with_conditions(version: str, kind: str, *conditions: Object, **metadata: Any) -> Object:
    obj = make(version, kind, status={"conditions": list(conditions)})
    obj["metadata"].update(metadata)
    return obj


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("batch/v1", "CronJob"),
        ("policy/v1", "PodDisruptionBudget"),
        ("networking.k8s.io/v1", "Ingress"),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("v1", "Namespace"),
        GATE,
    ],
)
def test_is_ready_as_soon_as_it_is_stored(version: str, kind: str) -> None:
    assert assess(make(version, kind)).state is READY


@pytest.mark.parametrize("group_kind", sorted(RULES), ids=lambda pair: pair[1])
def test_no_rule_trips_over_an_empty_or_odd_object(group_kind: tuple[str, str]) -> None:
    group, kind = group_kind
    version = f"{group}/v1" if group else "v1"
    oddities: list[Any] = [None, [], "text", {"conditions": {"Ready": "True"}}, {"conditions": ["Ready"]}]
    for odd in oddities:
        verdict = assess({"apiVersion": version, "kind": kind, "spec": odd, "status": odd})
        assert verdict.state in (READY, WAITING)


# --- every kind ---------------------------------------------------------------------------------------------------


def test_deletion_names_the_finalizers() -> None:
    obj = make("v1", "ConfigMap")
    obj["metadata"] |= {"deletionTimestamp": "2026-01-02T03:04:05Z", "finalizers": ["a.example/b", "c.example/d"]}
    verdict = assess(obj)
    assert verdict.state is State.TERMINATING
    assert "a.example/b, c.example/d" in verdict.message
    assert not verdict.ready


@pytest.mark.parametrize(
    ("generation", "observed", "state"),
    [(2, 1, WAITING), (2, 2, READY), (2, "2", READY), (2, None, READY), (None, 1, READY)],
)
def test_generation_is_judged_only_where_both_numbers_exist(
    generation: int | None, observed: int | str | None, state: State
) -> None:
    obj = make(*GATE, status={"phase": "x"})
    if generation is not None:
        obj["metadata"]["generation"] = generation
    if observed is not None:
        obj["status"]["observedGeneration"] = observed
    assert assess(obj).state is state


@pytest.mark.parametrize(
    ("conditions", "state", "text"),
    [
        ([cond("Ready", "True")], READY, ""),
        ([cond("Ready", "False", "Waiting", "for the issuer")], WAITING, "Waiting: for the issuer"),
        ([cond("Ready", "Unknown")], WAITING, "Ready is Unknown"),
        ([cond("Reconciling", "True", "Busy"), cond("Ready", "True")], WAITING, "Busy"),
        ([cond("Ready", "False"), cond("Stalled", "True", "InstallFailed", "no")], FAILED, "InstallFailed: no"),
        ([cond("Reconciling", "True"), cond("Stalled", "True", "Bad")], FAILED, "Bad"),
        ([cond("Failed", "True", "Broken"), cond("Ready", "True")], FAILED, "Broken"),
        ([cond("Stalled", "False"), cond("Ready", "True")], READY, ""),
        ([cond("Synced", "False")], READY, ""),
        ([cond("Ready", "True", observedGeneration=1)], WAITING, "older generation"),
        ([cond("Stalled", "True", observedGeneration=1), cond("Ready", "True", observedGeneration=2)], READY, ""),
    ],
)
def test_custom_resource(conditions: list[Object], state: State, text: str) -> None:
    verdict = assess(with_conditions(*GATE, *conditions, generation=2))
    assert (verdict.state, text in verdict.message) == (state, True), verdict


@pytest.mark.parametrize(
    ("expected", "age", "state"),
    [(False, None, READY), (True, 1.0, WAITING), (True, 15.0, READY), (True, None, WAITING)],
)
def test_missing_status_gets_a_short_grace_where_the_schema_has_one(
    expected: bool, age: float | None, state: State
) -> None:
    assert assess(make(*GATE), status_expected=expected, age=age).state is state


# --- conditions declared by the add-on ------------------------------------------------------------------------------

PROGRAMMED = Condition("Gateway", "Programmed")
HEALTHY = Condition("Gateway", "Degraded", "False")


@pytest.mark.parametrize(
    ("declared", "conditions", "state", "text"),
    [
        ([PROGRAMMED], [], WAITING, "Programmed not set yet"),
        ([PROGRAMMED], [cond("Programmed", "True")], READY, "Programmed is True"),
        ([PROGRAMMED], [cond("Ready", "False"), cond("Programmed", "True")], READY, ""),
        ([PROGRAMMED], [cond("Programmed", "False", "NoAddress")], WAITING, "Programmed is False: NoAddress"),
        ([PROGRAMMED], [cond("Programmed", "True", observedGeneration=1)], WAITING, "Programmed"),
        ([PROGRAMMED, HEALTHY], [cond("Degraded", "True", "Crash")], FAILED, "Crash"),
        ([PROGRAMMED, HEALTHY], [cond("Programmed", "True"), cond("Degraded", "False")], READY, ""),
        ([Condition("Gateway", "Progressing", "False")], [cond("Progressing", "True")], WAITING, "Progressing"),
        ([PROGRAMMED], [cond("Stalled", "True", "Dead"), cond("Programmed", "True")], FAILED, "Dead"),
        ([Condition("Listener", "Programmed")], [], READY, ""),
        ([Condition("Gateway", "Programmed", group="other.example")], [], READY, ""),
        ([Condition("Gateway", "Programmed", group="gateway.lab.example")], [], WAITING, ""),
    ],
)
def test_declared_conditions(declared: list[Condition], conditions: list[Object], state: State, text: str) -> None:
    verdict = assess(with_conditions(*GATE, *conditions, generation=2), conditions=declared)
    assert (verdict.state, text in verdict.message) == (state, True), verdict


def test_declared_conditions_come_on_top_of_a_built_in_rule() -> None:
    wish = [Condition("PersistentVolumeClaim", "Backed")]
    assert assess(make("v1", "PersistentVolumeClaim", status={"phase": "Bound"}), conditions=wish).state is WAITING
    assert assess(make("v1", "PersistentVolumeClaim", status={"phase": "Lost"}), conditions=wish).state is FAILED


def test_a_custom_kind_with_a_built_in_name_is_not_taken_for_it() -> None:
    service = make("serving.example/v1", "Service", spec={"type": "LoadBalancer"})
    assert assess(service).state is READY


# --- many objects ------------------------------------------------------------------------------------------------


def test_an_object_that_disappears_is_an_error_unless_its_time_was_up() -> None:
    assert assess_absent(make("v1", "ConfigMap")).state is FAILED
    assert assess_absent(make("batch/v1", "Job", spec={})).state is FAILED
    assert assess_absent(make("batch/v1", "Job", spec={"ttlSecondsAfterFinished": 0})).state is READY
