# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which variables a template or an expression reads, found by parsing it and nothing more."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    from jinja2 import Environment, TemplateSyntaxError, nodes

WORD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METHODS = frozenset({"get", "items", "keys", "update", "values"})


@dataclass
class Reads:
    """Names that templates read. ``replaceable`` are those for which something else is done when they are not set.

    ``fragments`` are parts of names that are put together while a template runs: ``lookup('vars', tool + '_command')``.
    ``unclear`` holds every word of a text that cannot be parsed: any of them may be a variable.
    """

    names: set[str] = field(default_factory=set)
    replaceable: set[str] = field(default_factory=set)
    fragments: set[str] = field(default_factory=set)
    unclear: set[str] = field(default_factory=set)


class Reader:
    """Collects what many texts read. Filters and tests need not be known, since nothing is evaluated."""

    def __init__(self) -> None:
        self._environment = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])  # noqa: S701
        self._seen: set[str] = set()
        self.reads = Reads()

    def template(self, text: str) -> None:
        """``text`` as Ansible's templates have it, with braces."""
        if text in self._seen or ("{{" not in text and "{%" not in text):
            return
        self._seen.add(text)
        try:
            tree = self._environment.parse(text)
        except TemplateSyntaxError:
            self.reads.unclear.update(WORD.findall(text))
            return
        self._collect(tree)

    def expression(self, text: str) -> None:
        """``text`` as conditions have it, without braces."""
        self.template(text if "{{" in text or "{%" in text else "{{ " + text + " }}")

    def _collect(self, tree: nodes.Template) -> None:
        names: set[str] = set()
        own = {macro.name for macro in tree.find_all(nodes.Macro)}
        for name in tree.find_all(nodes.Name):
            (names if name.ctx == "load" else own).add(name.name)
        self.reads.names |= names - own
        for test in tree.find_all(nodes.Test):
            if test.name == "undefined" and isinstance(test.node, nodes.Name):
                self.reads.replaceable.add(test.node.name)
        for negation in tree.find_all(nodes.Not):
            inner = negation.node
            if isinstance(inner, nodes.Test) and inner.name == "defined" and isinstance(inner.node, nodes.Name):
                self.reads.replaceable.add(inner.node.name)
        for call in tree.find_all(nodes.Call):
            self._look_up(call)
        for attribute in tree.find_all(nodes.Getattr):
            self._of_a_host(attribute.node, attribute.attr)
        for item in tree.find_all(nodes.Getitem):
            self._of_a_host(item.node, getattr(item.arg, "value", None))

    def _look_up(self, call: nodes.Call) -> None:
        """``lookup('vars', …)`` reads a name that is a constant, or is made of some."""
        if not any(_is(call.node, name) for name in ("lookup", "query", "q")) or len(call.args) < 2:
            return
        if getattr(call.args[0], "value", "") not in {"vars", "ansible.builtin.vars"}:
            return
        for argument in call.args[1:]:
            if isinstance(argument, nodes.Const):
                self.reads.names.add(str(argument.value))
            else:
                self.reads.fragments |= {str(const.value) for const in argument.find_all(nodes.Const)}

    def _of_a_host(self, owner: nodes.Node, key: object) -> None:
        """``hostvars[host].name`` and ``vars['name']`` read a variable by its name, too."""
        if not isinstance(key, str) or key in _METHODS:
            return
        host = isinstance(owner, (nodes.Getattr, nodes.Getitem)) and _is(owner.node, "hostvars")
        if host or _is(owner, "vars"):
            self.reads.names.add(key)


def _is(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name
