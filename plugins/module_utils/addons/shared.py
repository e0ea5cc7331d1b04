# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""slipway_values: evaluated in the order in which its leaves refer to each other."""

from __future__ import annotations

from dataclasses import replace

from .evaluate import Evaluation
from .finding import Finding, KeyPath, format_path
from .graph import circle, components
from .model import JSON
from .node import Node, from_plain, plain
from .references import SHARED, is_template

ROOT: KeyPath = (SHARED,)


def evaluate_shared(tree: Node, evaluation: Evaluation) -> Shared:
    """The evaluated tree, also kept in ``evaluation.shared``. Circles are findings that show the path."""
    leaves = dict(tree.walk())
    edges = _edges(leaves, evaluation)
    builder = Shared(tree, evaluation)
    for component in components(edges):
        path = circle(edges, component)
        if path:
            leaf = leaves[path[0]]
            shown = " -> ".join(format_path((*ROOT, *step)) for step in path)
            message = "refers to itself" if len(path) == 2 else f"the values refer to each other: {shown}"
            evaluation.findings.append(Finding("SLW-1302", message, (*ROOT, *path[0]), leaf.position))
            for member in component:
                builder.put(member, replace(leaves[member], value=None, failed=True))
            continue
        for member in component:
            builder.put(member, evaluation.leaf(leaves[member], (*ROOT, *member)))
    return builder


def _edges(leaves: dict[KeyPath, Node], evaluation: Evaluation) -> dict[KeyPath, list[KeyPath]]:
    below: dict[KeyPath, list[KeyPath]] = {}
    for path in leaves:
        for end in range(len(path) + 1):
            below.setdefault(path[:end], []).append(path)
    edges: dict[KeyPath, list[KeyPath]] = {path: [] for path in leaves}
    for path, leaf in leaves.items():
        if not isinstance(leaf.value, str) or leaf.literal or leaf.failed or not is_template(leaf.value):
            continue
        for ref in evaluation.scope.of_text(leaf.value).shared:
            evaluation.used_shared.add(ref.path)
            targets = below.get(ref.path, [])
            prefix = ref.path
            while not targets and prefix:
                # below a leaf whose own template gives a map; or not there at all, which evaluation reports
                prefix = prefix[:-1]
                targets = [prefix] if prefix in leaves else []
            if ref.dynamic or not ref.path:
                targets = [target for target in targets if target != path]
            edges[path].extend(targets)
    return edges


class Shared:
    """Puts evaluated leaves into the tree, and into the plain copy that expressions see, at the same time."""

    def __init__(self, tree: Node, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self.tree = _copy(tree)
        self._plain = _skeleton(self.tree)
        evaluation.begin_shared(self._plain)
        evaluation.shared = self.tree

    def put(self, path: KeyPath, leaf: Node) -> None:
        if not path:
            return
        parent = self.tree.at(path[:-1])
        plain_parent = self._plain
        for key in path[:-1]:
            plain_parent = plain_parent[key]
        if leaf.failed:
            self._evaluation.lack_shared(path)
        elif parent is not None:
            plain_parent[path[-1]] = plain(leaf)
        if parent is not None and isinstance(parent.value, (dict, list)):
            parent.value[path[-1]] = leaf  # type: ignore[index]

    def finish(self) -> None:
        """Evaluate the leaves that wait for outputs, now that there are some. May be done again with others."""
        for path, node in self._evaluation.waiting.items():
            if path[0] == SHARED and len(path) > 1:
                self.put(path[1:], self._evaluation.leaf(node, path))


def _copy(node: Node) -> Node:
    """Containers anew, so that the tree of the caller stays as it was."""
    if isinstance(node.value, dict):
        return replace(node, value={key: _copy(child) for key, child in node.value.items()})
    if isinstance(node.value, list):
        return replace(node, value=[_copy(child) for child in node.value])
    return node


def _skeleton(node: Node) -> JSON:
    if isinstance(node.value, dict):
        return {key: _skeleton(child) for key, child in node.value.items() if isinstance(child.value, (dict, list))}
    if isinstance(node.value, list):
        return [_skeleton(child) if isinstance(child.value, (dict, list)) else None for child in node.value]
    return from_plain(node.value, node.position).value
