# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a template refers to, read from its syntax tree, without evaluating it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from . import simple
from .finding import KeyPath

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    from jinja2 import Environment, TemplateSyntaxError, nodes

EXTENSIONS = ("jinja2.ext.do", "jinja2.ext.loopcontrols")
SHARED = "slipway_values"
LOOKUPS = frozenset({"lookup", "query", "q"})

OPEN_LOOKUPS = frozenset(
    {
        "config",
        "dict",
        "file",
        "fileglob",
        "first_found",
        "indexed_items",
        "inventory_hostnames",
        "items",
        "list",
        "nested",
        "sequence",
        "subelements",
        "template",
        "together",
        "vars",
        "varnames",
    }
)
"""Lookups whose results are no secrets. Every other one is taken for a source of secrets."""

SECRET_VARIABLES = frozenset(
    {
        "slipway_secrets",
        "ansible_password",
        "ansible_ssh_pass",
        "ansible_ssh_password",
        "ansible_become_pass",
        "ansible_become_password",
        "ansible_ssh_private_key",
        "vault_password",
    }
)
"""Variables whose every value is a secret."""
SECRET_NAMES = SECRET_VARIABLES | {"ansible_env"}
"""Names that make a text secret. The environment holds secrets beside much that is none."""
SECRET_FILTERS = frozenset({"unvault", "ansible.builtin.unvault"})
HOST_NAMES = frozenset({"hostvars", "vars", "ansible_facts"})
"""Roots below which any variable may stand; what is read there is judged by its last constant names."""


@dataclass(frozen=True)
class Reference:
    """A name and the constant keys behind it. ``dynamic``: more follows that only evaluation can tell.

    ``guessed``: a key below ``hostvars`` or the like, which probably is the name of a variable.
    """

    root: str
    path: KeyPath = ()
    dynamic: bool = False
    guessed: bool = False


@dataclass(frozen=True)
class References:
    """All references of one text. ``exact``: the text is this one reference and nothing else."""

    refs: frozenset[Reference] = frozenset()
    exact: Reference | None = None
    secret: bool = False
    reads_templates: bool = False
    error: str = ""


NONE = References()


def is_template(text: str) -> bool:
    return "{{" in text or "{%" in text or "{#" in text


@lru_cache(maxsize=65536)
def references(text: str) -> References:
    """Parse ``text``. A syntax error is returned in ``error``; it names no value."""
    if not is_template(text):
        return NONE
    plain = [part for part in simple.parts(text) if not isinstance(part, str)]
    if plain:
        refs = frozenset(Reference(SHARED, path) for path in plain)
        return References(refs, next(iter(refs)) if len(simple.parts(text)) == 1 else None)
    try:
        tree = Environment(extensions=EXTENSIONS).parse(text)  # noqa: S701 - parses, renders nothing
    except TemplateSyntaxError as error:
        return References(error=error.message or "invalid template")
    except RecursionError:
        return References(error="nested too deep")
    walk = _Walk()
    walk.visit(tree)
    local = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    refs = frozenset(ref for ref in walk.refs if ref.root not in local or ref.root.startswith("slipway_"))
    return References(refs, _exact(tree), walk.secret, walk.reads_templates)


def _exact(tree: nodes.Template) -> Reference | None:
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output) or len(tree.body[0].nodes) != 1:
        return None
    root, path, constant = _chain(tree.body[0].nodes[0])
    return Reference(root, path) if root and constant else None


def _chain(node: nodes.Node) -> tuple[str, KeyPath, bool]:
    """Root name, keys, and whether all keys are constant. The root is empty for anything but a chain on a name."""
    keys: list[str | int | None] = []
    while True:
        if isinstance(node, nodes.Name):
            break
        if isinstance(node, nodes.Getattr):
            keys.append(node.attr)
        elif isinstance(node, nodes.Getitem):
            arg = node.arg
            constant = isinstance(arg, nodes.Const) and isinstance(arg.value, (str, int))
            keys.append(arg.value if constant else None)  # type: ignore[attr-defined]
        else:
            return "", (), False
        node = node.node
    path: list[str | int] = []
    for key in reversed(keys):
        if key is None:
            return node.name, tuple(path), False
        path.append(key)
    return node.name, tuple(path), True


class _Walk:
    """Collects references; a chain is taken as a whole, not link by link."""

    def __init__(self) -> None:
        self.refs: set[Reference] = set()
        self.secret = False
        self.reads_templates = False

    def visit(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in LOOKUPS:
            self._lookup(node)
            for child in (*node.args, *node.kwargs):
                self.visit(child)
            return
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            # a method such as .items(): what it reads lies below the object it is called on
            self._chain(node.node.node, called=True)
            for child in (*node.args, *node.kwargs):
                self.visit(child)
            return
        if isinstance(node, nodes.Filter) and node.name in SECRET_FILTERS:
            self.secret = True
        if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
            self._chain(node)
            return
        if isinstance(node, (nodes.Include, nodes.Import, nodes.FromImport)):
            self.secret = True
        for child in node.iter_child_nodes():
            self.visit(child)

    def _chain(self, node: nodes.Node, called: bool = False) -> None:
        root, path, constant = _chain(node)
        if root and (not isinstance(node, nodes.Name) or node.ctx == "load"):
            self._add(root, path, called or not constant, node)
        inner = node
        while isinstance(inner, (nodes.Getattr, nodes.Getitem)):
            if isinstance(inner, nodes.Getitem) and not isinstance(inner.arg, nodes.Const):
                self.visit(inner.arg)
            inner = inner.node
        if not isinstance(inner, nodes.Name):
            self.visit(inner)

    def _add(self, root: str, path: KeyPath, dynamic: bool, node: nodes.Node) -> None:
        if root in LOOKUPS:
            self.secret = True  # passed on under another name: nobody can say what it will look up
        elif root in SECRET_NAMES:
            self.secret = True
        if root in HOST_NAMES:
            inner: nodes.Node = node
            found = False
            while isinstance(inner, (nodes.Getattr, nodes.Getitem)):
                key = inner.attr if isinstance(inner, nodes.Getattr) else getattr(inner.arg, "value", None)
                if isinstance(key, str):
                    found = True
                    self.refs.add(Reference(key, (), True, True))
                    self.secret = self.secret or key in SECRET_NAMES
                inner = inner.node
            self.secret = self.secret or (not found and root != "ansible_facts")
        self.refs.add(Reference(root, path, dynamic))

    def _lookup(self, call: nodes.Call) -> None:
        first = call.args[0] if call.args else None
        name = first.value if isinstance(first, nodes.Const) else None
        short = str(name).removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
        if short not in OPEN_LOOKUPS or call.dyn_args is not None or call.dyn_kwargs is not None:
            self.secret = True
        if short == "template":
            self.reads_templates = True
        if short == "vars":
            for arg in call.args[1:]:
                if isinstance(arg, nodes.Const) and isinstance(arg.value, str):
                    self.refs.add(Reference(arg.value, (), True))
                    self.secret = self.secret or arg.value in SECRET_NAMES
                else:
                    self.secret = True
