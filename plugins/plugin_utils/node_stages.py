# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of a node operation, for the action: status, plan, begin, lock, note what is reached, finish, abandon."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.accounts import INSTALLER
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.nodes import facts, upgrade
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.arrival import until_ready
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import GROUPS, runs_kubelet
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import JOINING, SCALE, Action, NodePlan
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record, Store, from_data, to_data
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_status import status_dict, status_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_text import nodes_dict, nodes_lines

from . import inventory_nodes, kubespray, node_status, options
from .node_lock import NodeLock
from .node_planner import Planner, version
from .scope import RESULT, TOUCHED

_TOKEN_LETTERS = string.ascii_lowercase + string.digits
_PARTIAL = (SCALE, JOINING, upgrade.WORKERS)
"""Runs after which other hosts may still be as an earlier Kubespray left them."""

_UNREACHABLE = {"reset_nodes": False, "allow_ungraceful_removal": True, "drain_timeout": "15s", "drain_grace_period": 0}
"""For hosts that cannot be reached: Kubespray leaves them alone, and does not wait for pods that nobody ends."""


class Stages:
    """``say`` gets lines for people."""

    def __init__(
        self,
        action: ActionBase,
        variables: dict[str, Any],
        *,
        masker: Masker,
        say: Callable[[str], None],
        verbose: bool,
        alive: Callable[[], bool],
    ) -> None:
        self._action = action
        self._args: Mapping[str, Any] = action._task.args
        self._variables = variables
        self._say = say
        self._verbose = verbose
        self._lock = NodeLock(
            action,
            variables,
            kubeconfig=options.admin_kubeconfig(self._args),
            seconds=options.number(self._args, "node_lock_duration", 3600, 60),
            dead=str(self._args.get("dead_run") or ""),
        )
        self._planner = Planner(action, variables, self._lock, masker=masker, alive=alive)

    def plan(self) -> dict[str, Any]:
        """Tell what would be done. Add-ons can be planned without Kubespray, so that its absence is no error here."""
        if kubespray.folder() is None:
            text = f"NODES {self._planner.name}  not compared: {kubespray.missing()}"
            self._say(text)
            return {"changed": False, "skipped": True, "msg": text}
        plan = self._planner.plan()[2]
        self._tell(plan)
        answer = _answer(plan)
        return {**answer, **self._judged(answer["result"], changes=answer["changed"])}

    def status(self) -> dict[str, Any]:
        """Tell what is there. What cannot be looked at is told as well, and is no failure."""
        found = node_status.take(self._planner, self._lock, self._variables)
        for line in status_lines(found, verbose=self._verbose):
            self._say(line)
        return {"changed": False, "status": status_dict(found), **self._judged(found.result, changes=found.changes)}

    def begin(self) -> dict[str, Any]:
        """Tell what is to be done, and have the hosts known. Raises ``NodesError`` when it must not begin."""
        seen, hosts, plan = self._planner.plan()
        self._tell(plan)
        plan.check()
        answer = _answer(plan)
        runs = {} if self._action._task.check_mode else answer["plan"]["runs"]
        unreachable = set(options.names(self._args, "remove_unreachable"))
        # A machine that is to come out of an image is not there yet, and nobody logs in to it.
        visited = {host for run, chosen in runs.items() if run != JOINING for host in chosen}
        touched = sorted(visited - unreachable)
        recorded = {host for chosen in answer["plan"]["runs"].values() for host in chosen}
        recorded |= {node.name for node in plan.nodes if node.action is Action.ADOPT}
        return {
            **answer,
            # Only its lock and its tokens are left to be done with.
            "unfinished": self._lock.abandoned and not plan.changes,
            "members": sorted(seen.live or {}),
            "answers": seen.live is not None,
            "first": dict(seen.record.first) if seen.record else {},
            # Only these will be recorded, and what tasks hand on is templated again and again.
            "desired": to_data(Record("").with_hosts(host for host in hosts if host.name in recorded)),
            RESULT: {
                "runs": {**runs, TOUCHED: touched},
                "facts": facts.of_others(hosts, seen.live, seen.record) if runs else {},
                "given": {name: dict(_UNREACHABLE) for name in unreachable},
            },
        }

    def lock(self) -> dict[str, Any]:
        """From here on nobody else works on the nodes. Raises ``NodesError`` SLW-8304."""
        if self._action._task.check_mode:
            return {"changed": False, "locked": False}
        token_id = "".join(secrets.choice(_TOKEN_LETTERS) for _letter in range(6))
        earlier = self._lock.take(
            self._planner.operation,
            token_id,
            creates=options.flag(self._args, "creates", False),
            removes=options.names(self._args, "hosts"),
        )
        if earlier:
            self._say(f"{earlier}; this run goes on from what is there")
        return {"changed": False, "locked": True, "tokens": [token_id, *(earlier.tokens if earlier else ())]}

    def reached(self) -> dict[str, Any]:
        """One of Kubespray's playbooks is through: its nodes are waited for and recorded."""
        run = str(self._args.get("run"))
        names = set(options.names(self._args, "hosts"))
        adopted = options.flag(self._args, "adopts", False)
        # As they were before Kubespray set variables of its own.
        desired = from_data(self._args.get("desired") or {}).hosts
        hosts = {name: host for name, host in desired.items() if name in names}
        waiting = [host.override or name for name, host in hosts.items() if runs_kubelet(host.roles)]
        with self._planner.client(INSTALLER) as client:
            timeout = options.number(self._args, "node_timeout", 300)
            until_ready(client, waiting if timeout and not adopted else [], timeout=timeout, say=self._say)
            store = Store(client, self._planner.namespace)
            record = store.read() or Record(str(self._variables["slipway_name"]), adopted=adopted)
            groups = self._variables["groups"]
            there = {host for group in GROUPS for host in groups.get(group) or ()}
            # A host that was made an image, and is nobody's node any more.
            gone = [n for n in record.hosts.keys() - there if client.get(NODE.path("", record.node(n))) is None]
            record = record.without(gone)
            first = {group: groups[group][0] for group in ("kube_control_plane", "etcd") if groups.get(group)}
            built = record.kubespray if run in _PARTIAL and record.kubespray else self._planner.index().version
            record = replace(
                record, hosts={**record.hosts, **hosts}, kubespray=built, kubernetes=version(client), first=first
            )
            # What another run has recorded meanwhile is newer.
            self._lock.renew(run)
            store.write(record)
        return {"changed": False, "recorded": sorted(names)}

    def cleared(self) -> dict[str, Any]:
        """Nothing is left outside of the cluster. Raises ``NodesError`` SLW-8309."""
        self._lock.renew(cleared=True)
        return {"changed": False}

    def finish(self) -> dict[str, Any]:
        """All is done that was to be done with nodes. Raises ``NodesError`` SLW-8309."""
        self._lock.release()
        return {"changed": False, "locked": False}

    def abandon(self) -> dict[str, Any]:
        """The run has failed with the lock in its hand, as far as it knew."""
        if self._lock.abandon():
            self._say("NODES  this run's claim on the nodes has ended with it: the next one goes on from here")
        else:
            self._say("NODES  this run had lost its claim on the nodes: another may be at work on them")
        return {"changed": False, "locked": False}

    def forget(self) -> dict[str, Any]:
        """Nodes are gone. Raises ``NodesError`` SLW-8309, and SLW-8313 when Kubespray has left one in the cluster."""
        names = options.names(self._args, "hosts")
        nodes = inventory_nodes.node_names(self._variables, names)
        self._lock.renew()
        with self._planner.client(INSTALLER) as client:
            if options.flag(self._args, "delete", False):
                for name in nodes:
                    client.delete(NODE.path("", name))
            left = [name for name in nodes if client.get(NODE.path("", name)) is not None]
            if left:
                remedy = "look at what Kubespray said; the next run goes on from here"
                raise NodesError([Problem("SLW-8313", f"{name} is still in the cluster", remedy) for name in left])
            store = Store(client, self._planner.namespace)
            record = store.read()
            if record is not None:
                store.write(record.without(names))
        return {"changed": False, "forgotten": list(names)}

    def _judged(self, result: str, *, changes: bool) -> dict[str, Any]:
        """``failing``: what of this the user wants the run to fail on."""
        found = {"changes"} if changes else set()
        return {"result": result, "failing": sorted(found.intersection(options.fail_on(self._args)))}

    def _tell(self, plan: NodePlan) -> None:
        for line in nodes_lines(plan, self._planner.name, verbose=self._verbose):
            self._say(line)


def _answer(plan: NodePlan) -> dict[str, Any]:
    changed = plan.changes or plan.marks
    return {"changed": changed, "plan": nodes_dict(plan), "result": "changes" if changed else "unchanged"}
