# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Readiness of what runs pods, one table per kind."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.readiness import State, assess

Object = dict[str, Any]
READY, WAITING, FAILED, SUSPENDED = State.READY, State.IN_PROGRESS, State.FAILED, State.SUSPENDED


def judge(version: str, kind: str, spec: Object, status: Object, generation: int = 1) -> tuple[State, str]:
    obj = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "generation": generation}}
    verdict = assess(obj | {"spec": spec, "status": status})
    return verdict.state, verdict.message


def cond(kind: str, status: str, reason: str = "", message: str = "") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def counts(replicas: int, updated: int, available: int, ready: int, *conditions: Object, **more: Any) -> Object:
    return {
        "observedGeneration": 1,
        "replicas": replicas,
        "updatedReplicas": updated,
        "availableReplicas": available,
        "readyReplicas": ready,
        "conditions": list(conditions),
        **more,
    }


LATE = cond("Progressing", "False", "ProgressDeadlineExceeded", "timed out")
AVAILABLE = cond("Available", "True")


@pytest.mark.parametrize(
    ("spec", "status", "state", "text"),
    [
        ({"replicas": 3}, {}, WAITING, "not seen"),
        ({"replicas": 3}, counts(3, 3, 3, 3, AVAILABLE), READY, "3 of 3 pods ready"),
        ({"replicas": 3}, counts(3, 3, 3, 3), READY, ""),
        ({}, counts(0, 0, 0, 0), WAITING, "0 of 1 pods created"),
        ({}, counts(1, 1, 1, 1), READY, ""),
        ({"replicas": 0}, counts(0, 0, 0, 0), READY, ""),
        ({"replicas": 3}, counts(2, 2, 2, 2), WAITING, "2 of 3 pods created"),
        # A rollout in which all old pods are still ready is not ready.
        ({"replicas": 3}, counts(4, 1, 3, 3, AVAILABLE), WAITING, "1 of 3 pods updated"),
        ({"replicas": 3}, counts(4, 3, 4, 4, AVAILABLE), WAITING, "old pods: 1, pending termination"),
        ({"replicas": 3}, counts(4, 3, 3, 3, AVAILABLE), WAITING, "old pods: 1, successors not available: 1"),
        ({"replicas": 3}, counts(3, 3, 2, 3), WAITING, "2 of 3 pods available"),
        ({"replicas": 3}, counts(3, 3, 3, 2), WAITING, "2 of 3 pods ready"),
        (
            {"replicas": 3},
            counts(3, 3, 3, 3, cond("Available", "False", "MinimumReplicas")),
            WAITING,
            "MinimumReplicas",
        ),
        ({"replicas": 3}, counts(3, 1, 2, 2, LATE), FAILED, "ProgressDeadlineExceeded: timed out"),
        ({"replicas": 3, "paused": True}, counts(3, 1, 2, 2, LATE), SUSPENDED, "paused"),
        ({"replicas": 3}, counts(3, 3, 3, 3) | {"observedGeneration": 0}, WAITING, "generation 1 not seen"),
        # The deadline of an older generation says nothing about this one.
        ({"replicas": 3}, counts(3, 3, 3, 3, LATE) | {"observedGeneration": 0}, WAITING, "generation"),
    ],
)
def test_deployment(spec: Object, status: Object, state: State, text: str) -> None:
    got = judge("apps/v1", "Deployment", spec, status)
    assert (got[0], text in got[1]) == (state, True), got


def sts(replicas: int, ready: int, updated: int, current: str = "b", update: str = "b", **more: Any) -> Object:
    status = {"observedGeneration": 1, "replicas": replicas, "readyReplicas": ready, "updatedReplicas": updated}
    return status | {"currentRevision": current, "updateRevision": update} | more


ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}
PARTITION = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}


@pytest.mark.parametrize(
    ("spec", "status", "state", "text"),
    [
        ({"replicas": 3}, {}, WAITING, "not seen"),
        ({"replicas": 3}, sts(3, 3, 3), READY, "3 of 3"),
        ({}, sts(1, 1, 1), READY, "1 of 1"),
        ({"replicas": 0}, sts(0, 0, 0), READY, ""),
        ({"replicas": 3}, sts(1, 1, 1), WAITING, "1 of 3 pods created"),
        ({"replicas": 3}, sts(3, 2, 3), WAITING, "2 of 3 pods ready"),
        ({"replicas": 3}, sts(3, 3, 3, availableReplicas=1), WAITING, "1 of 3 pods available"),
        ({"replicas": 2}, sts(3, 3, 3), WAITING, "pods pending termination: 1"),
        ({"replicas": 3}, sts(3, 3, 1, current="a"), WAITING, "1 of 3 pods at revision b"),
        ({"replicas": 3} | ON_DELETE, sts(3, 3, 0, current="a"), READY, "updated on delete"),
        ({"replicas": 3} | ON_DELETE, sts(3, 1, 0, current="a"), WAITING, "1 of 3 pods ready"),
        ({"replicas": 3} | PARTITION, sts(3, 3, 0, current="a"), WAITING, "0 of 1 pods updated"),
        ({"replicas": 3} | PARTITION, sts(3, 3, 1, current="a"), READY, "above partition 2"),
    ],
)
def test_stateful_set(spec: Object, status: Object, state: State, text: str) -> None:
    got = judge("apps/v1", "StatefulSet", spec, status)
    assert (got[0], text in got[1]) == (state, True), got


def ds(desired: int, current: int, updated: int, available: int, ready: int) -> Object:
    return {
        "observedGeneration": 1,
        "desiredNumberScheduled": desired,
        "currentNumberScheduled": current,
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "numberReady": ready,
    }


@pytest.mark.parametrize(
    ("spec", "status", "state", "text"),
    [
        ({}, {}, WAITING, "not seen"),
        # A status without observedGeneration: zeros mean that nobody has counted yet.
        ({}, {"desiredNumberScheduled": 0, "numberReady": 0}, WAITING, "not seen"),
        ({}, ds(0, 0, 0, 0, 0), READY, "no node matches"),
        ({}, ds(3, 3, 3, 3, 3), READY, "3 of 3"),
        ({}, ds(3, 2, 3, 3, 3), WAITING, "2 of 3 pods created"),
        ({}, ds(3, 3, 2, 3, 3), WAITING, "2 of 3 pods updated"),
        ({}, ds(3, 3, 3, 2, 3), WAITING, "2 of 3 pods available"),
        ({}, ds(3, 3, 3, 3, 2), WAITING, "2 of 3 pods ready"),
        (ON_DELETE, ds(3, 3, 0, 3, 3), READY, "updated on delete"),
        (ON_DELETE, ds(3, 3, 0, 3, 2), WAITING, "2 of 3 pods ready"),
    ],
)
def test_daemon_set(spec: Object, status: Object, state: State, text: str) -> None:
    got = judge("apps/v1", "DaemonSet", spec, status)
    assert (got[0], text in got[1]) == (state, True), got


def rs(replicas: int, labelled: int, available: int, ready: int, *conditions: Object) -> Object:
    return {
        "replicas": replicas,
        "fullyLabeledReplicas": labelled,
        "availableReplicas": available,
        "readyReplicas": ready,
        "conditions": list(conditions),
    }


@pytest.mark.parametrize(
    ("status", "state", "text"),
    [
        ({}, WAITING, "not seen"),
        (rs(2, 2, 2, 2), READY, "2 of 2"),
        (rs(1, 1, 1, 1), WAITING, "1 of 2 pods created"),
        (rs(2, 1, 2, 2), WAITING, "labelled"),
        (rs(2, 2, 1, 2), WAITING, "available"),
        (rs(2, 2, 2, 1), WAITING, "ready"),
        (rs(3, 3, 3, 3), WAITING, "pending termination"),
        (rs(0, 0, 0, 0, cond("ReplicaFailure", "True", "FailedCreate", "exceeded quota")), WAITING, "exceeded quota"),
    ],
)
def test_replica_set(status: Object, state: State, text: str) -> None:
    got = judge("apps/v1", "ReplicaSet", {"replicas": 2}, status)
    assert (got[0], text in got[1]) == (state, True), got


@pytest.mark.parametrize(
    ("spec", "status", "state", "text"),
    [
        ({}, {}, WAITING, "not seen"),
        ({}, {"active": 1, "failed": 2}, WAITING, "1 active, 2 failed"),
        ({}, {"succeeded": 1, "conditions": [cond("Complete", "True")]}, READY, "complete"),
        ({}, {"conditions": [cond("SuccessCriteriaMet", "True")]}, WAITING, "0 active"),
        (
            {},
            {"conditions": [cond("Failed", "True", "BackoffLimitExceeded", "too often")]},
            FAILED,
            "BackoffLimitExceeded",
        ),
        ({"suspend": True}, {"conditions": [cond("Suspended", "True")]}, SUSPENDED, "suspended"),
        ({"suspend": True}, {}, SUSPENDED, "suspended"),
        ({"suspend": True}, {"conditions": [cond("Complete", "True")]}, READY, "complete"),
    ],
)
def test_job(spec: Object, status: Object, state: State, text: str) -> None:
    got = judge("batch/v1", "Job", spec, status)
    assert (got[0], text in got[1]) == (state, True), got


def waits(reason: str, message: str = "", key: str = "containerStatuses", phase: str = "Pending") -> Object:
    return {"phase": phase, key: [{"name": "web", "state": {"waiting": {"reason": reason, "message": message}}}]}


UNSCHEDULABLE = cond("PodScheduled", "False", "Unschedulable", "0/3 nodes are available")


@pytest.mark.parametrize(
    ("spec", "status", "state", "text"),
    [
        ({}, {}, WAITING, "not seen"),
        ({}, {"phase": "Succeeded"}, READY, "succeeded"),
        ({}, {"phase": "Failed", "reason": "Evicted", "message": "disk"}, FAILED, "Evicted: disk"),
        (
            {},
            {
                "phase": "Failed",
                "containerStatuses": [{"name": "web", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}],
            },
            FAILED,
            "container web: Error, exit code 3",
        ),
        ({}, {"phase": "Failed"}, FAILED, "failed"),
        ({}, {"phase": "Running", "conditions": [cond("Ready", "True")]}, READY, ""),
        ({}, {"phase": "Running", "conditions": [cond("Ready", "False", "ContainersNotReady")]}, WAITING, "NotReady"),
        ({}, {"phase": "Running"}, WAITING, "not ready"),
        # A task that runs is not a task that is done, however ready it says it is.
        ({"restartPolicy": "Never"}, {"phase": "Running", "conditions": [cond("Ready", "True")]}, WAITING, "complete"),
        ({"restartPolicy": "Always"}, {"phase": "Running", "conditions": [cond("Ready", "True")]}, READY, ""),
        ({}, waits("ContainerCreating"), WAITING, "Pending"),
        (
            {},
            waits("CrashLoopBackOff", "back-off", phase="Running"),
            FAILED,
            "container web: CrashLoopBackOff: back-off",
        ),
        ({}, waits("CrashLoopBackOff", key="initContainerStatuses"), FAILED, "CrashLoopBackOff"),
        ({}, waits("InvalidImageName", "bad"), FAILED, "InvalidImageName"),
        ({}, waits("ErrImagePull", "manifest unknown: not found"), FAILED, "not found"),
        ({}, waits("ErrImagePull", "i/o timeout"), WAITING, "Pending"),
        ({}, waits("ImagePullBackOff", "Back-off pulling image"), WAITING, "Pending"),
        ({}, {"phase": "Pending", "conditions": [UNSCHEDULABLE]}, WAITING, "Unschedulable: 0/3 nodes"),
    ],
)
def test_pod(spec: Object, status: Object, state: State, text: str) -> None:
    got = judge("v1", "Pod", spec, status)
    assert (got[0], text in got[1]) == (state, True), got
