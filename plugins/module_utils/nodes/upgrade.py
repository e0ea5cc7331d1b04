# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan of an upgrade: control plane first, then workers, and only those that are not there yet. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .model import CONTROL_PLANE, ETCD
from .plan import Action, NodeChange, NodePlan, Wanted, left_out, notes_of, other_cluster
from .problem import Problem, Severity
from .record import Record
from .upgrade_path import Left, Offer, Running, check_path, left

LEADING = "upgrade_control_plane"
WORKERS = "upgrade_workers"


def make(
    wanted: Wanted, running: Running, record: Record | None, offer: Offer, *, where: str, apis: Sequence[Problem] = ()
) -> NodePlan:
    """``wanted.kubernetes`` is where to go, ``where`` that was written, ``apis`` what is wrong with APIs in use.

    A node that an earlier run has upgraded is not touched again: this goes on with those that are left.
    """
    order = [host.name for host in wanted.hosts if host.is_node]
    present = [host for host in wanted.hosts if host.name not in wanted.absent]
    todo = left(running, wanted.kubernetes, order, "100%")
    problems = check_path(running, wanted.kubernetes, offer, where=where)
    # Once the first node is through, what the target takes away is taken away.
    problems += [] if todo.done else apis
    if record is None:
        problems.append(
            Problem(
                "SLW-8302",
                "the cluster has no record: somebody else built it, or its record is lost",
                f"slipway.cluster.install -e slipway_adopt_cluster={wanted.name} takes it over; upgrade it then",
                severity=Severity.ERROR,
            )
        )
    elif record.name != wanted.name:
        problems.append(other_cluster(record, wanted))
    nodes = []
    for host in wanted.hosts:
        node = running.nodes.get(host.name)
        notes = notes_of(node, None) if node else ()
        if host.name in wanted.absent:
            change = left_out(host, notes)
        elif host.is_node and node is None:
            reason = "not in the cluster: slipway.cluster.scale adds it"
            change = NodeChange(host.name, Action.STRANGER, (reason,), host.where)
        elif node is not None and host.name not in todo.done:
            reasons = (f"kubelet {node.kubelet} -> {wanted.kubernetes}",)
            change = NodeChange(host.name, Action.UPGRADE, reasons, host.where, notes)
        else:
            change = NodeChange(host.name, Action.UNCHANGED, (), host.where, notes)
        nodes.append(change)
    behind = {*todo.control_plane, *(name for batch in todo.workers for name in batch)}
    return NodePlan(
        wanted.operation,
        _reasons(running, todo, wanted),
        tuple(nodes),
        {
            run: hosts
            for run, hosts in (
                (
                    LEADING,
                    tuple(h.name for h in present if _leads(h.roles, h.name in behind, bool(todo.control_plane))),
                ),
                (WORKERS, tuple(h.name for h in present if _follows(h.roles) and h.name in behind)),
            )
            if hosts
        },
        tuple(problems),
    )


def _leads(roles: frozenset[str], behind: bool, leading: bool) -> bool:
    """A host for etcd alone has no kubelet that tells its version. It goes with the control plane (``leading``: some of
    that is behind), which Kubespray upgrades after etcd."""
    if CONTROL_PLANE in roles:
        return behind
    return ETCD in roles and (behind or (len(roles) == 1 and leading))


def _follows(roles: frozenset[str]) -> bool:
    """Kubespray upgrades route reflectors with the workers."""
    return roles.isdisjoint((CONTROL_PLANE, ETCD))


def _reasons(running: Running, todo: Left, wanted: Wanted) -> tuple[str, ...]:
    if not todo:
        return (f"Kubernetes {running.server} everywhere",)
    reason = f"Kubernetes {running.server} -> {wanted.kubernetes}"
    return (f"{reason}; {len(todo.done)} nodes are there already",) if todo.done else (reason,)
