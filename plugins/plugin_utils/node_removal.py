# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of removing nodes: what the user has named, what is there, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.slipway.cluster.plugins.module_utils.nodes import removal, replacement
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.etcd_quorum import members_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.guards import Removal, Statement, check_removal
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.guards import Seen as Guarded
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import Actual
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import NodePlan, Wanted
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem

from . import options

if TYPE_CHECKING:
    from .node_planner import Seen


def plan(
    args: Mapping[str, Any],
    groups: Mapping[str, Sequence[str]],
    wanted: Wanted,
    seen: Seen,
    begun: Sequence[str] = (),
) -> NodePlan:
    """``args`` of the task; ``groups`` of the inventory; ``begun``: nodes that a run which died was taking out."""
    names = options.names(args, "remove_nodes")
    problems = _guards(args, groups, wanted, seen, names, begun) if seen.live is not None else []
    unreachable = options.names(args, "remove_unreachable")
    return removal.of_nodes(wanted, names, seen.live, seen.record, unreachable, problems)


def replacing(args: Mapping[str, Any], groups: Mapping[str, Sequence[str]], wanted: Wanted, seen: Seen) -> NodePlan:
    """As ``plan``, of nodes whose place others take."""
    names = tuple(replacement.pairs_of(wanted.hosts, seen.live or {}).values())
    problems = _guards(args, groups, wanted, seen, names) if names else []
    # Role and pods of the old node go to the new one, which is there before it goes.
    problems = [problem for problem in problems if problem.code not in ("SLW-8405", "SLW-8412")]
    return replacement.make(wanted, seen.live, seen.record, args.get("replace_batch") or 1, problems)


def _guards(
    args: Mapping[str, Any],
    groups: Mapping[str, Sequence[str]],
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
    live = seen.live or {}
    addresses = {host.name: [host.address, *_addresses(live, host.name)] for host in wanted.hosts}
    guarded = Guarded(
        groups=groups,
        nodes=seen.nodes,
        etcd=None if found is None else members_of(found, addresses),
        recorded=frozenset([*(seen.record.hosts if seen.record else ()), *begun]),
        pods=seen.objects.get("pods", ()),
        volumes=seen.objects.get("volumes", ()),
        claims=seen.objects.get("claims", ()),
        budgets=seen.objects.get("budgets", ()),
        statements=[Statement(name, "; ".join(texts)) for name, texts in (args.get("addons_unsafe") or {}).items()],
        unheard=str(args.get("addons_unheard") or ""),
    )
    return check_removal(asked, guarded)


def _addresses(live: Mapping[str, Actual], name: str) -> Sequence[str]:
    return live[name].addresses if name in live else ()
