# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconcile labels, taints and annotations of all nodes with the inventory, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_apply import MarksPlan, apply_marks, told
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity

from ..plugin_utils import inventory_marks, options
from ..plugin_utils.node_action import NodeAction, stop_at

display = Display()


class ActionModule(NodeAction):
    """The inventory in, one pass over the API, what differed out."""

    _supports_diff = True

    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        # No host is none of them, and not all.
        only = options.names(args, "hosts") if args.get("hosts") is not None else None
        given = args.get("nodes") or inventory_marks.read(variables, only)
        wanted, problems = inventory_marks.parse(given)
        stop_at(problems)
        with self.client(variables, agent="node_marks") as client:
            plan = apply_marks(client, wanted, dry=self._task.check_mode)
        for line in told(plan):
            display.display(line)
        for one in plan.nodes:
            if one.unreadable:
                display.warning(str(unreadable(one.node)))
        return result_of(plan)


def unreadable(node: str) -> Problem:
    return Problem(
        "SLW-8607",
        f"node {node}: what an earlier run set could not be read, so nothing of it was removed",
        "remove by hand what the inventory no longer has",
        host=node,
        severity=Severity.WARNING,
    )


def result_of(plan: MarksPlan) -> dict[str, Any]:
    return {
        "changed": any(one.writes for one in plan.nodes),
        "nodes": {one.node: [change.as_dict() for change in one.changes] for one in plan.nodes if one.changes},
        "left": {one.node: list(one.left) for one in plan.nodes if one.left},
        "absent": list(plan.absent),
    }
