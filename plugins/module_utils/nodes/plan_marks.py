# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Changed labels, taints and annotations as a part of the plan of nodes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .marks import NodeMarks
from .marks_apply import Json, plan_marks
from .marks_wanted import Marks
from .plan import UNMARKED, Action, NodeChange, NodePlan


def marked(plan: NodePlan, nodes: Iterable[Json], wanted: Mapping[str, Marks]) -> NodePlan:
    """``nodes`` are the cluster's, ``wanted`` by node name. A node that is not there yet gets its marks when it is."""
    staying = {node.name for node in plan.nodes if node.action not in UNMARKED}
    found = plan_marks(nodes, {name: marks for name, marks in wanted.items() if name in staying})
    by_name = {one.node: one for one in found.nodes}
    return replace(
        plan,
        nodes=tuple(_with(node, by_name[node.name]) if node.name in by_name else node for node in plan.nodes),
        marks=any(one.writes for one in found.nodes),
    )


def _with(node: NodeChange, found: NodeMarks) -> NodeChange:
    changes = tuple(map(str, found.changes))
    node = replace(node, notes=(*node.notes, *(f"{left} (left: changed by others since)" for left in found.left)))
    if changes and node.action is Action.UNCHANGED:
        return replace(node, action=Action.MARK, reasons=changes)
    return replace(node, notes=(*node.notes, *changes))
