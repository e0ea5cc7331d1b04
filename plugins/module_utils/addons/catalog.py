# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The catalog: one YAML file for each entry, read with positions and checked like the user's manifest."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .definition import CATALOG
from .finding import Finding, KeyPath, Position
from .names import ADDON_LENGTH, label_problem
from .node import Node, from_plain
from .shape import check

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml


@dataclass(frozen=True)
class Entry:
    """A checked catalog entry. ``folder`` is what its relative paths start from."""

    name: str
    node: Node
    folder: Path

    def texts(self, key: str) -> tuple[str, ...]:
        found = self.node.at((key,))
        return tuple(str(child.value) for child in found.value) if found and isinstance(found.value, list) else ()


def load(folders: Iterable[str]) -> tuple[dict[str, Entry], list[Finding]]:
    """All entries of the folders; a broken one is left out, and findings say why."""
    entries: dict[str, Entry] = {}
    findings: list[Finding] = []
    for folder in folders:
        root = Path(folder)
        if not root.is_dir():
            findings.append(Finding("SLW-1108", f"there is no folder {folder!r}", ("slipway_catalogs",)))
            continue
        for file in sorted([*root.glob("*.yml"), *root.glob("*.yaml")]):
            entry = _entry(file, findings)
            if entry is None:
                continue
            if entry.name in entries:
                findings.append(
                    Finding(
                        "SLW-1109",
                        f"entry {entry.name!r} also stands in {entries[entry.name].node.position.source}",
                        (entry.name,),
                        entry.node.position,
                    )
                )
                continue
            entries[entry.name] = entry
    return entries, findings


def _entry(file: Path, findings: list[Finding]) -> Entry | None:
    """The entry in ``file``, or None. A readable entry with wrong keys is returned without those keys."""
    name = file.stem
    try:
        node = read_yaml(file.read_text(encoding="utf-8"), str(file), name, findings)
    except (OSError, UnicodeDecodeError) as error:
        findings.append(Finding("SLW-1108", f"cannot be read: {error}", (name,), Position(str(file))))
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        position = Position(str(file), mark.line + 1, mark.column + 1) if mark else Position(str(file))
        findings.append(Finding("SLW-1108", f"is not YAML: {error.problem or error.context}", (name,), position))
        return None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        findings.append(Finding("SLW-1108", f"is not YAML: {error}", (name,), Position(str(file))))
        return None
    problem = label_problem(name, ADDON_LENGTH)
    if problem:
        findings.append(Finding("SLW-1007", f"the file name {problem}", (name,), Position(str(file))))
    checked, wrong = check(node, CATALOG, (name,))
    findings.extend(wrong)
    written = checked.at(("name",))
    if written is not None and written.value != name:
        findings.append(
            Finding(
                "SLW-1007",
                f"name is {written.value!r}, but the file's name is {name!r}",
                (name, "name"),
                written.position,
            )
        )
    return Entry(name, checked, file.parent)


def read_yaml(text: str, source: str, name: str, findings: list[Finding]) -> Node:
    """One YAML document with positions. Raises ``yaml.YAMLError``. Text is never a template here."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return Node({}, Position(source), literal=True)
        return _convert(root, loader, source, (name,), findings, _at(root, source))
    finally:
        loader.dispose()


def _at(node: Any, source: str) -> Position:
    return Position(source, node.start_mark.line + 1, node.start_mark.column + 1)


def _convert(node: Any, loader: Any, source: str, path: KeyPath, findings: list[Finding], position: Position) -> Node:
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        children: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            where = _at(key_node, source)
            if key in children:
                findings.append(Finding("SLW-1003", f"key {key!r} is written twice", (*path, key), where))
            children[key] = _convert(value_node, loader, source, (*path, key), findings, where)
        return Node(children, position, literal=True)
    if isinstance(node, yaml.SequenceNode):
        items = [
            _convert(child, loader, source, (*path, at), findings, _at(child, source))
            for at, child in enumerate(node.value)
        ]
        return Node(items, position, literal=True)
    value = loader.construct_object(node)
    return from_plain(value, position, path, findings, Node(None, literal=True))
