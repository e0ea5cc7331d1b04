# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Derive from a collection's roles and playbooks which variables they define, set and read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .expressions import Reader, Reads
from .kinds import guess

try:
    import yaml
except ImportError:  # Ansible's controller always has it; import checks of single files may not
    _Base: Any = object
else:
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_PARTS = frozenset({"defaults", "vars", "tasks", "handlers", "meta", "templates", "playbooks"})
_LEFT_OUT = frozenset({"molecule", "tests", "files"})
_CONDITIONS = frozenset({"when", "that", "until", "failed_when", "changed_when"})
_SET_FACT = frozenset({"set_fact", "ansible.builtin.set_fact"})
_LOOP_NAMES = frozenset({"loop_var", "index_var"})


@dataclass
class Derived:
    """What was found. ``defaults`` tells for each name the type of its default, as ``kinds.guess`` names it."""

    defaults: dict[str, str] = field(default_factory=dict)
    role_vars: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)
    """What tasks ``register``."""
    facts: set[str] = field(default_factory=set)
    """What tasks set by ``set_fact``."""
    local: set[str] = field(default_factory=set)
    """``vars`` of tasks and plays, parameters of roles, loop variables: seen by one task or role."""
    removed: set[str] = field(default_factory=set)
    reads: Reads = field(default_factory=Reads)


def derive(collection: Path) -> Derived:
    """Read every role and playbook below ``collection``. Raises ``OSError`` when a file there cannot be read.

    A file that is no YAML is passed over: Ansible could not use it either.
    """
    derived, reader = Derived(), Reader()
    with warnings.catch_warnings():
        # Python warns of backslashes in texts of templates; where warnings are errors, those would not be parsed
        warnings.simplefilter("ignore")
        _read(collection, derived, reader)
    derived.reads = reader.reads
    return derived


def _read(collection: Path, derived: Derived, reader: Reader) -> None:
    for part, path in _files(collection):
        if part == "templates":
            if path.suffix == ".j2":
                reader.template(path.read_text(encoding="utf-8", errors="replace"))
            continue
        if path.suffix not in {".yml", ".yaml"} and (part not in {"defaults", "vars"} or path.suffix):
            continue
        with suppress(yaml.YAMLError):
            content = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a safe loader that knows Ansible's tags
            _note(part, content, derived, reader)


def _files(collection: Path) -> Iterator[tuple[str, Path]]:
    """Each file with the part of a role that it lies in, in a stable order."""
    for top in ("roles", "playbooks"):
        for folder, below, names in os.walk(collection / top):
            below[:] = sorted(name for name in below if name not in _LEFT_OUT)
            parts = (top, *Path(folder).relative_to(collection / top).parts)
            part = next((name for name in parts if name in _PARTS), "")
            if part:
                yield from ((part, Path(folder, name)) for name in sorted(names))


def _note(part: str, content: object, derived: Derived, reader: Reader) -> None:
    if part in {"defaults", "vars"}:
        if isinstance(content, dict):
            names = {str(name): value for name, value in content.items()}
            if part == "vars":
                derived.role_vars |= set(names)
            else:
                for name, value in names.items():
                    kind = guess(value)
                    derived.defaults[name] = kind if derived.defaults.get(name, kind) == kind else "any"
        _walk(content, "", None, reader)
        return
    _walk(content, "", derived, reader)


def _walk(value: object, under: str, derived: Derived | None, reader: Reader) -> None:
    """Read the strings below ``value``; with ``derived``, note there what tasks and plays set."""
    if isinstance(value, dict):
        for key, child in value.items():
            name = key if isinstance(key, str) else ""
            if derived is not None:
                _note_set(name, child, derived)
            if "{{" in name:
                reader.template(name)
            _walk(child, name, derived, reader)
    elif isinstance(value, list):
        for child in value:
            _walk(child, under, derived, reader)
    elif isinstance(value, str):
        (reader.expression if under in _CONDITIONS else reader.template)(value)


def _note_set(key: str, child: object, derived: Derived) -> None:
    if key == "register" and isinstance(child, str):
        derived.results.add(child)
    elif key in _LOOP_NAMES and isinstance(child, str):
        derived.local.add(child)
    elif key in _SET_FACT and isinstance(child, dict):
        derived.facts |= {str(name) for name in child if name != "cacheable"}
    elif key == "vars" and isinstance(child, dict):
        derived.local |= {str(name) for name in child}
        removed = child.get("removed_vars")
        if isinstance(removed, list):
            derived.removed |= {str(name) for name in removed}
    elif key == "roles" and isinstance(child, list):
        derived.local |= {str(name) for role in child if isinstance(role, dict) for name in role}


class _Loader(_Base):  # type: ignore[misc]
    """Knows no tags: what Ansible makes of a vaulted or unsafe value does not matter here."""

    def construct_undefined(self, node: Any) -> object:
        return getattr(node, "value", None)


with suppress(AttributeError):  # without PyYAML there is nothing to load
    _Loader.add_constructor(None, _Loader.construct_undefined)
