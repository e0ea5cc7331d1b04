# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan for a cluster whose API does not answer, where the user wants Kubespray to act all the same. Pure."""

from __future__ import annotations

from .model import IMAGE, Desired
from .plan import CLUSTER, Action, NodeChange, NodePlan, Wanted, chosen, left_out, source_problems

OPERATIONS = ("install", "plan")
"""Those that can do without: what others do follows from the nodes that are there."""


def make(wanted: Wanted) -> NodePlan:
    """Kubespray's ``cluster`` on all hosts that are not left out: it finds by itself which of them are nodes.

    Of a machine that comes out of an image nobody can tell whether it is there, so it is left to a later run: a node
    does not join twice, and a machine that was never started cannot be visited. Nor can it be told of one whose place
    another takes: a node that was replaced does not come back.
    """
    followers = {host.replaces: host.name for host in wanted.hosts if host.replaces}
    nodes = tuple(_change(host, wanted, followers.get(host.name)) for host in wanted.hosts)
    acting = {node.name for node in nodes if node.action is Action.CONVERGE}
    return NodePlan(
        wanted.operation,
        ("its API does not answer: nothing is compared, and all hosts converge",),
        nodes,
        chosen((CLUSTER, [host for host in wanted.hosts if host.name in acting])),
        tuple(source_problems(wanted)),
        answers=False,
    )


def _change(host: Desired, wanted: Wanted, follower: str | None) -> NodeChange:
    """``follower`` takes its place."""
    if host.name in wanted.absent:
        return left_out(host)
    if host.source == IMAGE:
        reason = "out of an image: without the API nobody can tell whether it has joined; run this again later"
        return NodeChange(host.name, Action.ABSENT, (reason,), host.where)
    if follower:
        reason = f"without the API nobody can tell whether {follower} has replaced it; run this again later"
        return NodeChange(host.name, Action.ABSENT, (reason,), host.where)
    return NodeChange(host.name, Action.CONVERGE, ("slipway_converge asks for it",), host.where)
