# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconcile labels, taints and annotations of all nodes with the inventory, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_apply import MarksPlan, apply_marks, told
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_wanted import Marks, read_marks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity

from ..plugin_utils.node_action import NODE_GROUPS, NodeAction, stop_at

display = Display()
_KINDS = ("labels", "taints", "annotations")
_READ = {"kube_override_hostname", *(f"node_{kind}" for kind in _KINDS)}


class ActionModule(NodeAction):
    """The inventory in, one pass over the API, what differed out."""

    _supports_diff = True

    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        wanted, problems = self._wanted(args, variables)
        stop_at(problems)
        with self.client(variables, agent="node_marks") as client:
            plan = apply_marks(client, wanted, dry=self._task.check_mode)
        for line in told(plan):
            display.display(line)
        for one in plan.nodes:
            if one.unreadable:
                display.warning(str(unreadable(one.node)))
        return result_of(plan)

    def _wanted(self, args: Mapping[str, Any], variables: Mapping[str, Any]) -> tuple[dict[str, Marks], list[Problem]]:
        """By node name, from ``nodes`` or from the hosts of Kubespray's groups."""
        wanted: dict[str, Marks] = {}
        problems: list[Problem] = []
        for name, entry in (args.get("nodes") or inventory(variables)).items():
            marks, wrong = read_marks(
                entry.get("labels"),
                entry.get("taints"),
                entry.get("annotations"),
                host=str(name),
                where=str(entry.get("where") or ""),
            )
            wanted[str(name)] = marks
            problems += wrong
        return wanted, problems


def inventory(variables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Three variables of every host that is a node, by its name in the cluster: as Kubespray names it."""
    hostvars, groups = variables["hostvars"], variables.get("groups") or {}
    found = {}
    for host in dict.fromkeys(host for group in NODE_GROUPS for host in groups.get(group) or []):
        of = hostvars.raw_get(host)
        # Ansible collects all variables of a host once more to template one; most hosts have none of these.
        if not _READ.isdisjoint(of):
            of = hostvars[host]
        node = str(of.get("kube_override_hostname") or host)
        found[node] = {kind: of.get(f"node_{kind}") for kind in _KINDS}
    return found


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
