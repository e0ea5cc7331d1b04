# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let nodes join from images: a token for the batch, its requests approved, and all of it taken away again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.nodes import join_batch
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_data import Cluster
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_requests import Batch
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_wait import Arrival
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem

from ..plugin_utils import join_files, join_hosts, options
from ..plugin_utils.join_files import format_of
from ..plugin_utils.join_hosts import batch_of, rendered
from ..plugin_utils.node_action import NodeAction, Teller, stop_at

display = Display()
_STARTING = 600
"""Seconds that the token lives beside the time that nodes are waited for: machines have to be started, too."""
_UNKNOWN = Cluster("aaaaaa.aaaaaaaaaaaaaaaa", "sha256:" + "0" * 64, "127.0.0.1:6443")
"""In place of what is not there yet, where only hosts are looked at."""


@dataclass(frozen=True)
class _Wishes:
    """The task's options, read before anything is done."""

    names: list[str]
    everyone: bool
    base: Path
    kind: str
    data_dir: str
    endpoint: str
    timeout: float
    life: float


class ActionModule(NodeAction):
    """One stage a task; the token stays in the files and is in no result."""

    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        stages: dict[str, Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]]] = {
            "check": self._check,
            "begin": self._begin,
            "wait": self._wait,
            "end": self._end,
        }
        stage = str(args.get("stage") or "check")
        if stage not in stages:
            raise options.bad_option("join stage", stage, f"one of {', '.join(stages)}")
        return stages[stage](args, variables)

    def _check(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Whether the batch could begin. Nothing is made."""
        wishes = self._wishes(args, variables)
        with self.client(variables, agent="node_join", reads=True) as client:
            joins = self._joins(client, args, variables, wishes)
        return {"changed": False, "nodes": batch_of(joins, {})}

    def _begin(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        wishes = self._wishes(args, variables)
        with self.client(variables, agent="node_join") as client:
            joins = self._joins(client, args, variables, wishes)
            if not joins or self._task.check_mode:
                return {"changed": bool(joins), "nodes": batch_of(joins, {}), "batch": {}}
            folder = join_files.folder(wishes.data_dir, wishes.base)
            begun = join_batch.begin(
                client,
                str(args.get("name") or ""),
                [one.asked.name for one in joins],
                life=wishes.life,
                alone=options.flag(args, "alone", False),
            )
            self._masker.add([begun.token])
            try:
                cluster = Cluster(begun.token, begun.ca_hash, wishes.endpoint or begun.endpoint)
                data = rendered(joins, cluster)
                files = folder.write(data, wishes.kind)
            except BaseException:
                join_batch.end(client, str(args.get("name") or ""), begun.batch)
                raise
        for what in begun.removed:
            display.display(f"removed what an earlier run left on the cluster: {what}")
        nodes = batch_of(joins, files)
        for one in nodes:
            display.display(f"  {one['name']:<20} {one['address']:<16} user-data in {one['user_data_file']}")
        return {
            "changed": True,
            "nodes": nodes,
            "folder": str(folder.path),
            "batch": {
                "id": begun.batch,
                "token_id": begun.token_id,
                "expires": begun.expires,
                "endpoint": cluster.endpoint,
                "control_plane": sorted({*begun.control_plane, *join_hosts.control_plane(variables)}),
                "nodes": {one.name: one.address for one in data},
                "folder": "" if folder.kept else str(folder.path),
            },
        }

    def _wait(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        given = args.get("batch") or {}
        if not given:
            return {"changed": False, "nodes": [], "denied": []}
        batch = Batch(str(given["token_id"]), dict(given["nodes"]), frozenset(given["control_plane"]))
        with self.client(variables, agent="node_join") as client:
            arrival = Arrival(client, batch, _Teller(), expires=str(given.get("expires") or ""))
            stories = arrival.run(_timeout(args))
        denied = [
            {"request": one.request, "node": one.node, "code": one.code, "message": one.message}
            for one in arrival.denied
        ]
        return {"changed": True, "nodes": [one.as_dict() for one in stories], "denied": denied}

    def _end(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        given = args.get("batch") or {}
        if not given:
            return {"changed": False, "removed": []}
        join_files.remove(str(given.get("folder") or ""))
        with self.client(variables, agent="node_join") as client:
            removed = join_batch.end(client, str(args.get("name") or ""), str(given["id"]))
        return {"changed": bool(removed), "removed": removed}

    def _wishes(self, args: Mapping[str, Any], variables: dict[str, Any]) -> _Wishes:
        """Raises ``NodesError`` and ``EngineError``; whatever can be wrong without a cluster."""
        base = options.files_dir(args, variables)
        named = options.names(args, "hosts")
        timeout = _timeout(args)
        return _Wishes(
            names=join_hosts.chosen(variables, named),
            everyone=not named,
            base=base,
            kind=format_of(args),
            data_dir=str(args.get("data_dir") or ""),
            endpoint=str(args.get("endpoint") or ""),
            timeout=timeout,
            life=min(options.number(args, "token_seconds", 3600, 60), timeout + _STARTING),
        )

    def _joins(
        self, client: Client, args: Mapping[str, Any], variables: dict[str, Any], wishes: _Wishes
    ) -> list[join_hosts.Joins]:
        """Hosts that join: those that were named, or all that are not there yet. Raises ``NodesError`` with all that
        speaks against any of them; warnings are shown."""
        names = wishes.names
        if wishes.everyone:
            there = join_hosts.present(client, variables, names)
            for name in there:
                display.display(f"  {name} is a node already")
            names = [name for name in names if name not in there]
        if not names:
            return []
        cache = str(args.get("cache_dir") or "")
        joins = join_hosts.read(variables, names, files=wishes.base, cache_dir=cache)
        problems: list[Problem] = []
        try:
            endpoint = wishes.endpoint or _UNKNOWN.endpoint
            rendered(joins, Cluster(_UNKNOWN.token, _UNKNOWN.ca_hash, endpoint))
        except NodesError as exc:
            problems += exc.problems
        namespace = options.records_namespace(args)
        stop_at([*problems, *join_hosts.misfits(client, variables, joins, namespace)])
        return joins


class _Teller(Teller):
    """What is denied is a warning, too."""

    def __call__(self, node: str, state: str, detail: str) -> None:
        super().__call__(node, state, detail)
        if state == "denied":
            display.warning(f"a request to join was denied: {detail}")


def _timeout(args: Mapping[str, Any]) -> float:
    """Raises ``NodesError`` SLW-8707: without a wait nobody approves, and no node could ever join."""
    found = options.number(args, "timeout", 300)
    if found <= 0:
        message = "slipway_join_wait is 0: nobody would approve the nodes' requests, and none of them could join"
        raise NodesError([Problem("SLW-8707", message, "give the seconds in which the machines start and join")])
    return found
