# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible variables, untemplated, as trees that know where each value was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ansible.errors import AnsibleError
from ansible.utils.vars import load_extra_vars

from ansible_collections.slipway.cluster.plugins.module_utils.addons.evaluator import Variable
from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Finding, KeyPath, Position
from ansible_collections.slipway.cluster.plugins.module_utils.addons.node import DEEPEST, Node, from_plain, plain_key

from . import origin

NAMES = ("slipway_name", "slipway_capabilities", "slipway_addons", "slipway_values")
PREFIXES = ("slipway_addons__", "slipway_values__")
LAZY = frozenset({"hostvars", "vars"})
"""Mappings that template or copy everything when they are walked."""


def read(
    task_vars: Mapping[str, object],
    names: Iterable[str] = NAMES,
    prefixes: tuple[str, ...] = PREFIXES,
) -> tuple[list[Variable], list[Finding]]:
    """The manifest's variables, and a finding for each value that cannot be read."""
    findings: list[Finding] = []
    wanted = set(names)
    keys = [key for key in task_vars if key in wanted or key.startswith(prefixes)]
    return [Variable(str(key), _variable(key, task_vars[key], findings)) for key in keys], findings


def raw(task_vars: Mapping[str, object]) -> Callable[[str], Variable | None]:
    """A look-up of any variable. Values that cannot be read are failed nodes; nobody asked for them by name."""

    def find(name: str) -> Variable | None:
        if name not in task_vars:
            return None
        if name in LAZY:
            return Variable(name, Node(None))
        return Variable(name, _variable(name, task_vars[name], []))

    return find


def _variable(key: str, value: object, findings: list[Finding]) -> Node:
    name = str(key)
    found = origin.position(key) or origin.position(value)
    if found is None:
        extra = getattr(load_extra_vars, "extra_vars", None) or {}
        source = origin.EXTRA if name in extra else f"variable {name} (no file)"
        found = Position(source)
    return _node(value, found, (name,), findings)


def _node(value: object, position: Position, path: KeyPath, findings: list[Finding]) -> Node:
    """``position`` is that of the key, or of the parent: what a value has when Ansible gives it none of its own."""
    secret = position.line > 0 and origin.file_is_vaulted(position.source)
    if origin.is_vaulted(value):
        here = origin.position(value) or position
        try:
            return Node(origin.decrypt(value), here, secret=True, literal=True)
        except AnsibleError:
            findings.append(
                Finding(
                    "SLW-1011",
                    "is vaulted and cannot be decrypted",
                    path,
                    here,
                    advice="give the vault password, for example by --vault-password-file",
                )
            )
            return Node(None, here, secret=True, literal=True, failed=True)
    if len(path) <= DEEPEST and isinstance(value, Mapping):
        if path[0] != "slipway_values" and len(path) == 1:
            findings += [
                Finding(
                    "SLW-1007",
                    "YAML reads this name as a boolean",
                    (*path, plain_key(key)),
                    origin.position(key) or position,
                    advice="put it in quotes",
                )
                for key in value
                if isinstance(key, bool)
            ]
        return Node(
            {
                plain_key(key): _node(child, origin.position(key) or position, (*path, plain_key(key)), findings)
                for key, child in value.items()
            },
            position,
            secret=secret,
        )
    if len(path) <= DEEPEST and isinstance(value, (list, tuple)):
        return Node(
            [_node(child, origin.position(child) or position, (*path, at), findings) for at, child in enumerate(value)],
            position,
            secret=secret,
        )
    if isinstance(value, str):
        here = origin.position(value) or position
        return Node(str.__str__(value), here, secret=secret, literal=origin.is_literal(value))
    return replace(from_plain(value, position, path, findings), secret=secret)
