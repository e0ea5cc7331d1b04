# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How Helm lays values over a chart's defaults: maps merge, the rest replaces, null takes a default away."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]

GLOBAL = "global"


@dataclass
class Node:
    """What coalescing needs of a chart. ``name`` is its alias where it has one; ``children`` are the enabled ones."""

    name: str
    defaults: Values
    children: list[Node] = field(default_factory=list)


def coalesce(node: Node, values: Mapping[str, Any], keep_nulls: bool = False) -> Values:
    """The values that a chart's templates see, its children's below their names.

    ``keep_nulls`` leaves nulls in, for values that are laid over others once more.
    """
    return _coalesce(node, copy.deepcopy(dict(values)), keep_nulls)


def _coalesce(node: Node, values: Values, keep_nulls: bool) -> Values:
    children = {child.name for child in node.children}
    for key, default in copy.deepcopy(node.defaults).items():
        if key not in values:
            values[key] = default
        elif values[key] is None and not keep_nulls:
            del values[key]
        elif isinstance(values[key], dict) and isinstance(default, dict):
            # a child's nulls are needed when its own defaults come below
            merge_tables(values[key], default, keep_nulls or key in children)
    for child in node.children:
        below = values.setdefault(child.name, {})
        if isinstance(below, dict):
            _pass_globals(values, below)
            _coalesce(child, below, keep_nulls)
    return values


def merge_tables(over: Values, under: Values, keep_nulls: bool) -> Values:
    """``over`` with what ``under`` adds, in place."""
    for key, value in under.items():
        if key not in over:
            over[key] = value
        elif over[key] is None and value is not None and not keep_nulls:
            del over[key]
        elif isinstance(over[key], dict) and isinstance(value, dict):
            merge_tables(over[key], value, keep_nulls)
    return over


def _pass_globals(parent: Values, child: Values) -> None:
    """Globals go down: the parent's win over the child's."""
    below, above = child.get(GLOBAL, {}), parent.get(GLOBAL, {})
    if not isinstance(below, dict) or not isinstance(above, dict):
        return
    for key, value in above.items():
        if isinstance(value, dict):
            if key not in below:
                below[key] = dict(value)
            elif isinstance(below[key], dict):
                below[key] = merge_tables(dict(value), below[key], True)
        elif not isinstance(below.get(key), dict):
            below[key] = value
    child[GLOBAL] = below
