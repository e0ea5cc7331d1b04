# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Pods moved off a node through the eviction API, which keeps every PodDisruptionBudget."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..kube.client import Client
from ..kube.errors import ApiError, UnreachableError
from .pods import pod_name

Json = dict[str, Any]


class Answer(Enum):
    """What became of one request to evict. LATER: ask again; NEVER: asking again is of no use."""

    GOING = "going"
    GONE = "gone"
    BLOCKED = "blocked"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True)
class Evicted:
    answer: Answer
    why: str = ""


def evict(client: Client, pod: Json, *, grace: int | None, dry: bool = False) -> Evicted:
    """Asks once. ``grace``: seconds that the pod has to end; None: as it says itself."""
    meta = pod["metadata"]
    options: Json = {"preconditions": {"uid": meta["uid"]}}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    body: Json = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "deleteOptions": options,
    }
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/eviction"
    try:
        client.write("POST", path, body, {"dryRun": "All"} if dry else None, patience=0)
    except ApiError as exc:
        return _refused(exc, pod)
    except UnreachableError as exc:
        return Evicted(Answer.LATER, exc.message)
    return Evicted(Answer.GOING)


def delete_finished(client: Client, pod: Json) -> None:
    """A pod that has ended disturbs nobody: no budget counts it."""
    meta = pod["metadata"]
    client.delete(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", uid=meta["uid"])


def _refused(exc: ApiError, pod: Json) -> Evicted:
    if exc.status == 404 or (exc.status == 409 and "uid" in exc.api_message.lower()):
        return Evicted(Answer.GONE)
    if exc.status == 429:
        causes = [cause for cause in exc.causes if cause.reason == "DisruptionBudget"]
        if causes:
            return Evicted(Answer.BLOCKED, "; ".join(cause.message for cause in causes))
        return Evicted(Answer.LATER, exc.api_message)
    if any(cause.reason == "NamespaceTerminating" for cause in exc.causes):
        # Its namespace takes it away.
        return Evicted(Answer.GOING)
    if exc.status == 500 and "more than one PodDisruptionBudget" in exc.api_message:
        return Evicted(Answer.NEVER, exc.api_message)
    if exc.status in (409, 500, 502, 503, 504):
        return Evicted(Answer.LATER, exc.api_message)
    return Evicted(Answer.NEVER, f"{pod_name(pod)}: {exc.api_message}")
