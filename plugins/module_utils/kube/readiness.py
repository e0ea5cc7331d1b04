# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Is an object ready? One rule per kind, one verdict per object, no request to anybody.

Only fields that exist are judged. A kind without a rule of its own is judged as a custom resource: by the conditions
its add-on declares, else by the ``Ready`` condition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from . import readiness_others as others
from . import readiness_workloads as workloads
from .readiness_model import (
    Context,
    Object,
    Readiness,
    Rule,
    State,
    condition,
    failed,
    group_of,
    holds,
    items,
    ready,
    section,
    told,
    waiting,
    words,
)

__all__ = ["DeclaredCondition", "Readiness", "State", "assess", "assess_absent"]

STATUS_GRACE = 15.0
"""Seconds that a controller gets for its first status, where the kind has one."""

FAULT_TYPES = ("Stalled", "Failed")
PROGRESS_TYPES = frozenset({"Progressing", "Reconciling", "Pending", "Installing", "Issuing"})

RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("", "ReplicationController"): workloads.replica_set,
    ("batch", "Job"): workloads.job,
    ("", "Pod"): workloads.pod,
    ("", "PersistentVolumeClaim"): others.claim,
    ("", "Service"): others.service,
    ("", "Namespace"): others.namespace,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): others.definition,
    ("apiregistration.k8s.io", "APIService"): others.api_service,
    ("autoscaling", "HorizontalPodAutoscaler"): others.autoscaler,
    ("", "ConfigMap"): others.always,
    ("", "Secret"): others.always,
    ("batch", "CronJob"): others.always,
    ("networking.k8s.io", "Ingress"): others.always,
    ("policy", "PodDisruptionBudget"): others.always,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): others.always,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): others.always,
}


class DeclaredCondition(Protocol):
    """What an add-on says about its kinds: ``kind`` is ready when condition ``type`` has ``status``.

    An empty ``group`` matches every group. A condition that is wanted ``False`` names a fault.
    """

    @property
    def kind(self) -> str:
        """Kind of the objects."""

    @property
    def type(self) -> str:
        """Type of the condition."""

    @property
    def status(self) -> str:
        """Status that means ready."""

    @property
    def group(self) -> str:
        """API group, or nothing for any."""


def assess(
    obj: Object,
    *,
    conditions: Sequence[DeclaredCondition] = (),
    load_balancer: str = "required",
    status_expected: bool = False,
    age: float | None = None,
    binding_mode: Callable[[str], str | None] | None = None,
) -> Readiness:
    """Judge one live object.

    ``status_expected``: the kind's schema has a ``status``, so none at all means that nobody has looked yet; given
    up after 15 s of ``age`` (seconds since creation; None is never old enough).
    ``binding_mode``: volumeBindingMode by StorageClass name, ``""`` standing for the default class.
    """
    general = _any_kind(obj)
    if general is not None:
        return general
    declared = [wish for wish in conditions if wish.kind == obj.get("kind") and wish.group in ("", group_of(obj))]
    rule = RULES.get((group_of(obj), words(obj, "kind")))
    if rule is None:
        return _by_declared(obj, declared) if declared else _by_ready(obj, status_expected, age)
    verdict = rule(obj, Context(load_balancer, binding_mode, age))
    return _by_declared(obj, declared) if verdict.state is State.READY and declared else verdict


def assess_absent(desired: Object) -> Readiness:
    """Judge an object that was applied and is not there any more."""
    is_job = (group_of(desired), desired.get("kind")) == ("batch", "Job")
    if is_job and "ttlSecondsAfterFinished" in section(desired, "spec"):
        return ready("finished and removed by its time to live")
    return failed("disappeared while it was waited for")


def _any_kind(obj: Object) -> Readiness | None:
    """What holds for every kind; None leaves the verdict to the kind's rule."""
    metadata = section(obj, "metadata")
    if metadata.get("deletionTimestamp"):
        finalizers = metadata.get("finalizers") or section(obj, "spec").get("finalizers") or []
        remains = others.remains(obj) if obj.get("kind") == "Namespace" else []
        names = ", ".join(str(name) for name in finalizers)
        message = f"being deleted since {metadata['deletionTimestamp']}" + (f", finalizers {names}" if names else "")
        return Readiness(State.TERMINATING, "; ".join([message, *remains]))
    generation, observed = metadata.get("generation"), section(obj, "status").get("observedGeneration")
    if generation is not None and observed is not None and str(generation) != str(observed):
        return waiting(f"generation {generation} not seen yet, last seen {observed}")
    if obj.get("kind") != "Job":
        # A Job's own rule reads its Failed condition together with the others.
        for kind in FAULT_TYPES:
            if holds(obj, kind) and not _stale(obj, condition(obj, kind)):
                return failed(told(condition(obj, kind), kind))
    if holds(obj, "Reconciling"):
        return waiting(told(condition(obj, "Reconciling"), "reconciling"))
    return None


def _by_declared(obj: Object, declared: Sequence[DeclaredCondition]) -> Readiness:
    """All declared conditions must hold; a fault is reported before what is merely not there yet."""
    pending = ""
    for wish in declared:
        entry = condition(obj, wish.type)
        status = entry.get("status")
        if status == wish.status and not _stale(obj, entry):
            continue
        if wish.status == "False" and status == "True" and not _stale(obj, entry) and wish.type not in PROGRESS_TYPES:
            return failed(told(entry, wish.type))
        pending = pending or (
            f"{wish.type} is {status}: {told(entry, 'no reason given')}"
            if entry
            else f"condition {wish.type} not set yet"
        )
    if pending:
        return waiting(pending)
    return ready(", ".join(f"{wish.type} is {wish.status}" for wish in declared))


def _by_ready(obj: Object, status_expected: bool, age: float | None) -> Readiness:
    if not section(obj, "status") and status_expected and (age is None or age < STATUS_GRACE):
        return waiting("no status yet")
    if not any(entry.get("type") == "Ready" for entry in items(obj, "status", "conditions")):
        return ready()
    entry = condition(obj, "Ready")
    if _stale(obj, entry):
        return waiting("condition Ready is of an older generation")
    if entry.get("status") == "True":
        return ready(words(entry, "message"))
    return waiting(told(entry, f"Ready is {entry.get('status')}"))


def _stale(obj: Object, entry: Object) -> bool:
    """Some controllers say per condition which generation they judged."""
    generation, observed = section(obj, "metadata").get("generation"), entry.get("observedGeneration")
    return generation is not None and observed is not None and str(observed) != str(generation)
