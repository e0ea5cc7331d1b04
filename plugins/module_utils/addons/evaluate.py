# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Evaluates the templates of the manifest leaf by leaf, each with its own position, type and secrecy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Optional

from . import simple
from .evaluator import Evaluator, TemplateError, UndefinedError
from .finding import Finding, KeyPath
from .model import JSON
from .node import Node, as_secret, from_plain, plain
from .output import STAND_IN, Output
from .outputs import Outputs
from .references import SHARED, References, is_template, references
from .scope import NODES, OUTPUTS, Closure, Scope
from .undefined import explain

NodesOf = Optional[Callable[[], Mapping[str, JSON]]]


class _Marked:
    """Leaves of slipway_values that have no value, or none yet."""

    def __init__(self, leaves: Iterable[KeyPath] = ()) -> None:
        self.leaves: set[KeyPath] = set()
        self._above: set[KeyPath] = set()
        for leaf in leaves:
            self.add(leaf)

    def add(self, path: KeyPath) -> None:
        self.leaves.add(path)
        self._above.update(path[:end] for end in range(len(path) + 1))

    def read_by(self, closure: Closure) -> bool:
        return any(
            ref.path in self._above or any(ref.path[:end] in self.leaves for end in range(1, len(ref.path) + 1))
            for ref in closure.shared
        )


class Evaluation:
    """One run's evaluation: the evaluator, the variables it sees, and what has been found so far.

    What reads outputs of add-ons waits until ``with_outputs`` was called, because other values say what an output is.
    """

    def __init__(self, evaluator: Evaluator, scope: Scope, nodes: NodesOf, names: frozenset[str]) -> None:
        self._evaluator = evaluator
        self.scope = scope
        self.names = names
        self._nodes = nodes
        self.uses_nodes = False
        self.findings: list[Finding] = []
        self.shared = Node({})
        """slipway_values, evaluated."""
        self.shared_plain: JSON = {}
        self._failed = _Marked()
        self._late = _Marked()
        self.waiting: dict[KeyPath, Node] = {}
        """Leaves that read outputs, as written, in the order in which they can be evaluated."""
        self.outputs: Outputs | None = None
        self._first: tuple[list[Finding], set[KeyPath]] | None = None
        self.used_shared: set[KeyPath] = set()
        self.reads_templates = False
        self._variables: dict[str, JSON] = {SHARED: self.shared_plain}

    def begin_shared(self, skeleton: JSON) -> None:
        """Let expressions see ``skeleton`` as slipway_values; the caller fills it as leaves are evaluated."""
        self.shared_plain = skeleton
        self._variables[SHARED] = skeleton

    def with_outputs(self, outputs: Outputs) -> None:
        """From now on expressions see ``outputs``; findings are again those from before the first time."""
        if self._first is None:
            self._first = (self.findings, self._failed.leaves)
        self.findings, self._failed = list(self._first[0]), _Marked(self._first[1])
        self.outputs = outputs
        self._variables[OUTPUTS] = outputs.tree

    def lack_shared(self, path: KeyPath) -> None:
        """A leaf of slipway_values has failed, or waits for outputs."""
        waits = self.outputs is None and (SHARED, *path) in self.waiting
        (self._late if waits else self._failed).add(path)

    def tree(self, node: Node, path: KeyPath) -> Node:
        """The node with every template below it evaluated. Failed leaves are marked, each with one finding."""
        if isinstance(node.value, dict):
            return replace(node, value={key: self.tree(child, (*path, key)) for key, child in node.value.items()})
        if isinstance(node.value, list):
            return replace(node, value=[self.tree(child, (*path, at)) for at, child in enumerate(node.value)])
        return self.leaf(node, path)

    def leaf(self, node: Node, path: KeyPath) -> Node:
        text = node.value
        if node.failed or node.literal or not isinstance(text, str) or not is_template(text):
            return node
        found = references(text)
        if found.error:
            return self._fail(node, path, Finding("SLW-1305", f"template error: {found.error}", path, node.position))
        closure = self.scope.of_text(text)
        self.used_shared.update(ref.path for ref in closure.shared)
        self.reads_templates = self.reads_templates or closure.reads_templates
        if self._failed.read_by(closure):
            # a finding stands there already, and none is due here
            return replace(node, value=None, failed=True)
        if self.outputs is None and (closure.outputs or self._late.read_by(closure)):
            self.waiting[path] = node
            return replace(node, value=None, failed=True)
        if NODES in closure.names and self._nodes is not None and not self.uses_nodes:
            self._variables[NODES] = dict(self._nodes())
            self.uses_nodes = True
        used = self._used(closure, node, path)
        if used is None:
            return replace(node, value=None, failed=True)
        secret = node.secret or closure.secret or any(output.secret for output in used)
        outputs = frozenset(output.full_name for output in used) | self._outputs_of_shared(closure)
        unknown = self.outputs.unknown(outputs) if self.outputs else ()
        try:
            value = simple.evaluate(text, self.shared_plain)
            if value is simple.MISSING:
                value = self._evaluator.evaluate(text, self._variables)
        except UndefinedError as error:
            if not unknown or self._lacks_variable(found, closure):
                return self._fail(node, path, self._undefined(node, path, closure, found, error, secret))
            value = f"{STAND_IN}{unknown[0].addon}"
        except TemplateError as error:
            if not unknown:
                message = "cannot be evaluated" + ("" if secret or self._secret_shared(closure) else f": {error}")
                return self._fail(node, path, Finding("SLW-1304", message, path, node.position))
            # The text may want more of a value than its stand-in has.
            value = f"{STAND_IN}{unknown[0].addon}"
        problems: list[Finding] = []
        result = from_plain(value, node.position, path, problems, replace(node, secret=secret, outputs=outputs))
        if problems:
            message = "gives something that is not a value: " + problems[0].message
            return self._fail(node, path, Finding("SLW-1306", message, path, node.position))
        return self._tainted(result, closure, found)

    def quiet(self, node: Node) -> JSON:
        """The value of a variable outside the manifest; None where it cannot be evaluated, which is not our concern."""
        if node.failed or node.literal or not isinstance(node.value, str) or not is_template(node.value):
            return plain(node)
        try:
            return self._evaluator.evaluate(node.value, self._variables)
        except (UndefinedError, TemplateError):
            return None

    def secret_nodes(self) -> list[Node]:
        """Secret values outside the manifest that a template of the manifest has read."""
        return [*self.scope.secret_nodes(), *(self.outputs.secret_nodes() if self.outputs else ())]

    def _used(self, closure: Closure, node: Node, path: KeyPath) -> list[Output] | None:
        """The outputs that the text itself reads, or variables that it reads; None after a finding."""
        if self.outputs is None or not closure.outputs:
            return []
        refs = sorted(closure.outputs, key=lambda ref: [str(key) for key in ref.path])
        found = [self.outputs.use(ref.path, not ref.dynamic) for ref in refs]
        wrong = [replace(f, path=path, position=node.position) for f in found if isinstance(f, Finding)]
        self.findings += wrong
        return None if wrong else [output for output in found if isinstance(output, Output)]

    def _outputs_of_shared(self, closure: Closure) -> frozenset[str]:
        found: set[str] = set()
        for ref in closure.shared if self.outputs else ():
            for end in range(len(ref.path) + 1):
                node = self.shared.at(ref.path[:end])
                if node is None:
                    break
                found |= node.outputs
            else:
                found.update(*(leaf.outputs for _path, leaf in node.walk()) if node else ())
        return frozenset(found)

    def _lacks_variable(self, found: References, closure: Closure) -> bool:
        """Whether a name is undefined whatever the outputs are."""
        others = frozenset(ref for ref in found.refs if ref.root not in (SHARED, OUTPUTS))
        missing, _advice = explain(
            replace(found, refs=others), replace(closure, shared=frozenset()), self.scope, {}, self.names
        )
        return bool(missing)

    def _fail(self, node: Node, path: KeyPath, finding: Finding) -> Node:
        self.findings.append(finding)
        return replace(node, value=None, failed=True)

    def _undefined(
        self, node: Node, path: KeyPath, closure: Closure, found: References, error: UndefinedError, secret: bool
    ) -> Finding:
        roots: dict[str, JSON] = {SHARED: self.shared_plain}
        roots.update((name, self._variables[name]) for name in (NODES, OUTPUTS) if name in self._variables)
        what, advice = explain(found, closure, self.scope, roots, self.names)
        fallback = "something is undefined" if secret else f"something is undefined: {error}"
        return Finding("SLW-1301", what or fallback, path, node.position, advice=advice)

    def _secret_shared(self, closure: Closure) -> bool:
        return any(self._reads_secret(ref.path) for ref in closure.shared)

    def _reads_secret(self, path: KeyPath) -> bool:
        for end in range(len(path) + 1):
            node = self.shared.at(path[:end])
            if node is None:
                return False
            if node.secret:
                return True
        return any(leaf.secret for _path, leaf in node.walk()) if node is not None else False

    def _tainted(self, result: Node, closure: Closure, found: References) -> Node:
        """Secrecy follows references; a text that is one reference takes over exactly the secret parts."""
        exact = found.exact
        if exact is not None and exact.root == SHARED and not result.secret:
            source = self.shared.at(exact.path)
            if source is not None and plain(source) == plain(result):
                return _like(result, source)
        if self._secret_shared(closure):
            return as_secret(result)
        return result


def _like(node: Node, source: Node) -> Node:
    if isinstance(node.value, dict):
        return replace(node, value={key: _like(child, source.map()[key]) for key, child in node.value.items()})
    if isinstance(node.value, list) and isinstance(source.value, list):
        return replace(node, value=[_like(*pair) for pair in zip(node.value, source.value, strict=True)])
    return replace(node, secret=source.secret, outputs=source.outputs)
