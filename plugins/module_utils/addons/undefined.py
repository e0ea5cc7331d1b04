# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Says what exactly is undefined in a text whose evaluation failed, and what was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .finding import KeyPath, format_path
from .model import JSON
from .names import nearest
from .node import Node
from .references import SHARED, Reference, References
from .scope import Closure, Scope

JINJA_NAMES = frozenset(
    {
        "lookup",
        "query",
        "q",
        "now",
        "undef",
        "omit",
        "range",
        "dict",
        "lipsum",
        "cycler",
        "joiner",
        "namespace",
        "loop",
        "self",
        "super",
        "varargs",
        "kwargs",
        "caller",
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
        "vars",
        "hostvars",
        "groups",
        "group_names",
        "inventory_hostname",
    }
)


def explain(
    found: References, closure: Closure, scope: Scope, roots: Mapping[str, JSON], names: frozenset[str]
) -> tuple[str, str]:
    """A sentence and an advice; both empty when the syntax alone does not tell."""
    for ref in sorted(found.refs, key=lambda r: (r.root, [str(k) for k in r.path])):
        if ref.root in JINJA_NAMES or ref.guessed:
            continue
        variable = scope.variable(ref.root) if ref.root not in roots else None
        if ref.root in roots:
            problem = _missing(ref, roots[ref.root])
        elif variable is None:
            return f"{ref.root!r} is undefined", _meant(ref.root, names | set(roots))
        else:
            problem = _missing_node(ref, variable.node.at)
        if problem:
            return problem
    for name, owner in sorted(closure.missing):
        if owner and name not in JINJA_NAMES:
            return f"{name!r}, which the variable {owner!r} uses, is undefined", _meant(name, names)
    for ref in sorted(closure.shared, key=lambda r: [str(k) for k in r.path]):
        problem = _missing(ref, roots[SHARED])
        if problem:
            return problem
    return "", ""


def _meant(name: str, names: set[str] | frozenset[str]) -> str:
    best = nearest(name, names)
    return f"did you mean {best!r}?" if best else ""


def _missing(ref: Reference, data: JSON) -> tuple[str, str] | None:
    for end, key in enumerate(ref.path):
        if isinstance(data, Mapping):
            if key not in data:
                return _sentence(ref, end, [k for k in data if isinstance(k, str)])
            data = data[key]
        elif isinstance(data, list) and isinstance(key, int):
            if not -len(data) <= key < len(data):
                return _sentence(ref, end, [])
            data = data[key]
        else:
            return _sentence(ref, end, [])
    return None


def _missing_node(ref: Reference, at: Callable[[KeyPath], Node | None]) -> tuple[str, str] | None:
    for end in range(len(ref.path)):
        parent = at(ref.path[:end])
        if parent is None or not isinstance(parent.value, dict):
            return None  # a template or an object: only evaluation can tell
        if ref.path[end] not in parent.value:
            return _sentence(ref, end, list(parent.value))
    return None


def _sentence(ref: Reference, end: int, siblings: list[str]) -> tuple[str, str]:
    wrong: KeyPath = (ref.root, *ref.path[: end + 1])
    best = nearest(ref.path[end], siblings)
    advice = f"did you mean {format_path((ref.root, *ref.path[:end], best))}?" if best else ""
    return f"{format_path(wrong)} is undefined", advice
