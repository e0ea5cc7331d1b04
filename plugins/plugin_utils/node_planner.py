# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there, and what is to be done with it: for each operation on nodes its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.accounts import READER
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE, Json
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray import kubernetes
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index
from ansible_collections.slipway.cluster.plugins.module_utils.nodes import removal, unseen, upgrade
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_removals import Used
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_servers import servers
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_usage import Asked, asked_of, used_by_releases
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.batches import batch_size
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.guards_pods import budget_warnings
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_wanted import Marks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import Actual, Desired, by_name
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.names import Names, problems_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import NodePlan, Wanted, make
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan_marks import marked
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record, Store
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.upgrade_path import Offer, Running, api_problems

from . import inventory_marks, inventory_nodes, kubespray, node_removal, options, origin
from .cluster import by_ssh, opened
from .node_lock import NodeLock

NO_ANSWER = "SLW-6102"
"""Also where it is the host that gets no answer, and says so."""

_OBJECTS = {
    "pods": "/api/v1/pods",
    "volumes": "/api/v1/persistentvolumes",
    "claims": "/api/v1/persistentvolumeclaims",
    "budgets": "/apis/policy/v1/poddisruptionbudgets",
}


@dataclass(frozen=True)
class Seen:
    """What is there, in the names of hosts: ``live`` is None where there is no cluster yet, or where its API does not
    answer; ``silent`` is what was heard from it then. For an upgrade also the API servers' versions, and which versions
    of APIs are in use; for it and for a removal all pods, volumes, claims and budgets, by name."""

    live: Mapping[str, Actual] | None
    record: Record | None
    silent: str = ""
    nodes: Sequence[Json] = ()
    server: str = ""
    servers: Mapping[str, str] = field(default_factory=dict)
    used: Sequence[Used] = ()
    asked: Sequence[Asked] = ()
    objects: Mapping[str, Sequence[Json]] = field(default_factory=dict)


class Planner:
    """For the action of the first control plane host."""

    def __init__(
        self,
        action: ActionBase,
        variables: dict[str, Any],
        lock: NodeLock,
        *,
        masker: Masker,
        alive: Callable[[], bool],
    ) -> None:
        self._action = action
        self._args: Mapping[str, Any] = action._task.args
        self._variables = variables
        self._lock = lock
        self._masker = masker
        self._alive = alive
        self.operation = str(self._args.get("operation") or "install")
        self.name = str(self._args.get("name") or "")

    def plan(self) -> tuple[Seen, list[Desired], NodePlan]:
        """Raises ``NodesError`` for what cannot even be looked at, and ``KubeError``."""
        index = self.index()
        hosts = inventory_nodes.read(self._variables, index)
        seen = self._look(hosts)
        wanted = self.wanted(hosts, index.version)
        makers: dict[str, Callable[[Wanted, Seen], NodePlan]] = {
            "upgrade": self._upgrade,
            "remove": self._removal,
            "remove_cluster": self._reset,
            "replace": self._replacement,
        }
        maker = makers.get(self.operation, self._comparison)
        return seen, hosts, self._with_marks(maker(wanted, seen), seen, hosts)

    def wanted(self, hosts: Sequence[Desired], installed: str) -> Wanted:
        """``installed``: version of Kubespray."""
        return Wanted(
            operation=self.operation,
            name=self.name,
            hosts=hosts,
            kubespray=installed,
            kubernetes=self._kubernetes(),
            absent=frozenset(options.names(self._args, "absent_nodes")),
            converge=options.flag(self._args, "converge", False),
            adopt=self._consent("adopt_cluster"),
            inventory=self._inventory(),
        )

    def _with_marks(self, plan: NodePlan, seen: Seen, hosts: Sequence[Desired]) -> NodePlan:
        """What is wrong with them, and with names, is told before anything begins."""
        if self.operation == "remove_cluster":
            return plan
        wanted, problems = self.marks(hosts, seen.record)
        return replace(marked(plan, seen.nodes, wanted), problems=(*plan.problems, *problems))

    def marks(self, hosts: Sequence[Desired], record: Record | None) -> tuple[dict[str, Marks], list[Problem]]:
        """Those that the inventory has, by host, and everything that is wrong with them and with names of nodes."""
        names = Names.of(hosts, record)
        wanted, problems = inventory_marks.parse(inventory_marks.read(self._variables))
        return {names.host(node): marks for node, marks in wanted.items()}, [*problems, *problems_of(hosts, record)]

    def _comparison(self, wanted: Wanted, seen: Seen) -> NodePlan:
        return unseen.make(wanted) if seen.silent else make(wanted, seen.live, seen.record)

    def _upgrade(self, wanted: Wanted, seen: Seen) -> NodePlan:
        self._check_batch("slipway_upgrade_batch")
        if seen.live is None:
            return make(wanted, None, None)
        known = self._versions()
        offer = Offer(wanted.kubespray, known[-1] if known else "", known)
        built_by = seen.record.kubespray if seen.record else ""
        running = Running(seen.server, seen.live, seen.servers, built_by)
        where = str(origin.position(self._variables.get("kube_version")) or "")
        plan = upgrade.make(
            wanted,
            running,
            seen.record,
            offer,
            where=where,
            apis=api_problems(seen.used, seen.asked, wanted.kubernetes),
        )
        drained = {name for names in plan.runs.values() for name in names}
        held = budget_warnings(drained, seen.objects.get("pods", ()), seen.objects.get("budgets", ()))
        return replace(plan, problems=(*plan.problems, *held))

    def _check_batch(self, variable: str) -> None:
        """Who reads it comes to it when the run has begun. Raises ``NodesError`` SLW-8420."""
        batch_size(self._action._templar.template(self._variables.get(variable) or 1), 1, variable=variable)

    def _removal(self, wanted: Wanted, seen: Seen) -> NodePlan:
        self._check_batch("slipway_drain_batch")
        if not self.by_host:
            self._lock.cluster_is_there()
        begun = self._lock.claim.removes if self._lock.claim else ()
        return node_removal.plan(self._args, self._variables, wanted, seen, begun)

    def _replacement(self, wanted: Wanted, seen: Seen) -> NodePlan:
        return node_removal.replacing(self._args, self._variables, wanted, seen)

    def _reset(self, wanted: Wanted, seen: Seen) -> NodePlan:
        elsewhere = options.names(self._args, "shown_by")
        first = str(self._variables.get("inventory_hostname") or "")
        claim = self._lock.claim
        blind = removal.Unseen(
            silent=seen.silent or (f"{first} shows none, and {', '.join(elsewhere)} one" if elsewhere else ""),
            cleared=claim is not None and claim.cleared,
            leaves=not options.flag(self._args, "remove_external", True),
        )
        consent = str(self._args.get("remove_cluster") or "")
        return removal.of_cluster(wanted, seen.live, seen.record, consent, blind)

    def _look(self, hosts: Sequence[Desired]) -> Seen:
        """Raises ``NodesError`` SLW-8311 for a cluster that does not answer, and ``KubeError``."""
        direct = not self.by_host
        # A host that is no part of a cluster has nobody to ask for a token.
        if not direct and not self._lock.cluster_is_there():
            return Seen(None, None)
        try:
            with self.client(READER) as client:
                objects = client.list(NODE.collection())
                record = Store(client, self.namespace).read()
                if record is None and self._half_built(direct):
                    record = Record(self.name)
                names = Names.of(hosts, record)
                nodes = names.nodes(objects)
                seen = Seen(by_name(nodes), record, nodes=nodes)
                if self.operation in ("remove", "upgrade", "replace"):
                    seen = replace(seen, objects=self._objects(client, names))
                if self.operation != "upgrade":
                    return seen
                used = used_by_releases(client, name=str(self._args.get("name")), namespace=self.namespace)
                seen = replace(seen, server=version(client), servers=names.keys(servers(client)))
                return replace(seen, used=used, asked=asked_of(client))
        except KubeError as exc:
            if exc.code != NO_ANSWER:
                raise
            if direct and not self._lock.cluster_is_there():
                return Seen(None, None)
            if self.operation == "remove_cluster":
                return Seen(None, None, silent=exc.message)
            if self._lock.half_built:
                return Seen(None, None)
            if self.operation in unseen.OPERATIONS and options.flag(self._args, "converge", False):
                return Seen(None, None, silent=exc.message)
            raise NodesError([unanswered(exc)]) from exc

    def _half_built(self, direct: bool) -> bool:
        """Whether it is runs of ours that made the cluster, and they died before they wrote a record. Who plans by an
        API that needs no host asks none."""
        if direct and self.operation != "plan":
            self._lock.cluster_is_there()
        return self._lock.half_built

    def _objects(self, client: Client, names: Names) -> dict[str, list[Json]]:
        found = {kind: client.list(path) for kind, path in _OBJECTS.items()}
        return {**found, "pods": names.pods(found["pods"])}

    @contextmanager
    def client(self, rights: str, patience: float = 60.0) -> Iterator[Client]:
        """``patience``: seconds that the API server gets to answer."""
        with opened(
            self._action,
            self._args,
            self._variables,
            rights=rights,
            masker=self._masker,
            alive=self._alive,
            tidy=lambda: False,
        ) as cluster:
            yield Client(cluster.access, user_agent=f"slipway ({self.operation} nodes)", patience=patience)

    def index(self) -> Index:
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
    def by_host(self) -> bool:
        """Whether the first control plane host opens the API, so that it can be asked for more."""
        return by_ssh(self._args, self._variables, self._action._connection.transport)

    @property
    def namespace(self) -> str:
        return options.records_namespace(self._args)


def unanswered(exc: KubeError) -> Problem:
    return Problem(
        "SLW-8311",
        f"there is a cluster, and its API does not answer: {exc.message}",
        "bring it back; or let Kubespray run on all hosts without a look: "
        "slipway.cluster.install -e slipway_converge=true",
    )


def version(client: Client) -> str:
    """Of the API server, without ``v``."""
    return str((client.get("/version") or {}).get("gitVersion", "")).removeprefix("v")
