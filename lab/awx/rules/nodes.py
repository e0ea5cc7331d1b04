# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nodes of a workflow: their order has no circles."""

from __future__ import annotations

from lab.awx.kinds import KINDS
from lab.awx.kinds_work import AFTER
from lab.awx.refusal import RefusalError
from lab.awx.store import Object, Store

NODES = "workflow_job_template_nodes"


def check_next(store: Store, node: Object, link: str, other: Object) -> None:
    """:raises RefusalError: when a node cannot come after another one in this way."""
    if node["workflow_job_template"] != other["workflow_job_template"]:
        raise RefusalError(400, {"Error": "Cannot associate nodes of different workflows."})
    if node["id"] == other["id"] or node["id"] in _following(store, other["id"]):
        raise RefusalError(400, {"Error": "Cycle detected."})
    kind = KINDS[NODES]
    if any(other["id"] in store.linked(kind, node["id"], way) for way in AFTER if way != link):
        raise RefusalError(400, {"Error": "Relationship not allowed."})


def _following(store: Store, number: int) -> set[int]:
    seen: set[int] = set()
    waiting = [number]
    while waiting:
        for way in AFTER:
            for after in store.linked(KINDS[NODES], waiting[-1], way):
                if after not in seen:
                    seen.add(after)
                    waiting.insert(0, after)
        waiting.pop()
    return seen
