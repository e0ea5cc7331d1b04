# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stacks that there are: one folder each, with its ``stack.yml`` and the files of an inventory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..nodes.problem import Problem
from .definition import Stack, Wrong, read
from .lines import line_of, no_yaml
from .render import PART, check_places

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml

DEFINITION = "stack.yml"
GROUPS = ("all", "k8s_cluster", "kube_control_plane", "kube_node", "etcd")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def load(folders: Iterable[str]) -> tuple[dict[str, Stack], list[Problem]]:
    """All stacks in the folders by name; a broken one is left out, and problems say why."""
    found: dict[str, Stack] = {}
    places: dict[str, Path] = {}
    problems: list[Problem] = []
    for folder in folders:
        root = Path(folder).expanduser()
        if not root.is_dir():
            problems.append(Problem("SLW-8902", f"there is no folder {folder}", "correct slipway_stacks"))
            continue
        for place in sorted(path.parent for path in root.glob(f"*/{DEFINITION}")):
            if place.name in places:
                said = f"the stack {place.name} stands in {places[place.name].parent} too"
                problems.append(Problem("SLW-8903", said, "rename one of the two folders", str(place)))
                continue
            places[place.name] = place
            try:
                found[place.name] = _stack(place)
            except Wrong as exc:
                problems.append(Problem("SLW-8902", str(exc), "correct the stack", str(place)))
    return found, problems


def _stack(place: Path) -> Stack:
    if not _NAME.fullmatch(place.name):
        raise Wrong("the folder's name must be one of lower-case letters, digits and _")
    text = _text(place, DEFINITION)
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise Wrong(no_yaml(DEFINITION, exc)) from exc
    paths = sorted(path for path in place.rglob("*") if path.is_file() and path != place / DEFINITION)
    files = {file: _text(place, file) for file in (path.relative_to(place).as_posix() for path in paths)}
    for file in files:
        parts = Path(file).parts
        group = Path(parts[1]).stem if len(parts) > 1 else ""
        if parts[0] != PART or group not in GROUPS or Path(file).suffix not in (".yml", ".yaml"):
            raise Wrong(f"{file}: a stack has {DEFINITION} and {PART}/GROUP[/NAME].yml of {', '.join(GROUPS)}")
    try:
        stack = read(place.name, content, files)
    except Wrong as exc:
        raise Wrong(f"{DEFINITION}:{line_of(text, exc.path or ())}: {exc}") from exc
    check_places(stack)
    return stack


def _text(place: Path, file: str) -> str:
    try:
        return (place / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise Wrong(f"{file}: cannot be read: {exc}") from exc
