# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of removing nodes: what the user has named, what is there, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleUndefinedVariable

from ansible_collections.slipway.cluster.plugins.module_utils.nodes import removal, replacement
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.etcd_quorum import Known, members_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.guards import (
    ETCD_GROUP,
    Removal,
    Statement,
    check_removal,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.guards import Seen as Guarded
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import Actual
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import NodePlan, Wanted
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem

from . import options

if TYPE_CHECKING:
    from .node_planner import Seen

_ADDRESSES = ("access_ip", "ip", "access_ip6", "ip6", "etcd_access_address", "etcd_address", "ansible_host")
"""Variables of a host by which etcd may know it."""


def plan(
    args: Mapping[str, Any],
    variables: Mapping[str, Any],
    wanted: Wanted,
    seen: Seen,
    begun: Sequence[str] = (),
) -> NodePlan:
    """``args`` and ``variables`` of the task; ``begun``: nodes that a run which died was taking out."""
    names = options.names(args, "remove_nodes")
    problems = _guards(args, variables, wanted, seen, names, begun) if seen.live is not None else []
    unreachable = options.names(args, "remove_unreachable")
    return removal.of_nodes(wanted, names, seen.live, seen.record, unreachable, problems)


def replacing(args: Mapping[str, Any], variables: Mapping[str, Any], wanted: Wanted, seen: Seen) -> NodePlan:
    """As ``plan``, of nodes whose place others take."""
    names = tuple(replacement.pairs_of(wanted, seen.live or {}).values())
    problems = _guards(args, variables, wanted, seen, names) if names else []
    # Role and pods of the old node go to the new one, which is there before it goes.
    problems = [problem for problem in problems if problem.code not in ("SLW-8405", "SLW-8412")]
    return replacement.make(wanted, seen.live, seen.record, args.get("replace_batch") or 1, problems)


def _guards(
    args: Mapping[str, Any],
    variables: Mapping[str, Any],
    wanted: Wanted,
    seen: Seen,
    names: Sequence[str],
    begun: Sequence[str] = (),
) -> list[Problem]:
    asked = Removal(
        tuple(names),
        frozenset(options.names(args, "remove_unreachable")),
        frozenset(options.names(args, "remove_node_data")),
    )
    found = args.get("etcd_members")
    guarded = Guarded(
        groups=variables["groups"],
        nodes=seen.nodes,
        etcd=None if found is None else members_of(found, _etcd_hosts(variables, seen.live or {})),
        etcd_unheard=str(args.get("etcd_unheard") or ""),
        unreachable=frozenset(options.names(args, "silent_hosts")),
        recorded=frozenset([*(seen.record.hosts if seen.record else ()), *begun]),
        pods=seen.objects.get("pods", ()),
        volumes=seen.objects.get("volumes", ()),
        claims=seen.objects.get("claims", ()),
        budgets=seen.objects.get("budgets", ()),
        statements=[Statement(name, "; ".join(texts)) for name, texts in (args.get("addons_unsafe") or {}).items()],
        unheard=str(args.get("addons_unheard") or ""),
    )
    return check_removal(asked, guarded)


def _etcd_hosts(variables: Mapping[str, Any], live: Mapping[str, Actual]) -> dict[str, Known]:
    """What each host of etcd is known by, to its member and to the API."""
    found = {}
    for number, host in enumerate(variables["groups"].get(ETCD_GROUP) or (), 1):
        own = variables["hostvars"][host]
        given = filter(None, (_text(own, name) for name in _ADDRESSES))
        seen = live[host].addresses if host in live else ()
        found[host] = Known((*given, *seen), _text(own, "etcd_member_name"), f"etcd{number}")
    return found


def _text(own: Mapping[str, Any], name: str) -> str:
    """Of a host's variables. What is made of facts that nobody has gathered says nothing."""
    try:
        return str(own.get(name) or "")
    except AnsibleUndefinedVariable:
        return ""
