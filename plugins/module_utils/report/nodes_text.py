# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan of nodes, as text and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..nodes.plan import JOINING, Action, NodeChange, NodePlan
from ..nodes.problem import Severity
from ..nodes.replacement import REPLACING
from ..nodes.upgrade import LEADING, WORKERS

SIGNS = {
    Action.JOIN: "+",
    Action.CONVERGE: "~",
    Action.MARK: "~",
    Action.UPGRADE: "~",
    Action.REMOVE: "-",
    Action.ADOPT: "~",
    Action.STRANGER: "?",
    Action.ABSENT: "?",
    Action.UNCHANGED: "=",
}
_PLAYBOOKS = {LEADING: "upgrade_cluster", WORKERS: "upgrade_cluster"}
_MANY = 20


def nodes_lines(plan: NodePlan, name: str, *, verbose: bool = False) -> Iterator[str]:
    """``name`` is the ``slipway_name``."""
    counts = Counter(node.action for node in plan.nodes)
    parts = [f"{counts[action]} {action.value}" for action in Action if counts[action]]
    yield f"NODES {name}  {len(plan.nodes)} nodes: {', '.join(parts) or 'none'}"
    for reason in plan.reasons:
        yield f"! cluster  {reason}"
    width = min(24, max((len(node.name) for node in plan.nodes), default=0))
    quiet = 0
    for node in plan.nodes:
        if node.action is Action.UNCHANGED and not node.notes and not verbose:
            quiet += 1
            continue
        yield _line(node, width)
        for note in node.notes:
            yield f"    {note}"
    if quiet:
        yield f"= {quiet} unchanged (-v shows them)"
    for playbook, hosts in plan.runs.items():
        shown = ", ".join(hosts[:_MANY]) + (f" and {len(hosts) - _MANY} more" if len(hosts) > _MANY else "")
        if playbook == REPLACING:
            yield f"  {shown}: drained and removed, each batch when what takes its place is Ready"
        elif playbook == JOINING:
            yield f"  {shown}: out of an image, by a token, without SSH"
        else:
            yield f"  Kubespray's {_PLAYBOOKS.get(playbook, playbook)} runs on {shown}"
    if not set(plan.runs) - {JOINING, REPLACING}:
        yield "  Kubespray has nothing to do"
    for problem in plan.problems:
        if problem.severity is not Severity.ERROR:
            yield f"! {problem}"


def _line(node: NodeChange, width: int) -> str:
    text = f"{SIGNS[node.action]} {node.name:<{width}}  {node.action.value:<9}  {'; '.join(node.reasons)}"
    return f"{text.rstrip()}  {node.where}".rstrip()


def nodes_dict(plan: NodePlan) -> dict[str, Any]:
    """For JSON and ``set_stats``."""
    return {
        "changes": plan.changes,
        "creates": plan.creates,
        "answers": plan.answers,
        "adopts": plan.adopts,
        "marks": plan.marks,
        "marking": list(plan.marking),
        "reasons": list(plan.reasons),
        "runs": {playbook: list(hosts) for playbook, hosts in plan.runs.items()},
        "batches": [{what: list(hosts) for what, hosts in batch.items()} for batch in plan.batches],
        "nodes": [
            {
                "name": node.name,
                "action": node.action.value,
                "reasons": list(node.reasons),
                "notes": list(node.notes),
                "where": node.where,
            }
            for node in plan.nodes
        ],
        "problems": [problem.as_dict() for problem in plan.problems],
    }
