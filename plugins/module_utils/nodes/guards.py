# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What must be right before a node is removed. Pure; every guard looks at all nodes and all problems are told at once.

``check_removal`` is the way in. The guards here are about hosts and roles; ``guards_pods`` are about what runs on them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .etcd_quorum import Member, quorum_problems
from .guards_pods import pod_problems
from .model import by_name
from .problem import Problem

Json = dict[str, Any]

CONTROL_PLANE_GROUP, ETCD_GROUP, WORKER_GROUP, REFLECTOR_GROUP = "kube_control_plane", "etcd", "kube_node", "calico_rr"
_NODE_GROUPS = (CONTROL_PLANE_GROUP, WORKER_GROUP, REFLECTOR_GROUP)
_PATTERN = "*?[]:!&~,"
_ORDER = "put another host first in the group, run slipway.cluster.install, then remove this one"


@dataclass(frozen=True)
class Removal:
    """What the user asks for and consents to: ``slipway_remove_nodes``, ``slipway_remove_unreachable`` and
    ``slipway_remove_node_data``. ``where`` is what is named as the place of a wrong one."""

    names: tuple[str, ...]
    unreachable: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()
    where: str = "extra variables"


@dataclass(frozen=True)
class Statement:
    """An add-on says that it is unsafe with fewer nodes, and nobody has consented to that."""

    addon: str
    why: str


@dataclass(frozen=True)
class Seen:
    """What is there. ``groups``: Kubespray's groups, hosts in their order. ``nodes``, ``pods``, ``volumes``,
    ``claims`` and ``budgets`` are objects of the API, of the whole cluster. ``etcd``: its members, None when nobody
    could ask, and ``etcd_unheard`` why. ``recorded``: hosts that an earlier run has worked on. ``unreachable``: hosts
    without an answer to SSH, where that was tried. ``statements``: of add-ons, for the number of nodes that there will
    be; ``unheard``: why these could not be asked."""

    groups: Mapping[str, Sequence[str]]
    nodes: Sequence[Json]
    pods: Sequence[Json] = ()
    volumes: Sequence[Json] = ()
    claims: Sequence[Json] = ()
    budgets: Sequence[Json] = ()
    etcd: Sequence[Member] | None = None
    etcd_unheard: str = ""
    recorded: frozenset[str] = frozenset()
    unreachable: frozenset[str] = frozenset()
    statements: Sequence[Statement] = ()
    unheard: str = ""

    @property
    def hosts(self) -> set[str]:
        return {host for group in (*_NODE_GROUPS, ETCD_GROUP) for host in self.groups.get(group, ())}


def check_removal(removal: Removal, seen: Seen) -> list[Problem]:
    """Everything that speaks against it. Unknown names leave nothing more to be said of them."""
    problems = list(_names(removal, seen))
    known = [name for name in dict.fromkeys(removal.names) if name in seen.hosts]
    problems += _not_there(known, removal, seen)
    problems += _first_of_group(known, removal, seen)
    problems += _last_of_role(known, removal, seen)
    problems += _reachable(known, removal, seen)
    etcd = [name for name in seen.groups.get(ETCD_GROUP, ()) if name in known]
    if etcd:
        problems += quorum_problems(etcd, seen.etcd, hosts=seen.hosts, where=removal.where, unheard=seen.etcd_unheard)
    live = by_name(seen.nodes)
    problems += pod_problems(
        known,
        nodes=seen.nodes,
        pods=seen.pods,
        volumes=seen.volumes,
        claims=seen.claims,
        budgets=seen.budgets,
        consented=removal.data,
        unreachable=frozenset(name for name in removal.unreachable if name not in live or not live[name].ready),
        where=removal.where,
    )
    problems += _addons(removal, seen)
    return problems


def _names(removal: Removal, seen: Seen) -> Iterator[Problem]:
    for variable, names in (
        ("slipway_remove_nodes", removal.names),
        ("slipway_remove_unreachable", sorted(removal.unreachable)),
        ("slipway_remove_node_data", sorted(removal.data)),
    ):
        for name in dict.fromkeys(names):
            if name not in seen.hosts:
                yield Problem("SLW-8401", *_unknown(variable, name, seen), removal.where)
            elif name not in removal.names:
                message = f"{variable} names {name}, which slipway_remove_nodes does not"
                yield Problem("SLW-8402", message, f"{_listed(removal.names)} would be removed", removal.where, name)
    if not removal.names:
        yield Problem("SLW-8401", "slipway_remove_nodes names no node", "give names of hosts", removal.where)


def _unknown(variable: str, name: str, seen: Seen) -> tuple[str, str]:
    """Message and remedy. Nothing is ever taken for a pattern: what it would have meant is said."""
    known = sorted(seen.hosts)
    if name in seen.groups or name == "all":
        return f"{variable} names {name!r}, a group", "name the hosts one by one"
    if any(sign in name for sign in _PATTERN):
        return f"{variable} has {name!r}, a pattern", "name the hosts one by one, as the inventory spells them"
    begins = [host for host in known if host.startswith(name)] if name else []
    if len(begins) > 1:
        return f"{variable} names {name!r}, and no host is called that", f"{_listed(begins)} only begin with it"
    if any(node["metadata"]["name"] == name for node in seen.nodes):
        remedy = (
            "put it into the inventory's groups to remove it, or take it out with kubectl where somebody else owns it"
        )
        return f"{variable} names {name!r}, a node of the cluster that the inventory does not have", remedy
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    remedy = f"did you mean {near[0]!r}?" if near else f"the inventory has {_listed(known)}"
    return f"{variable} names {name!r}, and no host is called that", remedy


def _not_there(known: Iterable[str], removal: Removal, seen: Seen) -> Iterator[Problem]:
    """A host that only the inventory knows has nothing to be removed from, unless an earlier run has begun with it."""
    live = {node["metadata"]["name"] for node in seen.nodes}
    nodes = {host for group in _NODE_GROUPS for host in seen.groups.get(group, ())}
    for name in known:
        if name in nodes and name not in live and name not in seen.recorded:
            remedy = "take it out of the inventory; to wipe a host that never joined, use Kubespray's reset on it alone"
            yield Problem("SLW-8403", f"{name} is no node of the cluster", remedy, removal.where, name)


def _first_of_group(known: Iterable[str], removal: Removal, seen: Seen) -> Iterator[Problem]:
    for group, what in ((CONTROL_PLANE_GROUP, "control plane node"), (ETCD_GROUP, "etcd member")):
        members = seen.groups.get(group) or [""]
        if members[0] in known:
            message = f"{members[0]} is the first {what}, which Kubespray works through and cannot remove"
            yield Problem("SLW-8404", message, _ORDER, removal.where, members[0])


def _last_of_role(known: Sequence[str], removal: Removal, seen: Seen) -> Iterator[Problem]:
    live = by_name(seen.nodes)
    for group, what in (
        (CONTROL_PLANE_GROUP, "control plane node"),
        (WORKER_GROUP, "worker"),
        (ETCD_GROUP, "etcd member"),
        (REFLECTOR_GROUP, "route reflector"),
    ):
        members = seen.groups.get(group, ())
        leaving = [name for name in members if name in known]
        left = [name for name in members if name not in known and (group == ETCD_GROUP or name in live)]
        if not leaving:
            continue
        if not left:
            message = f"{_listed(leaving)}: no {what} would be left"
            remedy = "remove the whole cluster with slipway_remove_cluster, or add another node first"
            yield Problem("SLW-8405", message, remedy, removal.where)
        elif group != ETCD_GROUP and not any(live[name].ready for name in left):
            message = f"{_listed(leaving)}: of the {what}s that would be left none is ready ({_listed(left)})"
            yield Problem("SLW-8405", message, "see to those first", removal.where)


def _reachable(known: Iterable[str], removal: Removal, seen: Seen) -> Iterator[Problem]:
    """A host that does not answer keeps what it has: its kubelet, its credentials, its data. That is to be known."""
    live = by_name(seen.nodes)
    for name in known:
        node = live.get(name)
        dead = name in seen.unreachable or (node is not None and not node.ready)
        if dead and name not in removal.unreachable:
            remedy = f"bring it back, or give -e slipway_remove_unreachable={name} to take it out unvisited"
            if node is not None and not node.ready:
                why = f"not ready: {node.reason}"
            else:
                why = "no answer to SSH"
                remedy += ", and power it off afterwards: it goes on as it is"
            yield Problem("SLW-8406", f"{name} cannot be reached ({why})", remedy, removal.where, name)
        elif not dead and node is not None and name in removal.unreachable:
            remedy = "take it out of slipway_remove_unreachable: unvisited it would keep all that is on it"
            yield Problem("SLW-8407", f"{name} is called unreachable, and it is ready", remedy, removal.where, name)


def _addons(removal: Removal, seen: Seen) -> Iterator[Problem]:
    """Before a drain: afterwards an add-on can only say that it would have been unsafe."""
    for one in seen.statements:
        message = f"add-on {one.addon} calls fewer nodes unsafe: {one.why}"
        remedy = f"look at its data, then give -e slipway_scale_down={one.addon}"
        yield Problem("SLW-8413", message, remedy, removal.where)
    if seen.unheard:
        message = f"add-ons could not be asked what they say to fewer nodes: {seen.unheard}"
        remedy = "see to that first; those that slipway_scale_down names are not asked"
        yield Problem("SLW-8413", message, remedy, removal.where)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:8]) + (f" and {len(every) - 8} more" if len(every) > 8 else "")
