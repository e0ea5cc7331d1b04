# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Labels, taints and annotations written to nodes: only to those that differ, never over what others wrote since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..kube.client import MERGE, METADATA, Client
from ..kube.errors import ApiError
from ..kube.objects import NODE
from .marks import NodeMarks, differences, patch_of
from .marks_wanted import Marks
from .problem import NodesError, Problem

MANAGER = "slipway-nodes"
ATTEMPTS = 8
"""Of one write, when somebody else changes the node at the same time. A kubelet writes every few minutes."""
_AT_ONCE = 8

Json = dict[str, Any]


@dataclass(frozen=True)
class MarksPlan:
    """``nodes``: those that differ, by name. ``absent``: wanted for, and not in the cluster (yet)."""

    nodes: tuple[NodeMarks, ...]
    absent: tuple[str, ...]


def plan_marks(nodes: Iterable[Json], wanted: Mapping[str, Marks]) -> MarksPlan:
    """``nodes`` are the cluster's; ``wanted`` by node name, with an empty one where nothing is wanted any more. Nodes
    that ``wanted`` does not name are left alone."""
    live = {str(node["metadata"]["name"]): node for node in nodes}
    found = [differences(live[name], marks) for name, marks in wanted.items() if name in live]
    return MarksPlan(
        nodes=tuple(sorted((one for one in found if one.writes or one.left), key=lambda one: one.node)),
        absent=tuple(sorted(set(wanted) - set(live))),
    )


def apply_marks(
    client: Client, wanted: Mapping[str, Marks], *, dry: bool = False, emit: Callable[[NodeMarks], None] | None = None
) -> MarksPlan:
    """One list, and one write for each node that differs. ``emit`` is called for each node once it is written (from
    several threads). Raises ``NodesError`` SLW-8608 with every node that could not be written."""
    nodes = client.list(NODE.collection())
    plan = plan_marks(nodes, wanted)
    writing = [one for one in plan.nodes if one.writes]
    if dry or not writing:
        return plan
    live = {str(node["metadata"]["name"]): node for node in nodes}

    def work(one: NodeMarks) -> tuple[NodeMarks, Problem | None]:
        return _write(client, live[one.node], one, wanted[one.node], emit)

    with ThreadPoolExecutor(min(_AT_ONCE, len(writing))) as pool:
        done = list(pool.map(work, writing))
    failed = [problem for _one, problem in done if problem is not None]
    if failed:
        raise NodesError(failed)
    written = {one.node: one for one, _problem in done}
    return MarksPlan(tuple(written.get(one.node, one) for one in plan.nodes), plan.absent)


def _write(
    client: Client, node: Json, found: NodeMarks, wanted: Marks, emit: Callable[[NodeMarks], None] | None
) -> tuple[NodeMarks, Problem | None]:
    path = NODE.path("", found.node)
    why = ""
    for _attempt in range(ATTEMPTS):
        try:
            client.write("PATCH", path, patch_of(node, found), {"fieldManager": MANAGER}, MERGE, accept=METADATA)
        except ApiError as exc:
            if exc.status not in (404, 409):
                return found, _problem(found.node, exc.api_message)
            why = exc.api_message
        else:
            if emit is not None:
                emit(found)
            return found, None
        again = client.get(path)
        if again is None or again["metadata"]["uid"] != node["metadata"]["uid"]:
            return found, _problem(found.node, "the node went away")
        node, found = again, differences(again, wanted)
        if not found.writes:
            return found, None
    return found, _problem(found.node, f"others change it all the time: {why}")


def _problem(name: str, why: str) -> Problem:
    return Problem("SLW-8608", f"node {name}: labels, taints and annotations were not written: {why}", host=name)


def told(plan: MarksPlan) -> Sequence[str]:
    """Lines for a reader, one for each change, and for each mark that is not ours to remove any more."""
    lines = []
    for one in plan.nodes:
        lines += [f"~ node {one.node:<20} {change}" for change in one.changes]
        lines += [f"  node {one.node:<20} {left} (left: changed by others since)" for left in one.left]
    return lines
