# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A value that knows where it was written: the tree in which the manifest is read, merged and evaluated."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Union

from .finding import NOWHERE, Finding, KeyPath, Position
from .model import JSON

DEEPEST = 64
"""Levels of nesting that are accepted. Deeper input is a mistake or a loop, never a manifest."""

Scalar = Union[str, int, float, bool, None]


@dataclass(frozen=True, slots=True)
class Node:
    """One value. ``value`` is a scalar, or the child nodes of a map or list.

    ``secret``: the value must be masked. ``literal``: text that is never a template.
    ``failed``: there is no usable value, and a finding says why. ``outputs``: full names of the outputs of add-ons
    that the value was made from.
    """

    value: Scalar | dict[str, Node] | list[Node]
    position: Position = NOWHERE
    secret: bool = False
    literal: bool = False
    failed: bool = False
    outputs: frozenset[str] = frozenset()

    def walk(self, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
        """Every leaf (scalar, or empty map or list) with its path, in order of writing."""
        if isinstance(self.value, dict) and self.value:
            for key, child in self.value.items():
                yield from child.walk((*path, key))
        elif isinstance(self.value, list) and self.value:
            for index, child in enumerate(self.value):
                yield from child.walk((*path, index))
        else:
            yield path, self

    def at(self, path: KeyPath) -> Node | None:
        """The node below ``path``, or None."""
        node: Node = self
        for key in path:
            child: Node | None = None
            if isinstance(node.value, dict) and isinstance(key, str):
                child = node.value.get(key)
            elif isinstance(node.value, list) and isinstance(key, int) and -len(node.value) <= key < len(node.value):
                child = node.value[key]
            if child is None:
                return None
            node = child
        return node

    def map(self) -> dict[str, Node]:
        """The children of a map; empty for everything else."""
        return self.value if isinstance(self.value, dict) else {}

    def position_of(self, path: KeyPath) -> Position:
        """The position of ``path``, or of its nearest parent that exists."""
        for end in range(len(path), -1, -1):
            found = self.at(path[:end])
            if found is not None:
                return found.position
        return self.position

    def put(self, path: KeyPath, leaf: Node) -> Node:
        """A copy with ``leaf`` at ``path``, whose parents are there."""
        if not path:
            return leaf
        key = path[0]
        if isinstance(self.value, dict) and isinstance(key, str):
            return replace(self, value={**self.value, key: self.value[key].put(path[1:], leaf)})
        if isinstance(self.value, list) and isinstance(key, int):
            below = self.value[key].put(path[1:], leaf)
            return replace(self, value=[*self.value[:key], below, *self.value[key + 1 :]])
        raise KeyError(key)


def plain(node: Node) -> JSON:
    """The value as JSON. Failed nodes are left out of maps and are None in lists."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items() if not child.failed}
    if isinstance(node.value, list):
        return [None if child.failed else plain(child) for child in node.value]
    return node.value


def plain_key(key: object) -> str:
    """A map key as JSON knows it: YAML's ``8080``, ``true`` and ``null`` become text."""
    if isinstance(key, str):
        return str.__str__(key)
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


def from_plain(
    data: object,
    position: Position,
    path: KeyPath = (),
    findings: list[Finding] | None = None,
    pattern: Node | None = None,
) -> Node:
    """A tree from data that has one position, such as the result of a template.

    Flags are taken from ``pattern``. What has no form in JSON becomes a failed node and a finding.
    """
    like = replace(pattern or Node(None), position=position)
    if len(path) > DEEPEST:
        return _refuse("SLW-1006", f"is nested deeper than {DEEPEST} levels", like, path, findings)
    if isinstance(data, Mapping):
        return replace(
            like,
            value={
                plain_key(key): from_plain(child, position, (*path, plain_key(key)), findings, like)
                for key, child in data.items()
            },
        )
    if isinstance(data, (list, tuple)):
        children = [from_plain(child, position, (*path, at), findings, like) for at, child in enumerate(data)]
        return replace(like, value=children)
    if isinstance(data, float) and not math.isfinite(data):
        return _refuse("SLW-1005", "is not a finite number", like, path, findings)
    if isinstance(data, (datetime.datetime, datetime.date)):
        # YAML turns an unquoted 2026-01-31 into a date; Helm would have kept the text
        return replace(like, value=data.isoformat())
    if data is None or isinstance(data, bool):
        return replace(like, value=data)
    if isinstance(data, str):
        return replace(like, value=str.__str__(data))
    if isinstance(data, int):
        return replace(like, value=int(data))
    if isinstance(data, float):
        return replace(like, value=float(data))
    return _refuse("SLW-1005", f"is of type {type(data).__name__}, which JSON does not know", like, path, findings)


def _refuse(code: str, message: str, like: Node, path: KeyPath, findings: list[Finding] | None) -> Node:
    if findings is not None:
        findings.append(Finding(code, message, path, like.position))
    return replace(like, value=None, failed=True)


def merge(under: Node, over: Node) -> Node:
    """``over`` laid on ``under``: maps merge deep, everything else is replaced; flags and positions travel along."""
    if not isinstance(under.value, dict) or not isinstance(over.value, dict):
        return over
    merged = dict(under.value)
    for key, child in over.value.items():
        merged[key] = merge(merged[key], child) if key in merged else child
    return replace(over, value=merged)


def as_secret(node: Node) -> Node:
    """The node with everything below it secret."""
    if isinstance(node.value, dict):
        return replace(node, secret=True, value={key: as_secret(child) for key, child in node.value.items()})
    if isinstance(node.value, list):
        return replace(node, secret=True, value=[as_secret(child) for child in node.value])
    return replace(node, secret=True)
