# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is there of nodes and cluster, and in what it is not as the inventory says. Pure: the plan tells the latter.

What could not be looked at is a problem beside what could.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..kube.objects import Json
from .claim import Claim
from .marks_wanted import Marks
from .model import CONTROL_PLANE, ETCD, REFLECTOR, WORKER, Actual, Desired
from .plan import IDLE, Action, Wanted, make
from .plan_marks import marked
from .problem import Problem, Severity
from .record import Record
from .upgrade_path import KUBELET_SKEW
from .versions import minors_between, parse

_ORDER = (CONTROL_PLANE, ETCD, WORKER, REFLECTOR)
_NEWER = "newer than the API server"


@dataclass(frozen=True)
class Found:
    """What could be looked at. ``there``: whether there is a cluster. ``live``: the API's nodes by name, None where it
    did not answer; ``objects`` are these as it gave them, ``server`` is its version. ``installed``: version of the
    Kubespray that is installed, empty: none. ``claim``: what stands in the lock, where that was looked at.
    ``problems``: what could not be told, and why."""

    there: bool = True
    live: Mapping[str, Actual] | None = None
    objects: Sequence[Json] = ()
    server: str = ""
    record: Record | None = None
    installed: str = ""
    claim: Claim | None = None
    problems: Sequence[Problem] = ()


@dataclass(frozen=True)
class NodeStatus:
    """One node. ``node`` is None where the API has none of this name. ``action`` is what a plan would do (None: nobody
    can tell), ``reasons`` why; ``skew`` says how its kubelet differs from the API server. ``where`` it stands in the
    inventory."""

    name: str
    roles: tuple[str, ...]
    action: Action | None
    node: Actual | None = None
    reasons: tuple[str, ...] = ()
    skew: str = ""
    where: str = ""

    @property
    def ready(self) -> bool:
        """A host for etcd alone is none of the API's nodes, and nothing is known against it."""
        return self.node.ready if self.node else self.roles == (ETCD,)

    @property
    def planned(self) -> bool:
        """Whether what a plan says of it is worth telling. That nobody has adopted the cluster is told of the cluster,
        not of each of its nodes."""
        return self.action not in (None, Action.UNCHANGED, Action.ADOPT)

    @property
    def differs(self) -> bool:
        """Whether a run would do something with it."""
        return self.action is not None and self.action not in IDLE

    @property
    def remarkable(self) -> bool:
        return self.planned or not self.ready or bool(self.skew) or bool(self.node and self.node.cordoned)


@dataclass(frozen=True)
class Status:
    """``reasons`` are those of the cluster as a whole, as a plan gives them. ``differs``: nodes, versions or the record
    are not as the inventory says."""

    name: str
    found: Found
    nodes: tuple[NodeStatus, ...]
    reasons: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    differs: bool = False

    @property
    def answers(self) -> bool:
        return self.found.live is not None

    @property
    def result(self) -> str:
        """``error`` (something is not ready, or could not be looked at), ``changes`` (not as in the inventory, or a run
        did not come to its end) or ``unchanged``."""
        found = self.found
        if found.there and not self.answers:
            return "error"
        broken = any(node.node is not None and not node.ready for node in self.nodes)
        if broken or any(problem.severity is Severity.ERROR for problem in self.problems):
            return "error"
        return "changes" if self.changes else "unchanged"

    @property
    def changes(self) -> bool:
        """Whether something is not as in the inventory, or a run did not come to its end: what is not ready may hide
        it from the result."""
        unfinished = self.found.claim is not None and not self.found.claim.holds
        return unfinished or self.differs


def status(wanted: Wanted, found: Found, marks: Mapping[str, Marks]) -> Status:
    """``marks``: labels, taints and annotations that the inventory has, by node. ``wanted.kubespray`` is empty without
    an installed Kubespray: then nothing is said of its version and of variables."""
    if found.there and found.live is None:
        nodes = tuple(NodeStatus(host.name, _ordered(host.roles), None, where=host.where) for host in wanted.hosts)
        return Status(wanted.name, found, nodes, problems=tuple(found.problems))
    record = found.record
    compared = wanted if wanted.kubespray else _without_kubespray(wanted, record)
    plan = make(replace(compared, operation="plan"), found.live if found.there else None, record)
    plan = marked(plan, found.objects, marks)
    hosts = {host.name: host for host in wanted.hosts}
    nodes = tuple(
        NodeStatus(
            name=change.name,
            roles=_roles((found.live or {}).get(change.name), hosts.get(change.name)),
            action=change.action,
            node=(found.live or {}).get(change.name),
            reasons=change.reasons,
            skew=_skew((found.live or {}).get(change.name), found.server),
            where=change.where,
        )
        for change in plan.nodes
    )
    differs = bool(plan.reasons or plan.problems) or any(node.differs for node in nodes)
    reasons = plan.reasons if found.there else ()
    return Status(wanted.name, found, nodes, reasons, (*found.problems, *plan.problems), differs)


def _without_kubespray(wanted: Wanted, record: Record | None) -> Wanted:
    """Which variables count is known by the installed Kubespray alone, and what it would install as well."""
    known = record.hosts if record else {}
    hosts = [replace(host, variables=known[host.name].variables if host.name in known else {}) for host in wanted.hosts]
    return replace(wanted, hosts=hosts, kubespray=record.kubespray if record else "", kubernetes="")


def _roles(node: Actual | None, host: Desired | None) -> tuple[str, ...]:
    """What the API says; of etcd it knows nothing, and not of every route reflector."""
    if node is None:
        return _ordered(host.roles if host else ())
    return _ordered({*node.roles, *((host.roles if host else frozenset()) & {ETCD, REFLECTOR})})


def _ordered(roles: Sequence[str] | frozenset[str] | set[str]) -> tuple[str, ...]:
    return tuple(role for role in _ORDER if role in roles)


def _skew(node: Actual | None, server: str) -> str:
    """How a kubelet differs from the API server; empty when it does not, or nobody can tell."""
    kubelet, api = parse(node.kubelet) if node else None, parse(server)
    if kubelet is None or api is None or kubelet == api:
        return ""
    behind = minors_between(kubelet, api)
    if kubelet.line > api.line:
        return f"{_NEWER} ({api}), which is not supported"
    if behind is None or behind > KUBELET_SKEW:
        return f"more than {KUBELET_SKEW} minor versions behind the API server ({api}), which is not supported"
    return f"the API server has {api}"
