# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels, taints and annotations that the inventory wants for its nodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_wanted import Marks, read_marks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem

from .inventory_nodes import node_name
from .node_action import NODE_GROUPS

_KINDS = ("labels", "taints", "annotations")
_READ = {"kube_override_hostname", *(f"node_{kind}" for kind in _KINDS)}


def read(variables: Mapping[str, Any], only: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
    """Three variables of every host that is a node, by its name in the cluster: as Kubespray names it. ``only``: of
    these hosts, for Ansible takes milliseconds to collect the variables of each; None: of all."""
    hostvars, groups = variables["hostvars"], variables.get("groups") or {}
    found = {}
    for host in dict.fromkeys(host for group in NODE_GROUPS for host in groups.get(group) or []):
        if only is not None and host not in only:
            continue
        of = hostvars.raw_get(host)
        # Ansible collects all variables of a host once more to template one; most hosts have none of these.
        if not _READ.isdisjoint(of):
            of = hostvars[host]
        found[node_name(host, of)] = {kind: of.get(f"node_{kind}") for kind in _KINDS}
    return found


def parse(entries: Mapping[Any, Mapping[str, Any]]) -> tuple[dict[str, Marks], list[Problem]]:
    """By node name, and everything that is wrong with them."""
    wanted: dict[str, Marks] = {}
    problems: list[Problem] = []
    for name, entry in entries.items():
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
