# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan of removing nodes, or the whole cluster. Pure; ``guards`` say what speaks against it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .external import cluster_consent
from .model import Actual
from .plan import Action, NodeChange, NodePlan, Wanted, notes_of, other_cluster
from .problem import Problem, Severity
from .record import Record

REMOVE = "remove_node"
RESET = "reset"


def of_nodes(
    wanted: Wanted,
    names: Sequence[str],
    live: Mapping[str, Actual] | None,
    record: Record | None,
    unreachable: Collection[str],
    problems: Sequence[Problem],
) -> NodePlan:
    """``names`` as the user gave them. Kubespray finds an unreachable node's host gone, and deletes the node alone."""
    if live is None:
        missing = Problem("SLW-8301", "there is no cluster to remove nodes from", "slipway.cluster.install builds one")
        return NodePlan(wanted.operation, (), (), {}, (missing,))
    others = [other_cluster(record, wanted)] if record is not None and record.name != wanted.name else []
    going = set(names)
    nodes = []
    for host in wanted.hosts:
        notes = notes_of(live[host.name], None) if host.name in live else ()
        if host.name in going:
            reason = "slipway_remove_nodes names it"
            reason += "; its host is left as it is" if host.name in unreachable else ""
            nodes.append(NodeChange(host.name, Action.REMOVE, (reason,), host.where, notes))
        else:
            nodes.append(NodeChange(host.name, Action.UNCHANGED, (), host.where, notes))
    runs = {REMOVE: tuple(host.name for host in wanted.hosts if host.name in going)}
    return NodePlan(wanted.operation, (), tuple(nodes), runs if runs[REMOVE] else {}, (*others, *problems))


@dataclass(frozen=True)
class Unseen:
    """What is known of things outside of a cluster when its API could not be asked. ``silent``: there is a cluster, and
    what was heard instead of it. ``cleared``: an earlier run has taken them all away. ``leaves``: the user says that
    they stay."""

    silent: str = ""
    cleared: bool = False
    leaves: bool = False

    def problems(self) -> Iterator[Problem]:
        if self.cleared:
            return
        if self.silent and not self.leaves:
            yield Problem(
                "SLW-8311",
                f"there is a cluster, and its API does not answer: {self.silent}",
                "bring it back, so that load balancers and volumes outside of the cluster can go first; or leave them "
                "there, whatever they are: -e slipway_remove_external=false",
            )
        else:
            yield Problem(
                "SLW-8431",
                "no API could be asked: load balancers and volumes that a cluster may have outside stay there, unseen",
                "look for them, and take them away by hand",
                severity=Severity.WARNING,
            )


def of_cluster(
    wanted: Wanted, live: Mapping[str, Actual] | None, record: Record | None, consent: str, unseen: Unseen
) -> NodePlan:
    """``consent`` has to be the cluster's name. ``unseen`` is for a cluster of which nothing is seen."""
    problems = cluster_consent(consent, wanted.name)
    if not problems and record is not None and record.name != wanted.name:
        problems.append(other_cluster(record, wanted))
    reasons = ["the cluster is removed"]
    if live is None:
        problems += unseen.problems()
        reasons = ["what is left of the cluster is removed"]
        reasons += ["what it had outside of itself is gone: an earlier run took it away"] if unseen.cleared else []
    present = [host for host in wanted.hosts if host.name not in wanted.absent]
    nodes = [
        NodeChange(
            host.name,
            Action.REMOVE if host in present else Action.ABSENT,
            ("the cluster goes" if host in present else "slipway_absent_nodes names it: its host is left as it is",),
            host.where,
            notes_of(live[host.name], None) if live and host.name in live else (),
        )
        for host in wanted.hosts
    ]
    nodes += [
        NodeChange(name, Action.STRANGER, ("in cluster, not in inventory: its host is left as it is",))
        for name in sorted(set(live or ()) - {host.name for host in wanted.hosts})
    ]
    runs = {RESET: tuple(host.name for host in present)}
    return NodePlan(wanted.operation, tuple(reasons), tuple(nodes), runs, tuple(problems))
