# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan of replacing workers by nodes out of an image: the new one joins before the old one goes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from .batches import batches
from .model import IMAGE, Actual, Desired
from .plan import JOINING, Action, NodeChange, NodePlan, Wanted, left_out, notes_of, other_cluster, replaced
from .problem import Problem
from .record import Record

REPLACING = "replace"


def pairs_of(wanted: Wanted, live: Mapping[str, Actual]) -> dict[str, str]:
    """Old by new, of those whose old node is still in the cluster, and of which neither is left out."""
    return {
        host.name: host.replaces
        for host in wanted.hosts
        if host.replaces in live and wanted.absent.isdisjoint((host.name, host.replaces))
    }


def make(
    wanted: Wanted,
    live: Mapping[str, Actual] | None,
    record: Record | None,
    size: object,
    problems: Sequence[Problem] = (),
) -> NodePlan:
    """``size`` is that of a batch, ``problems`` what speaks against removing the old nodes.

    A new node that has joined already, in a run that died, is not joined again: its old one goes. Raises ``NodesError``
    SLW-8420 for a size that is none.
    """
    if live is None:
        missing = Problem("SLW-8301", "there is no cluster to replace nodes of", "slipway.cluster.install builds one")
        return NodePlan(wanted.operation, (), (), {}, (missing,))
    found = _wrong(wanted.hosts, live)
    if record is None:
        remedy = f"slipway.cluster.install -e slipway_adopt_cluster={wanted.name} takes it over; replace its nodes then"
        found.append(Problem("SLW-8302", "the cluster has no record: somebody else built it, or it is lost", remedy))
    elif record.name != wanted.name:
        found.append(other_cluster(record, wanted))
    pairs = pairs_of(wanted, live)
    going = {old: new for new, old in pairs.items()}
    followed = {host.replaces: host.name for host in wanted.hosts if host.replaces and host.name in live}
    nodes = [_change(host, wanted.absent, live, pairs, going, followed) for host in wanted.hosts]
    chunks = batches(list(pairs), size, variable="slipway_replace_batch") if pairs else []
    joining = tuple(name for name in pairs if name not in live or record is None or name not in record.hosts)
    runs = {JOINING: joining, REPLACING: tuple(going)}
    return NodePlan(
        wanted.operation,
        (f"{len(going)} nodes are replaced, in {len(chunks)} batches",) if going else (),
        tuple(nodes),
        {run: hosts for run, hosts in runs.items() if hosts},
        (*found, *problems),
        batches=tuple({"join": tuple(chunk), "remove": tuple(pairs[name] for name in chunk)} for chunk in chunks),
    )


def _change(
    host: Desired,
    absent: Collection[str],
    live: Mapping[str, Actual],
    pairs: Mapping[str, str],
    going: Mapping[str, str],
    followed: Mapping[str, str],
) -> NodeChange:
    notes = notes_of(live[host.name], None) if host.name in live else ()
    if host.name in absent:
        return left_out(host, notes)
    if host.name in going:
        return NodeChange(host.name, Action.REMOVE, (f"{going[host.name]} takes its place",), host.where, notes)
    if host.name in live:
        return NodeChange(host.name, Action.UNCHANGED, (), host.where, notes)
    if host.name in pairs:
        return NodeChange(host.name, Action.JOIN, (f"takes the place of {pairs[host.name]}",), host.where)
    if host.name in followed:
        return replaced(host, followed[host.name])
    if host.replaces in live:
        reason = f"slipway_absent_nodes names {host.replaces}, whose place it takes"
        return NodeChange(host.name, Action.ABSENT, (reason,), host.where)
    return NodeChange(host.name, Action.ABSENT, ("not in the cluster: slipway.cluster.scale adds it",), host.where)


def _wrong(hosts: Sequence[Desired], live: Mapping[str, Actual]) -> list[Problem]:
    roles = {host.name: host for host in hosts}
    counts = Counter(host.replaces for host in hosts if host.replaces)
    problems = []
    for host in hosts:
        if not host.replaces:
            continue
        old = roles.get(host.replaces)
        if host.source != IMAGE:
            what, remedy = "does not come out of an image", "give it slipway_node_source: image"
        elif old is not None and not old.worker_only:
            what, remedy = f"is to take the place of {host.replaces}, which is no mere worker", "name a worker"
        elif host.replaces == host.name:
            what, remedy = "is to take its own place", "a new node has a new name"
        elif old is None and host.replaces in live:
            what, remedy = (
                f"is to take the place of {host.replaces}, which the inventory lacks",
                "put it back until then",
            )
        elif counts[host.replaces] > 1:
            what, remedy = f"is not the only one for the place of {host.replaces}", "let one host name it"
        else:
            continue
        message = f"{host.name} has slipway_replaces and {what}"
        problems.append(Problem("SLW-8316", message, remedy, where=host.where, host=host.name))
    return problems
