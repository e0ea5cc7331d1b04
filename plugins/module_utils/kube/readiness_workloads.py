# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Readiness of what runs pods: Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, Pod."""

from __future__ import annotations

from .readiness_model import (
    Context,
    Object,
    Readiness,
    condition,
    failed,
    holds,
    items,
    number,
    ready,
    section,
    suspended,
    told,
    waiting,
    words,
)

UNSEEN = "not seen by its controller yet"
IMAGE_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff"})
HOPELESS_REASONS = frozenset({"CrashLoopBackOff", "InvalidImageName"})


def _short(status: Object, wanted: int, *fields: str) -> str:
    """The first of the status counts that is below ``wanted``, as a message."""
    names = {
        "replicas": "created",
        "fullyLabeledReplicas": "labelled",
        "updatedReplicas": "updated",
        "readyReplicas": "ready",
        "availableReplicas": "available",
        "currentNumberScheduled": "created",
        "updatedNumberScheduled": "updated",
        "numberReady": "ready",
        "numberAvailable": "available",
    }
    for field in fields:
        count = number(status, field)
        if count < wanted:
            return f"{count} of {wanted} pods {names[field]}"
    return ""


def deployment(obj: Object, context: Context) -> Readiness:
    spec, status = section(obj, "spec"), section(obj, "status")
    if spec.get("paused") is True:
        return suspended("rollout is paused")
    progressing = condition(obj, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return failed(told(progressing, ""))
    if not status:
        return waiting(UNSEEN)
    wanted = number(spec, "replicas", 1)
    short = _short(status, wanted, "replicas", "updatedReplicas")
    if short:
        return waiting(short)
    extra = number(status, "replicas") - wanted
    if extra > 0:
        missing = number(status, "replicas") - number(status, "availableReplicas")
        # Old pods stay until their successors are available: those are the ones to look at.
        why = f"successors not available: {missing}" if missing > 0 else "pending termination"
        return waiting(f"old pods: {extra}, {why}")
    short = _short(status, wanted, "availableReplicas", "readyReplicas")
    if short:
        return waiting(short)
    available = condition(obj, "Available")
    if available and available.get("status") != "True":
        return waiting(told(available, "not available"))
    return ready(f"{wanted} of {wanted} pods ready")


def stateful_set(obj: Object, context: Context) -> Readiness:
    spec, status = section(obj, "spec"), section(obj, "status")
    if not status:
        return waiting(UNSEEN)
    wanted = number(spec, "replicas", 1)
    counts = ["replicas", "readyReplicas"]
    if "availableReplicas" in status:
        counts.append("availableReplicas")
    short = _short(status, wanted, *counts)
    if short:
        return waiting(short)
    extra = number(status, "replicas") - wanted
    if extra > 0:
        return waiting(f"pods pending termination: {extra}")
    if words(section(spec, "updateStrategy"), "type") == "OnDelete":
        return ready(f"{wanted} of {wanted} pods ready, updated on delete")
    partition = number(section(spec, "updateStrategy", "rollingUpdate"), "partition")
    if partition:
        due = max(wanted - partition, 0)
        short = _short(status, due, "updatedReplicas")
        return waiting(short) if short else ready(f"{due} pods above partition {partition} updated")
    current, update = status.get("currentRevision"), status.get("updateRevision")
    if current and update and current != update:
        return waiting(f"{number(status, 'updatedReplicas')} of {wanted} pods at revision {update}")
    return ready(f"{wanted} of {wanted} pods ready")


def daemon_set(obj: Object, context: Context) -> Readiness:
    status = section(obj, "status")
    if "observedGeneration" not in status:
        # Without it "desired 0" cannot be told from "not looked at yet".
        return waiting(UNSEEN)
    wanted = number(status, "desiredNumberScheduled")
    if wanted == 0:
        return ready("runs nowhere: no node matches")
    on_delete = words(section(obj, "spec", "updateStrategy"), "type") == "OnDelete"
    fields = ["currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady"]
    if on_delete:
        fields.remove("updatedNumberScheduled")
    short = _short(status, wanted, *fields)
    if short:
        return waiting(short)
    return ready(f"{wanted} of {wanted} pods ready" + (", updated on delete" if on_delete else ""))


def replica_set(obj: Object, context: Context) -> Readiness:
    status = section(obj, "status")
    if not status:
        return waiting(UNSEEN)
    if holds(obj, "ReplicaFailure"):
        return waiting(told(condition(obj, "ReplicaFailure"), "pods cannot be created"))
    wanted = number(section(obj, "spec"), "replicas", 1)
    short = _short(status, wanted, "replicas", "fullyLabeledReplicas", "availableReplicas", "readyReplicas")
    if short:
        return waiting(short)
    extra = number(status, "replicas") - wanted
    if extra > 0:
        return waiting(f"pods pending termination: {extra}")
    return ready(f"{wanted} of {wanted} pods ready")


def job(obj: Object, context: Context) -> Readiness:
    status = section(obj, "status")
    if holds(obj, "Failed"):
        return failed(told(condition(obj, "Failed"), "failed"))
    if holds(obj, "Complete"):
        return ready("complete")
    if holds(obj, "Suspended") or section(obj, "spec").get("suspend") is True:
        return suspended("is suspended")
    if not status:
        return waiting(UNSEEN)
    return waiting(f"{number(status, 'active')} active, {number(status, 'failed')} failed")


def pod(obj: Object, context: Context) -> Readiness:
    status = section(obj, "status")
    phase = words(status, "phase")
    if phase == "Succeeded":
        return ready("succeeded")
    if phase == "Failed":
        return failed(told(status, "") or _exit(obj))
    stuck = _hopeless(obj)
    if stuck:
        return failed(stuck)
    if phase == "Running":
        if words(section(obj, "spec"), "restartPolicy") in ("Never", "OnFailure"):
            # A task: ready containers say that it has begun, not that it has done its work.
            return waiting("running, not complete")
        return ready("running") if holds(obj, "Ready") else waiting(told(condition(obj, "Ready"), "not ready"))
    scheduled = condition(obj, "PodScheduled")
    if scheduled.get("status") == "False":
        # An autoscaler or a volume may still make room, so this is no failure, however long it lasts.
        return waiting(told(scheduled, "not scheduled"))
    return waiting(f"phase {phase}" if phase else UNSEEN)


def container_states(obj: Object) -> list[Object]:
    """Status entries of all containers of a pod, init containers first."""
    return items(obj, "status", "initContainerStatuses") + items(obj, "status", "containerStatuses")


def _hopeless(obj: Object) -> str:
    """A container that does not start by waiting. Other image errors are often a registry's hiccup."""
    for entry in container_states(obj):
        state = section(entry, "state", "waiting")
        reason, message = words(state, "reason"), words(state, "message")
        if reason in HOPELESS_REASONS or (reason in IMAGE_REASONS and "not found" in message):
            return f"container {words(entry, 'name')}: {told(state, '')}"
    return ""


def _exit(obj: Object) -> str:
    for entry in container_states(obj):
        state = section(entry, "state", "terminated")
        if number(state, "exitCode"):
            return f"container {words(entry, 'name')}: {told(state, 'exit')}, exit code {state['exitCode']}"
    return "failed"
