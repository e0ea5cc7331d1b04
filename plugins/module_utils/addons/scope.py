# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a text reads in the end: its references, and those of the variables it refers to."""

from __future__ import annotations

from dataclasses import dataclass

from .evaluator import Raw, Variable
from .finding import KeyPath
from .node import Node, as_secret
from .references import SECRET_VARIABLES, SHARED, Reference, is_template, references

NODES = "slipway_nodes"
OUTPUTS = "slipway_outputs"


@dataclass(frozen=True)
class Closure:
    """``shared``: references into slipway_values. ``outputs``: those into slipway_outputs. ``names``: every root name
    reached. ``secret``: may hold a secret.

    ``missing``: names that are no variable, each with the variable in whose text it stands ('' for the text itself).
    """

    shared: frozenset[Reference] = frozenset()
    names: frozenset[str] = frozenset()
    missing: frozenset[tuple[str, str]] = frozenset()
    secret: bool = False
    reads_templates: bool = False
    outputs: frozenset[Reference] = frozenset()


EMPTY = Closure()


def union(*parts: Closure) -> Closure:
    return Closure(
        frozenset().union(*(p.shared for p in parts)),
        frozenset().union(*(p.names for p in parts)),
        frozenset().union(*(p.missing for p in parts)),
        any(p.secret for p in parts),
        any(p.reads_templates for p in parts),
        frozenset().union(*(p.outputs for p in parts)),
    )


class Scope:
    """Follows references through Ansible's variables. Every text and variable is looked at once."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._variables: dict[str, Variable | None] = {}
        self._of_text: dict[str, Closure] = {}
        self._of_variable: dict[tuple[str, KeyPath], Closure] = {}

    def variable(self, name: str) -> Variable | None:
        if name not in self._variables:
            self._variables[name] = self._raw(name)
        return self._variables[name]

    def of_text(self, text: str, owner: str = "") -> Closure:
        """The closure of ``text``, which stands in the variable ``owner`` ('' for the manifest itself)."""
        if not is_template(text):
            return EMPTY
        known = self._of_text.get(text)
        if known is not None:
            return known
        found = references(text)
        parts = [Closure(secret=found.secret, reads_templates=found.reads_templates)]
        parts.extend(self._of_reference(ref, owner) for ref in found.refs)
        result = union(*parts)
        self._of_text[text] = result
        return result

    def of_node(self, node: Node, owner: str = "") -> Closure:
        """The closure of all texts below ``node``."""
        parts = [EMPTY]
        for _path, leaf in node.walk():
            if leaf.secret:
                parts.append(Closure(secret=True))
            if isinstance(leaf.value, str) and not leaf.literal and is_template(leaf.value):
                parts.append(self.of_text(leaf.value, owner))
        return union(*parts) if len(parts) > 1 else EMPTY

    def _of_reference(self, ref: Reference, owner: str) -> Closure:
        own = Closure(names=frozenset({ref.root}))
        if ref.root == SHARED:
            return union(own, Closure(shared=frozenset({ref})))
        if ref.root == NODES:
            return own
        if ref.root == OUTPUTS:
            return union(own, Closure(outputs=frozenset({ref})))
        variable = self.variable(ref.root)
        if variable is None:
            return union(own, Closure(missing=frozenset({(ref.root, owner)})))
        path: KeyPath = ()
        node = variable.node
        for key in ref.path:
            child = node.at((key,))
            if child is None:
                break
            node, path = child, (*path, key)
        slot = (ref.root, path)
        known = self._of_variable.get(slot)
        if known is None:
            self._of_variable[slot] = EMPTY  # a variable that refers to itself ends here; evaluation reports it
            known = self._of_variable[slot] = self.of_node(node, ref.root)
        return union(own, known)

    def secret_nodes(self) -> list[Node]:
        """The nodes of every variable looked at so far; their secret parts are to be masked."""
        return [
            as_secret(variable.node) if name in SECRET_VARIABLES else variable.node
            for name, variable in self._variables.items()
            if variable is not None
        ]
