# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a drained worker out of the cluster: its node object, and nothing on its host."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import CONTROL_PLANE, Actual, Desired, actual
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Store

from ..plugin_utils import inventory_nodes, kubespray, options
from ..plugin_utils.node_action import NodeAction

_SECONDS = 60
_EVERY = 0.5


class ActionModule(NodeAction):
    """``state: checked`` looks at everything that speaks against it, ``absent`` deletes the node and waits."""

    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        host = str(args.get("host") or "")
        checks = args.get("state") == "checked"
        groups = variables.get("groups") or {}
        if not any(host in (groups.get(group) or ()) for group in inventory_nodes.GROUPS):
            message = f"{host!r} is no control plane, etcd, worker or route reflector host by its groups"
            raise NodesError([Problem("SLW-8754", message, "name a host of kube_node, as the inventory spells it")])
        name = inventory_nodes.node_name(host, variables["hostvars"][host])
        with self.client(variables, agent="node_leave", reads=checks) as client:
            found = client.get(NODE.path("", name))
            node = actual(found) if found else None
            if checks:
                problems = self._problems(client, host, node, variables)
                if problems:
                    raise NodesError(problems)
                return {"changed": False, "node": name, "present": node is not None}
            if node is None:
                return {"changed": False, "node": name, "present": False}
            if not self._task.check_mode:
                must_be_drained(node)
                client.delete(NODE.path("", name), uid=node.uid)
                _wait(client, name)
            return {"changed": True, "node": name, "present": self._task.check_mode}

    def _problems(self, client: Client, host: str, node: Actual | None, variables: dict[str, Any]) -> list[Problem]:
        """The image is made of what Kubespray has put on the host: that has to be what the inventory says today."""
        args = self._task.args
        index = kubespray.index(str(args.get("cache_dir") or ""))
        record = Store(client, options.records_namespace(args)).read()
        wanted = inventory_nodes.read(variables, index, only=[host])[0]
        found = []
        if not wanted.worker_only or (node and CONTROL_PLANE in node.roles):
            found.append(
                Problem("SLW-8751", f"{host} is no worker, or not that alone", "seal a worker", wanted.where, host)
            )
        if record is None or host not in record.hosts:
            message = f"the cluster's record knows nothing of {host}, so nobody can say what it was prepared with"
            remedy = "run slipway.cluster.scale, which makes it a worker and records it"
            found.append(Problem("SLW-8754", message, remedy, wanted.where, host))
        else:
            found += changed(wanted, record.hosts[host].variables, record.kubespray, index.version)
        return found


def changed(wanted: Desired, recorded: Mapping[str, str], built: str, installed: str) -> list[Problem]:
    names = sorted(
        name for name in recorded.keys() | wanted.variables.keys() if recorded.get(name) != wanted.variables.get(name)
    )
    differing = ([f"Kubespray ({built}, now {installed})"] if built != installed else []) + names
    if not differing:
        return []
    message = f"{wanted.name} was prepared before these were changed: {', '.join(differing)}"
    remedy = "run slipway.cluster.install or slipway.cluster.upgrade first, so that the host is as the inventory says"
    return [Problem("SLW-8754", message, remedy, wanted.where, wanted.name)]


def must_be_drained(node: Actual) -> None:
    """A node that pods can still come to has not been drained by anybody."""
    if not node.cordoned:
        message = f"node {node.name} is not cordoned: it was not drained"
        raise NodesError([Problem("SLW-8752", message, "slipway.cluster.node_drain does it", host=node.name)])


def _wait(client: Client, name: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while client.get(NODE.path("", name)) is not None:
        if time.monotonic() > deadline:
            message = f"node {name} is deleted, and still there after {_SECONDS} s: something holds it, or it came back"
            raise NodesError([Problem("SLW-8752", message, "see its finalizers; is its kubelet stopped?", host=name)])
        time.sleep(_EVERY)
