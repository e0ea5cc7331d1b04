# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An inventory that AWX holds itself: hosts, groups and variables of one that is given as data.

The data are what ``ansible-inventory --list`` prints: groups with ``hosts``, ``children`` and ``vars``, and the hosts'
variables in ``_meta.hostvars``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .settings import Settings

Item = dict[str, Any]

_EVERYBODY, _OTHERS, _META = "all", "ungrouped", "_meta"


def variables(held: Mapping[str, Any]) -> Item:
    """Of the group ``all``, which in AWX is the inventory itself."""
    return dict((held.get(_EVERYBODY) or {}).get("vars") or {})


def hosts(settings: Settings, clusters: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    for name, held in _held(settings, clusters):
        known = (held.get(_META) or {}).get("hostvars") or {}
        named = [host for group in held.values() for host in group.get("hosts") or ()]
        for host in dict.fromkeys([*named, *known]):
            yield {"name": host, "inventory": name, "variables": dict(known.get(host) or {})}


def groups(settings: Settings, clusters: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    """Children before their parents, who name them."""
    for name, held in _held(settings, clusters):
        own = {group: dict(one) for group, one in held.items() if group not in (_EVERYBODY, _OTHERS, _META)}
        for group in _ordered(own):
            one = own[group]
            yield {
                "name": group,
                "inventory": name,
                "variables": dict(one.get("vars") or {}),
                "hosts": list(one.get("hosts") or ()),
                "children": list(one.get("children") or ()),
            }


def _held(settings: Settings, clusters: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for cluster in clusters:
        if not isinstance(cluster["inventory"], str):
            yield settings.name("inventory", cluster=cluster["name"]), cluster["inventory"]


def _ordered(own: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found: list[str] = []

    def visit(group: str, above: tuple[str, ...]) -> None:
        for child in own[group].get("children") or ():
            if child in own and child not in above:
                visit(child, (*above, group))
        if group not in found:
            found.append(group)

    for group in own:
        visit(group, ())
    return found
