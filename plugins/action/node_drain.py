# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cordon and drain nodes, or take our own cordons back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.batches import batches
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.cordon import expect, is_ours, uncordon
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.drain import (
    FAILED,
    Drained,
    Settings,
    drain,
    drain_plan,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError

from ..plugin_utils import inventory_nodes, options
from ..plugin_utils.node_action import NodeAction, Teller
from ..plugin_utils.node_lock import NodeLock

display = Display()


class ActionModule(NodeAction):
    """Names in, progress lines while it lasts, what became of each node out."""

    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        names = inventory_nodes.node_names(variables, options.names(args, "nodes"))
        with self.client(variables, agent="node_drain") as client:
            if args.get("state") == "uncordoned":
                return self._uncordon(client, names)
            if args.get("state") == "expected":
                return self._expect(client, names)
            groups = batches(names, args.get("batch") or 1, variable="slipway_drain_batch") if names else []
            if self._task.check_mode:
                return _result(drain_plan(client, names))
            return _result(drain(client, groups, _settings(args, variables), Teller(), self._through(variables)))

    def _through(self, variables: Mapping[str, Any]) -> Callable[[], None]:
        """What is done after each batch: a drain may outlast the run's claim on the nodes."""
        seconds = options.number(self._task.args, "node_lock_duration", 0)
        if not seconds:
            return lambda: None
        kubeconfig = options.admin_kubeconfig(self._task.args)
        return NodeLock(self, variables, kubeconfig=kubeconfig, seconds=seconds).renew

    def _uncordon(self, client: Client, names: Sequence[str]) -> dict[str, Any]:
        """Cordons that an earlier run has left. Those of others stay."""
        words = {True: "uncordoned", False: "left", None: "absent"}
        ours = {node["metadata"]["name"]: is_ours(node) for node in client.list(NODE.collection())}
        done = {
            name: uncordon(client, name, dry=self._task.check_mode) if ours.get(name) else ours.get(name)
            for name in names
        }
        return {"changed": any(done.values()), "nodes": _outcomes(done, words)}

    def _expect(self, client: Client, names: Sequence[str]) -> dict[str, Any]:
        """Kubespray cordons the nodes that it upgrades, and when it fails it leaves them so, for good."""
        words = {True: "expected", False: "left", None: "absent"}
        done = {} if self._task.check_mode else {name: expect(client, name) for name in names}
        return {"changed": False, "nodes": _outcomes(done, words)}


def _outcomes(done: Mapping[str, bool | None], words: Mapping[bool | None, str]) -> list[dict[str, str]]:
    return [{"node": name, "outcome": words[taken]} for name, taken in done.items()]


def _settings(args: Mapping[str, Any], variables: Mapping[str, Any]) -> Settings:
    grace = options.number(args, "grace_period", -1, -1)
    return Settings(
        timeout=options.number(args, "timeout", 600, 1),
        grace=None if grace < 0 else int(grace),
        lost=frozenset(inventory_nodes.node_names(variables, options.names(args, "lost"))),
        unreachable=frozenset(inventory_nodes.node_names(variables, options.names(args, "unreachable"))),
        keep_cordon=options.flag(args, "keep_cordon", False),
    )


def _result(done: Sequence[Drained]) -> dict[str, Any]:
    problems = [one.problem for one in done if one.problem is not None]
    result: dict[str, Any] = {"changed": any(one.changed for one in done), "nodes": [one.as_dict() for one in done]}
    if any(one.outcome == FAILED for one in done):
        result.update(failed=True, msg=str(NodesError(problems)), code=problems[0].code)
        result["problems"] = [problem.as_dict() for problem in problems]
    return result
