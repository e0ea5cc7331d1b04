# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a run would do with the nodes, and the reason for each of it. Pure: inventory, API and record in, plan out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .model import CONTROL_PLANE, ETCD, IMAGE, REFLECTOR, SOURCES, WORKER, Actual, Desired
from .problem import NodesError, Problem, Severity
from .record import Host, Record

CLUSTER = "cluster"
SCALE = "scale"
JOINING = "join"
"""No playbook of Kubespray: nodes that come out of a prepared image."""


class Action(StrEnum):
    """MARK: labels, taints or annotations alone. STRANGER: in the cluster, not in the inventory. ABSENT: left out of
    this run, by ``slipway_absent_nodes`` or for the reason that is told."""

    JOIN = "join"
    CONVERGE = "converge"
    MARK = "mark"
    UPGRADE = "upgrade"
    REMOVE = "remove"
    ADOPT = "adopt"
    UNCHANGED = "unchanged"
    STRANGER = "stranger"
    ABSENT = "absent"


IDLE = (Action.UNCHANGED, Action.ADOPT, Action.STRANGER, Action.ABSENT)
"""No run would do anything with such a node."""

UNMARKED = (Action.REMOVE, Action.STRANGER, Action.ABSENT)
"""Nothing is written to such a node."""


@dataclass(frozen=True)
class NodeChange:
    """``reasons`` say why, ``notes`` what else is to be known of the node."""

    name: str
    action: Action
    reasons: tuple[str, ...] = ()
    where: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodePlan:
    """``runs`` are Kubespray's playbooks, and ``JOINING``, with the hosts that each acts on, in their order; empty:
    there is nothing to do. ``creates``: there is no cluster yet. ``answers``: what is planned was compared with the
    cluster, as far as there is one; False: its API did not answer. ``marks``: labels, taints or annotations are to be
    written. ``problems`` that are errors keep a run from beginning. ``batches``, where nodes are replaced: the names
    that ``join`` and that ``remove`` together."""

    operation: str
    reasons: tuple[str, ...]
    nodes: tuple[NodeChange, ...]
    runs: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...] = ()
    adopts: bool = False
    creates: bool = False
    answers: bool = True
    marks: bool = False
    batches: tuple[Mapping[str, tuple[str, ...]], ...] = ()

    @property
    def changes(self) -> bool:
        return self.adopts or bool(self.runs)

    @property
    def marking(self) -> tuple[str, ...]:
        """Whose labels, taints and annotations the run sees to: nodes that it works on or changes. Those that it
        leaves alone, or takes out, are none of them."""
        visited = {name for hosts in self.runs.values() for name in hosts}
        return tuple(
            node.name
            for node in self.nodes
            if node.action not in UNMARKED and (node.action is not Action.UNCHANGED or node.name in visited)
        )

    def check(self) -> None:
        """Raises ``NodesError`` with all that keeps a run from beginning."""
        errors = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        if errors:
            raise NodesError(errors)


@dataclass(frozen=True)
class Wanted:
    """What the user and the installed Kubespray say.

    ``kubernetes`` is the version that Kubespray would install (empty: not known before it runs). ``absent`` are nodes
    that a run leaves alone; ``converge`` asks for Kubespray whatever the record says; ``adopt`` is the consent to take
    over a cluster without a record.
    """

    operation: str
    name: str
    hosts: Sequence[Desired]
    kubespray: str
    kubernetes: str = ""
    absent: frozenset[str] = frozenset()
    converge: bool = False
    adopt: bool = False
    inventory: str = ""


@dataclass
class _Draft:
    reasons: list[str] = field(default_factory=list)
    nodes: dict[str, NodeChange] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def make(wanted: Wanted, live: Mapping[str, Actual] | None, record: Record | None) -> NodePlan:
    """``live``: the API's nodes by name; None: there is no cluster yet. ``record``: None where nobody wrote one."""
    if live is None:
        return _create(wanted)
    draft = _Draft(problems=source_problems(wanted))
    adopts = record is None
    if record is None:
        _adopt(wanted, live, draft)
    elif record.name != wanted.name:
        draft.problems.append(other_cluster(record, wanted))
    known = record.hosts if record else {}
    _versions(wanted, record, draft)
    followed = {host.replaces: host.name for host in wanted.hosts if host.replaces and host.name in live}
    for host in wanted.hosts:
        if host.name in followed and host.name not in live:
            draft.nodes[host.name] = replaced(host, followed[host.name])
        else:
            draft.nodes[host.name] = _host(wanted, host, live, known, record)
    for name in sorted((set(live) | set(known)) - {host.name for host in wanted.hosts}):
        draft.nodes[name] = _stranger(name, live, known, wanted)
    runs = _runs(wanted, draft)
    return NodePlan(
        operation=wanted.operation,
        reasons=tuple(draft.reasons),
        nodes=tuple(draft.nodes.values()),
        runs=runs,
        problems=tuple(draft.problems),
        adopts=adopts,
    )


def source_problems(wanted: Wanted) -> list[Problem]:
    """What of ``slipway_node_source`` cannot be."""
    problems = []
    for host in wanted.hosts:
        if host.source not in SOURCES:
            what, remedy = (
                f"slipway_node_source of {host.name} is {host.source!r}",
                f"write one of {', '.join(SOURCES)}",
            )
        elif host.source == IMAGE and not host.worker_only:
            what = f"{host.name} is to be {_beyond_worker(host)}, and only workers come out of an image"
            remedy = "leave its slipway_node_source out, or take it out of the other groups"
        else:
            continue
        problems.append(Problem("SLW-8315", what, remedy, where=host.where, host=host.name))
    return problems


def _create(wanted: Wanted) -> NodePlan:
    problems = source_problems(wanted)
    if wanted.operation not in ("install", "plan"):
        problems.append(
            Problem("SLW-8301", f"there is no cluster to {wanted.operation}", "slipway.cluster.install builds one")
        )
    reason = "there is no cluster yet"
    nodes = tuple(
        left_out(h) if h.name in wanted.absent else NodeChange(h.name, Action.JOIN, (reason,), h.where)
        for h in wanted.hosts
    )
    present = [h for h in wanted.hosts if h.name not in wanted.absent]
    runs = chosen(
        (CLUSTER, [h for h in present if h.source != IMAGE]),
        (JOINING, [h for h in present if h.source == IMAGE]),
    )
    return NodePlan(wanted.operation, (reason,), nodes, runs, tuple(problems), creates=True)


def _adopt(wanted: Wanted, live: Mapping[str, Actual], draft: _Draft) -> None:
    """A cluster that somebody else built: nothing is done on its nodes without a word."""
    draft.reasons.append(f"adopt: {len(live)} nodes run without a record of {wanted.name}")
    if not wanted.adopt:
        draft.problems.append(
            Problem(
                "SLW-8302",
                f"the cluster has {len(live)} nodes and no record: somebody else built it, or its record is lost",
                f"-e slipway_adopt_cluster={wanted.name} takes it over as it is, and runs nothing on its nodes",
                severity=Severity.WARNING if wanted.operation == "plan" else Severity.ERROR,
            )
        )


def other_cluster(record: Record, wanted: Wanted) -> Problem:
    """One name is one cluster: nothing is done to the nodes of another."""
    return Problem(
        "SLW-8312",
        f"the cluster's record calls it {record.name!r}, and the inventory {wanted.name!r}",
        "another cluster than the inventory says: look where its control plane hosts, or the API that is given, lead",
    )


def _versions(wanted: Wanted, record: Record | None, draft: _Draft) -> None:
    if record is None or wanted.operation == "upgrade":
        return
    if wanted.kubernetes and record.kubernetes and wanted.kubernetes != record.kubernetes:
        draft.problems.append(
            Problem(
                "SLW-8305",
                f"the cluster runs Kubernetes {record.kubernetes}, and kube_version is {wanted.kubernetes}",
                f"slipway.cluster.upgrade goes there; set kube_version: {record.kubernetes} to stay",
                severity=Severity.WARNING if wanted.operation == "plan" else Severity.ERROR,
            )
        )
    elif wanted.kubespray != record.kubespray and record.kubespray and wanted.operation != "scale":
        draft.reasons.append(f"Kubespray {record.kubespray} -> {wanted.kubespray}")


def _host(
    wanted: Wanted, host: Desired, live: Mapping[str, Actual], known: Mapping[str, Host], record: Record | None
) -> NodeChange:
    before, node = known.get(host.name), live.get(host.name)
    notes = () if node is None else notes_of(node, record)
    if host.name in wanted.absent:
        return left_out(host, notes)
    if host.is_node and node is None:
        reason = "in inventory, not in cluster" if before is None else "recorded, and gone from the cluster"
        return NodeChange(host.name, Action.JOIN, (reason,), host.where)
    if before is None:
        if record is None:
            return NodeChange(host.name, Action.ADOPT, ("runs already",), host.where, notes)
        # The API alone cannot tell a finished node from one whose joining run died.
        return NodeChange(host.name, Action.JOIN, ("in inventory, not in the record",), host.where, notes)
    reasons = _differences(host, before)
    if wanted.converge:
        reasons.append("slipway_converge asks for it")
    if reasons and wanted.operation == "scale":
        notes = (*notes, f"{'; '.join(reasons)}: left to slipway.cluster.install")
        return NodeChange(host.name, Action.UNCHANGED, (), host.where, notes)
    return NodeChange(host.name, Action.CONVERGE if reasons else Action.UNCHANGED, tuple(reasons), host.where, notes)


def left_out(host: Desired, notes: tuple[str, ...] = ()) -> NodeChange:
    """By the user's word."""
    return NodeChange(host.name, Action.ABSENT, ("slipway_absent_nodes names it",), host.where, notes)


def replaced(host: Desired, by: str) -> NodeChange:
    """It is still in the inventory, and does not come back."""
    return NodeChange(host.name, Action.ABSENT, (f"{by} has replaced it: take it out of the inventory",), host.where)


def notes_of(node: Actual, record: Record | None) -> tuple[str, ...]:
    """What else is to be known of a node."""
    notes = []
    if not node.ready:
        notes.append(f"not ready: {node.reason}")
    if node.cordoned:
        notes.append("cordoned")
    if record and record.kubernetes and node.kubelet and node.kubelet != record.kubernetes:
        notes.append(f"kubelet {node.kubelet}, the cluster has {record.kubernetes}")
    return tuple(notes)


def _differences(host: Desired, before: Host) -> list[str]:
    reasons = []
    if host.roles != before.roles:
        reasons.append(f"roles {_listed(before.roles)} -> {_listed(host.roles)}")
    if host.address and before.address and host.address != before.address:
        reasons.append(f"address {before.address} -> {host.address}")
    keys = sorted(
        key for key in host.variables.keys() | before.variables if host.variables.get(key) != before.variables.get(key)
    )
    if keys:
        reasons.append("changed: " + ", ".join(keys))
    return reasons


def _stranger(name: str, live: Mapping[str, Actual], known: Mapping[str, Host], wanted: Wanted) -> NodeChange:
    if name not in live:
        reason = "in the record, neither in cluster nor in inventory"
    elif name in known:
        reason = "in cluster, not in inventory any more"
    else:
        reason = "in cluster, never in inventory: somebody else's"
    notes = () if name not in live else notes_of(live[name], None)
    hint = f"put it back and run slipway.cluster.remove -e slipway_remove_nodes={name} to remove it"
    return NodeChange(name, Action.STRANGER, (reason,), wanted.inventory, (*notes, hint) if name in live else notes)


def _runs(wanted: Wanted, draft: _Draft) -> dict[str, tuple[str, ...]]:
    """New and changed workers go by ``scale``, which visits them alone. What touches the control plane or all hosts
    goes by ``cluster``: Kubespray has no other way."""
    present = [host for host in wanted.hosts if draft.nodes[host.name].action is not Action.ABSENT]
    acting = [h for h in present if draft.nodes[h.name].action in (Action.JOIN, Action.CONVERGE)]
    # A node that came out of an image is one of Kubespray's from then on.
    joining = [h for h in acting if h.source == IMAGE and draft.nodes[h.name].action is Action.JOIN]
    acting = [h for h in acting if h not in joining]
    leading = [h for h in acting if not h.worker_only]
    if wanted.operation == "scale":
        draft.problems += [_not_by_scale(wanted, h) for h in leading]
        return chosen((SCALE, [h for h in acting if h.worker_only]), (JOINING, joining))
    everybody = any(reason.startswith("Kubespray ") for reason in draft.reasons)
    if leading or everybody:
        return chosen((CLUSTER, [h for h in present if h not in joining]), (JOINING, joining))
    return chosen((SCALE, acting), (JOINING, joining))


def chosen(*runs: tuple[str, Sequence[Desired]]) -> dict[str, tuple[str, ...]]:
    """Without those that nobody takes part in."""
    return {run: tuple(host.name for host in hosts) for run, hosts in runs if hosts}


def _beyond_worker(host: Desired) -> str:
    return " and ".join(sorted(host.roles - {WORKER}, key=(CONTROL_PLANE, ETCD, REFLECTOR).index))


def _not_by_scale(wanted: Wanted, host: Desired) -> Problem:
    inventory = f"-i {wanted.inventory} " if wanted.inventory else ""
    return Problem(
        "SLW-8303",
        f"{host.name} is to be {_beyond_worker(host)}, and scale adds workers only",
        f"ansible-playbook {inventory}slipway.cluster.install does it; its plan says which existing hosts are visited",
        where=host.where,
        host=host.name,
    )


def _listed(roles: frozenset[str]) -> str:
    return "+".join(sorted(roles)) or "none"
