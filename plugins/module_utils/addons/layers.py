# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Layers: ``slipway_addons``, ``slipway_addons__base``, ``slipway_addons__site`` … become one tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from .evaluator import Variable
from .finding import Finding, KeyPath
from .node import DEEPEST, Node, from_plain
from .references import is_template

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml

Expand = Callable[[Variable], Node]


def in_order(base: str, variables: Iterable[Variable]) -> list[Variable]:
    """``base`` itself, then its layers by name."""
    mine = [v for v in variables if v.name == base or v.name.startswith(f"{base}__")]
    return sorted(mine, key=lambda v: v.name)


def merged(base: str, variables: Iterable[Variable], expand: Expand, findings: list[Finding]) -> Node:
    """One map out of the base variable and its layers. ``expand`` evaluates a variable that is one expression."""
    tree = Node({})
    for variable in in_order(base, variables):
        layer = _as_map(variable, expand, findings)
        if layer is not None:
            position = tree.position if tree.map() else layer.position
            tree = replace(_lay(tree, layer, (base,), variable.name, findings), position=position)
    return tree


def _as_map(variable: Variable, expand: Expand, findings: list[Finding]) -> Node | None:
    node = variable.node
    if isinstance(node.value, str) and not node.literal and is_template(node.value) and not _looks_like_map(node.value):
        node = expand(variable)
        if node.failed:
            return None
    if isinstance(node.value, str):
        node = _from_text(variable.name, node, findings)
    if node.failed or node.value is None:
        return None
    if isinstance(node.value, dict):
        return node
    kind = kind_of(node)
    findings.append(Finding("SLW-1002", f"is {kind}, a map is wanted", (variable.name,), node.position))
    return None


def _looks_like_map(text: str) -> bool:
    """A survey may hand over JSON that has templates inside: ``{"a": "{{ b }}"}``."""
    stripped = text.strip()
    return stripped.startswith("{") and not stripped.startswith(("{{", "{%", "{#"))


def _from_text(name: str, node: Node, findings: list[Finding]) -> Node:
    """Surveys and ``-e key=value`` hand over structures as JSON or YAML text."""
    text = str(node.value)
    data: object
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        try:
            data = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            data = None
    if data is None and not text.strip():
        return replace(node, value=None)
    if not isinstance(data, dict):
        findings.append(
            Finding(
                "SLW-1004",
                "is text, and not that of a JSON or YAML map",
                (name,),
                node.position,
                advice="""with -e, give JSON: -e '{"slipway_addons": {"loki": {}}}', or a file: -e @addons.yml""",
            )
        )
        return replace(node, value=None, failed=True)
    return from_plain(data, node.position, (name,), findings, node)


def _lay(under: Node, over: Node, path: KeyPath, layer: str, findings: list[Finding]) -> Node:
    """``over`` on ``under``; a clash of types keeps ``under`` and is a finding that names both places."""
    if isinstance(under.value, dict) and isinstance(over.value, dict):
        if len(path) > DEEPEST:
            return over
        result = dict(under.value)
        for key, child in over.value.items():
            result[key] = _lay(result[key], child, (*path, key), layer, findings) if key in result else child
        return replace(over, value=result, position=under.position)
    clash = _clash(under, over)
    if clash:
        findings.append(
            Finding(
                "SLW-1009",
                f"layer {layer} puts {kind_of(over)} over {kind_of(under)} written at {under.position}",
                path,
                over.position,
                advice=clash,
            )
        )
        return replace(under, failed=True) if len(path) > 1 else under
    return over


def _clash(under: Node, over: Node) -> str:
    """Why the two cannot be laid on each other; empty when they can."""
    if under.value is None or over.value is None or under.failed or over.failed:
        return ""
    containers = (dict, list)
    if not isinstance(under.value, containers) and not isinstance(over.value, containers):
        return ""
    if isinstance(under.value, list) and isinstance(over.value, list):
        return ""
    if _expression(under) or _expression(over):
        return "layers cannot merge with an expression; write the map out, or use combine() in one place"
    return "use the same type in both layers, or null to take the value away"


def _expression(node: Node) -> bool:
    return isinstance(node.value, str) and not node.literal and is_template(node.value)


def kind_of(node: Node) -> str:
    """The type of a node, as a sentence names it."""
    if _expression(node):
        return "an expression"
    return kind(node.value)


def kind(value: object) -> str:
    """The type of a JSON value, as a sentence names it."""
    if isinstance(value, bool):
        return "true or false"
    for types, name in (
        ((dict,), "a map"),
        ((list, tuple), "a list"),
        ((str,), "text"),
        ((int,), "a whole number"),
        ((float,), "a number"),
    ):
        if isinstance(value, types):
            return name
    return "empty"
