# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of a node operation, for the action: compare and plan, begin, note what is reached, finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import UnreachableError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.accounts import INSTALLER, READER
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray import kubernetes
from ansible_collections.slipway.cluster.plugins.module_utils.nodes import facts, upgrade
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_removals import Used
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_usage import Asked, asked_of, used_by_releases
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.arrival import until_ready
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import Actual, by_name, runs_kubelet
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import SCALE, NodePlan, Wanted, make
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record, Store, from_data, to_data
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.upgrade_path import Offer, Running, api_problems
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_text import nodes_dict, nodes_lines

from . import inventory_nodes, kubespray, options, origin
from .cluster import by_ssh, opened
from .node_lock import NodeLock
from .scope import RESULT, TOUCHED

_PARTIAL = (SCALE, upgrade.WORKERS)
"""Runs after which other hosts may still be as an earlier Kubespray left them."""


@dataclass(frozen=True)
class Seen:
    """What is there: ``live`` is None where there is no cluster yet. For an upgrade also the API server's version, and
    which versions of APIs are in use."""

    live: Mapping[str, Actual] | None
    record: Record | None
    server: str = ""
    used: Sequence[Used] = ()
    asked: Sequence[Asked] = ()


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
        self._masker = masker
        self._say = say
        self._verbose = verbose
        self._alive = alive
        self._operation = str(self._args.get("operation") or "install")
        self._lock = NodeLock(
            action,
            variables,
            kubeconfig=str(self._args.get("admin_kubeconfig") or "/etc/kubernetes/admin.conf"),
            seconds=options.number(self._args, "node_lock_duration", 3600, 60),
        )

    def plan(self) -> dict[str, Any]:
        """Tell what would be done."""
        return self._answer(self._planned()[1])

    def begin(self) -> dict[str, Any]:
        """Tell what is to be done, and have the hosts known. Raises ``NodesError`` when it must not begin."""
        if self._variables.get("ansible_limit"):
            raise NodesError(
                [
                    Problem(
                        "SLW-8303",
                        f"--limit {self._variables['ansible_limit']} is given, and nodes are compared as a whole",
                        "run without --limit: only hosts that have something to be done are contacted",
                    )
                ]
            )
        seen, plan = self._planned()
        plan.check()
        answer = self._answer(plan)
        runs = {} if self._action._task.check_mode else answer["plan"]["runs"]
        touched = sorted({host for hosts in runs.values() for host in hosts})
        return {
            **answer,
            "members": sorted(seen.live or {}),
            "first": dict(seen.record.first) if seen.record else {},
            "desired": to_data(Record("").with_hosts(self._hosts)),
            RESULT: {
                "runs": {**runs, TOUCHED: touched},
                "facts": facts.of_others(self._hosts, seen.live, seen.record) if runs else {},
            },
        }

    def lock(self) -> dict[str, Any]:
        """From here on nobody else works on the nodes. Raises ``NodesError`` SLW-8304."""
        if self._action._task.check_mode:
            return {"changed": False, "locked": False}
        if earlier := self._lock.take(self._operation):
            self._say(f"{earlier}; this run goes on from what is there")
        return {"changed": False, "locked": True}

    def reached(self) -> dict[str, Any]:
        """One of Kubespray's playbooks is through: its nodes are waited for and recorded."""
        run = str(self._args.get("run"))
        names = set(options.names(self._args, "hosts"))
        adopted = options.flag(self._args, "adopts", False)
        # As they were before Kubespray set variables of its own.
        desired = from_data(self._args.get("desired") or {}).hosts
        hosts = {name: host for name, host in desired.items() if name in names}
        with self._client(INSTALLER) as client:
            timeout = options.number(self._args, "node_timeout", 300)
            waiting = [n for n, host in hosts.items() if runs_kubelet(host.roles)] if timeout and not adopted else []
            until_ready(client, waiting, timeout=timeout, say=self._say)
            store = Store(client, self._namespace)
            record = store.read() or Record(str(self._variables["slipway_name"]), adopted=adopted)
            groups = self._variables["groups"]
            first = {group: groups[group][0] for group in ("kube_control_plane", "etcd") if groups.get(group)}
            built = record.kubespray if run in _PARTIAL and record.kubespray else self._index().version
            record = replace(
                record, hosts={**record.hosts, **hosts}, kubespray=built, kubernetes=_version(client), first=first
            )
            store.write(record)
        self._lock.reached(run)
        return {"changed": False, "recorded": sorted(names)}

    def finish(self) -> dict[str, Any]:
        """All is done that was to be done with nodes."""
        self._lock.release()
        return {"changed": False}

    def _planned(self) -> tuple[Seen, NodePlan]:
        seen = self._look()
        index = self._index()
        self._hosts = inventory_nodes.read(self._variables, index)
        wanted = Wanted(
            operation=self._operation,
            name=str(self._args.get("name") or ""),
            hosts=self._hosts,
            kubespray=index.version,
            kubernetes=self._kubernetes(),
            absent=frozenset(options.names(self._args, "absent_nodes")),
            converge=options.flag(self._args, "converge", False),
            adopt=self._consent("adopt_cluster"),
            inventory=self._inventory(),
        )
        plan = self._upgrade(wanted, seen) if self._operation == "upgrade" else make(wanted, seen.live, seen.record)
        for line in nodes_lines(plan, wanted.name, verbose=self._verbose):
            self._say(line)
        return seen, plan

    def _upgrade(self, wanted: Wanted, seen: Seen) -> NodePlan:
        if seen.live is None:
            return make(wanted, None, None)
        known = self._versions()
        offer = Offer(wanted.kubespray, known[-1] if known else "", known)
        built_by = seen.record.kubespray if seen.record else ""
        running = Running(seen.server, seen.live, kubespray=built_by)
        where = str(origin.position(self._variables.get("kube_version")) or "")
        return upgrade.make(
            wanted,
            running,
            seen.record,
            offer,
            where=where,
            apis=api_problems(seen.used, seen.asked, wanted.kubernetes),
        )

    def _answer(self, plan: NodePlan) -> dict[str, Any]:
        return {"changed": plan.changes, "plan": nodes_dict(plan), "result": "changes" if plan.changes else "unchanged"}

    def _look(self) -> Seen:
        """Raises ``NodesError`` SLW-8311 for a cluster that does not answer, and ``KubeError``."""
        direct = not by_ssh(self._args, self._variables, self._action._connection.transport)
        # A host that is no part of a cluster has nobody to ask for a token.
        if not direct and not self._lock.cluster_is_there():
            return Seen(None, None)
        try:
            with self._client(READER) as client:
                seen = Seen(by_name(client.list(NODE.collection())), Store(client, self._namespace).read())
                if self._operation != "upgrade":
                    return seen
                used = used_by_releases(client, name=str(self._args.get("name")), namespace=self._namespace)
                return replace(seen, server=_version(client), used=used, asked=asked_of(client))
        except UnreachableError as exc:
            if direct and not self._lock.cluster_is_there():
                return Seen(None, None)
            if options.flag(self._args, "converge", False):
                return Seen(None, None)
            raise NodesError(
                [
                    Problem(
                        "SLW-8311",
                        f"there is a cluster, and its API does not answer: {exc.message}",
                        "bring it back; or let Kubespray run on all hosts without a look: -e slipway_converge=true",
                    )
                ]
            ) from exc

    @contextmanager
    def _client(self, rights: str) -> Iterator[Client]:
        with opened(
            self._action, self._args, self._variables, rights=rights, masker=self._masker, alive=self._alive
        ) as cluster:
            yield Client(cluster.access, user_agent=f"slipway ({self._operation} nodes)")

    def _index(self) -> Any:
        return kubespray.index(str(self._args.get("cache_dir") or ""))

    def _kubernetes(self) -> str:
        """The version that Kubespray would install: the user's, or its own default."""
        chosen = self._action._templar.template(self._variables.get("kube_version") or "")
        if chosen:
            return str(chosen).removeprefix("v")
        known = self._versions()
        return known[0] if known else ""

    def _versions(self) -> tuple[str, ...]:
        found = kubespray.folder()
        return kubernetes.versions(found) if found else ()

    def _consent(self, option: str) -> bool:
        """Given by the cluster's name and nothing else."""
        given = str(self._args.get(option) or "")
        return bool(given) and given == str(self._args.get("name") or "")

    def _inventory(self) -> str:
        sources = self._variables.get("ansible_inventory_sources") or []
        return origin.shown(str(sources[0])) if sources else ""

    @property
    def _namespace(self) -> str:
        return str(self._args.get("namespace") or "slipway-system")


def _version(client: Client) -> str:
    """The API server's, without ``v``."""
    return str((client.get("/version") or {}).get("gitVersion", "")).removeprefix("v")
