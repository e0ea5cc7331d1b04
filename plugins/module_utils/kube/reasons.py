# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Why is an object not ready? Short lines for people, read from the cluster once a wait has failed.

The verdict itself (``readiness.assess``) is not repeated; these lines say what stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from .readiness_model import Object, condition, group_of, holds, items, section, told, words
from .readiness_others import remains
from .reasons_look import Look, Reader, one_line, warnings
from .reasons_pods import pods_of, why_claim, why_pod

__all__ = ["MAX_LINES", "Reader", "explain"]

MAX_LINES = 8


def explain(reader: Reader, obj: Object, now: datetime | None = None) -> list[str]:
    """At most eight lines on one live object that is not ready; ``now`` is the server's time."""
    look = Look(reader, now or datetime.now(UTC))
    lines = _deletion(obj) if section(obj, "metadata").get("deletionTimestamp") else []
    lines += EXPLAINERS.get((group_of(obj), words(obj, "kind")), _conditions)(look, obj)
    lines += warnings(look, obj, lines)
    if look.refused:
        lines.append(look.refused)
    return _bounded(list(dict.fromkeys(lines)))


def _bounded(lines: list[str]) -> list[str]:
    if len(lines) <= MAX_LINES:
        return lines
    return [*lines[: MAX_LINES - 1], f"and {len(lines) - MAX_LINES + 1} more"]


def _workload(look: Look, obj: Object) -> list[str]:
    lines = [one_line(told(entry, "")) for entry in _faults(obj, "ReplicaFailure", "Failed")]
    pods = pods_of(look, obj)
    told_pods = [why_pod(look, pod) for pod in pods]
    # The first line of every pod comes before the second of any: with eight lines, each gets its say.
    lines += [own[0] for own in told_pods]
    return lines + [line for own in told_pods for line in own[1:]]


def _faults(obj: Object, *kinds: str) -> list[Object]:
    return [condition(obj, kind) for kind in kinds if holds(obj, kind)]


def _claim(look: Look, obj: Object) -> list[str]:
    metadata = section(obj, "metadata")
    return why_claim(look, words(metadata, "namespace"), words(metadata, "name"))


def _service(look: Look, obj: Object) -> list[str]:
    waits = words(section(obj, "spec"), "type") == "LoadBalancer"
    if not waits or items(obj, "status", "loadBalancer", "ingress"):
        return []
    name, chosen = words(section(obj, "metadata"), "name"), words(section(obj, "spec"), "loadBalancerClass")
    provider = f"load balancer class {chosen}" if chosen else "a load balancer"
    return [f"Service {name}: no address: nothing in the cluster that provides {provider} has answered"]


def _namespace(look: Look, obj: Object) -> list[str]:
    return [one_line(line) for line in remains(obj)]


def _conditions(look: Look, obj: Object) -> list[str]:
    """Of a kind without an explainer: its conditions that are not well, as it words them."""
    lines = []
    for entry in items(obj, "status", "conditions"):
        kind, status = words(entry, "type"), words(entry, "status")
        bad = status == "True" if kind in ("Stalled", "Failed", "Degraded", "Reconciling") else status != "True"
        if bad and words(entry, "message"):
            lines.append(one_line(f"{kind} is {status}: {told(entry, '')}"))
    return lines


def _deletion(obj: Object) -> list[str]:
    """Each finalizer with who set it: that is who should have taken it away."""
    metadata = section(obj, "metadata")
    setters: dict[str, str] = {}
    for entry in items(obj, "metadata", "managedFields"):
        for key in section(entry, "fieldsV1", "f:metadata", "f:finalizers"):
            if key.startswith("v:"):
                setters[key[2:].strip('"')] = words(entry, "manager")
    return [
        f"finalizer {name}, set by {setters.get(name) or 'an unknown client'}, is not taken away"
        for name in metadata.get("finalizers") or []
    ]


EXPLAINERS: dict[tuple[str, str], Callable[[Look, Object], list[str]]] = {
    ("apps", "Deployment"): _workload,
    ("apps", "StatefulSet"): _workload,
    ("apps", "DaemonSet"): _workload,
    ("apps", "ReplicaSet"): _workload,
    ("batch", "Job"): _workload,
    ("", "Pod"): why_pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
    ("", "Namespace"): _namespace,
}
