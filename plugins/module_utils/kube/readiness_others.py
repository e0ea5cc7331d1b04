# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Readiness of storage, network and API objects: PVC, Service, CRD, APIService, HPA, Namespace."""

from __future__ import annotations

from .readiness_model import (
    Context,
    Object,
    Readiness,
    State,
    condition,
    failed,
    holds,
    items,
    ready,
    section,
    told,
    waiting,
    words,
)

HPA_FAULTS = frozenset({"FailedGetScale", "FailedUpdateScale", "FailedGetResourceMetric", "InvalidSelector"})
HPA_METRICS_GRACE = 120.0
"""Seconds in which metrics of new pods may still be missing: metrics-server needs one or two scrapes."""

NAMESPACE_FAULTS = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
)
SELECTED_NODE = "volume.kubernetes.io/selected-node"


def always(obj: Object, context: Context) -> Readiness:
    """Kinds that are what they are as soon as they are stored."""
    return ready()


def claim(obj: Object, context: Context) -> Readiness:
    phase = words(section(obj, "status"), "phase")
    if phase == "Bound":
        return ready("bound")
    if phase == "Lost":
        return failed("its volume is lost")
    name = words(section(obj, "spec"), "storageClassName")
    mode = context.binding_mode(name) if context.binding_mode else None
    # The scheduler writes the annotation as soon as a pod uses the claim; from then on binding is due.
    used = SELECTED_NODE in section(obj, "metadata", "annotations")
    if mode == "WaitForFirstConsumer" and not used:
        return ready("waits for its first consumer")
    return waiting(f"{phase or 'Pending'}, " + (f"storage class {name}" if name else "no storage class"))


def service(obj: Object, context: Context) -> Readiness:
    if words(section(obj, "spec"), "type") != "LoadBalancer":
        return ready()
    addresses = items(obj, "status", "loadBalancer", "ingress")
    if addresses:
        return ready(", ".join(words(a, "ip") or words(a, "hostname") for a in addresses))
    message = "no load balancer address yet"
    return waiting(message) if context.load_balancer == "required" else ready(message)


def definition(obj: Object, context: Context) -> Readiness:
    names, established = condition(obj, "NamesAccepted"), condition(obj, "Established")
    if names.get("status") == "False":
        return failed(told(names, "names not accepted"))
    if established.get("status") == "True":
        return ready("established")
    if established.get("status") == "False" and established.get("reason") != "Installing":
        return failed(told(established, "not established"))
    return waiting(told(established, "not established yet"))


def api_service(obj: Object, context: Context) -> Readiness:
    available = condition(obj, "Available")
    return ready("available") if available.get("status") == "True" else waiting(told(available, "not available yet"))


def autoscaler(obj: Object, context: Context) -> Readiness:
    for entry in items(obj, "status", "conditions"):
        reason = words(entry, "reason")
        if entry.get("status") != "False" or reason not in HPA_FAULTS:
            continue
        young = context.age is not None and context.age < HPA_METRICS_GRACE
        if reason == "FailedGetResourceMetric" and young:
            return ready("no metrics yet")
        return failed(told(entry, reason))
    return ready()


def namespace(obj: Object, context: Context) -> Readiness:
    phase = words(section(obj, "status"), "phase") or "Active"
    return ready() if phase == "Active" else Readiness(State.TERMINATING, "; ".join(remains(obj)) or phase)


def remains(obj: Object) -> list[str]:
    """What keeps a terminating namespace, worst first."""
    return [told(condition(obj, kind), kind) for kind in NAMESPACE_FAULTS if holds(obj, kind)]
