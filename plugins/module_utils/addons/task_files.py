# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The hooks of an add-on as the manifest writes them: which files of tasks, and whether they are any."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from .definition import HOOKS
from .draft import Draft
from .finding import Finding, KeyPath, Position
from .model import TaskFile
from .node import Node

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml

EVENTS = tuple(field.name for field in HOOKS.fields)
_VAULTED = "$ANSIBLE_VAULT"


def task_files(draft: Draft, files_dir: Path, findings: list[Finding]) -> tuple[TaskFile, ...]:
    """The files in the order of ``EVENTS``, each once for its event; one with a finding is left out."""
    written = draft.node.at(("hooks",)) or Node({})
    found: dict[TaskFile, None] = {}
    for event in EVENTS:
        node = written.map().get(event)
        if node is None or node.failed:
            continue
        items = list(enumerate(node.value)) if isinstance(node.value, list) else [(None, node)]
        for at, item in items:
            path: KeyPath = (*draft.path, "hooks", event, *(() if at is None else (at,)))
            one = _one(event, item, _folder(draft, event, files_dir), path, findings)
            if one is not None:
                found[one] = None
    return tuple(found)


def _folder(draft: Draft, event: str, files_dir: Path) -> Path:
    """What a relative path starts from: the entry's own folder for what the entry wrote."""
    mine = draft.user.at(("hooks", event)) is not None
    return files_dir if mine or draft.entry is None else draft.entry.folder


def _one(event: str, node: Node, folder: Path, path: KeyPath, findings: list[Finding]) -> TaskFile | None:
    if node.failed or not isinstance(node.value, str):
        return None
    file = folder / node.value
    shown = "the file" if node.secret else repr(node.value)
    if "\0" in node.value or not file.is_file():
        findings.append(
            Finding(
                "SLW-1411",
                f"{shown} does not exist or is no file",
                path,
                node.position,
                advice=f"relative paths start from {folder}",
            )
        )
        return None
    wrong = _no_tasks(file)
    if wrong is not None:
        position, message = wrong
        findings.append(Finding("SLW-1412", f"{shown} {message}", path, position, advice="write a list of tasks"))
        return None
    return TaskFile(event, node.value, str(file.absolute()))


def _no_tasks(file: Path) -> tuple[Position, str] | None:
    """Where and why the file is no list of tasks. Tags are not looked at: Ansible has its own."""
    whole = Position(str(file))
    try:
        text = file.read_text(encoding="utf-8")
        if text.startswith(_VAULTED):
            return None
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError) as error:
        return whole, f"cannot be read: {error}"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = Position(str(file), mark.line + 1, mark.column + 1) if mark else whole
        return at, f"is not YAML: {error.problem or error.context}"
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return whole, f"is not YAML: {error}"
    if root is None:
        return whole, "is empty"
    if not isinstance(root, yaml.SequenceNode):
        return _at(file, root), "is no list"
    for item in root.value:
        if not isinstance(item, yaml.MappingNode):
            return _at(file, item), "has an item that is no task"
        if any(getattr(key, "value", None) in ("hosts", "import_playbook") for key, _value in item.value):
            return _at(file, item), "is a playbook"
    return None


def _at(file: Path, node: yaml.Node) -> Position:
    return Position(str(file), node.start_mark.line + 1, node.start_mark.column + 1)
