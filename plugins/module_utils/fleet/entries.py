# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ``slipway_fleet`` names: inventories, perhaps with names and variables of their own. All problems at once."""

from __future__ import annotations

import difflib
import glob
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..nodes.problem import Problem

VARIABLE = "slipway_fleet"
_KEYS = ("inventory", "name", "vars", "timeout")
_CODE = "SLW-8801"
_SHAPE = "give inventories, separated by commas, or a list of inventories and of maps with 'inventory'"


@dataclass(frozen=True)
class Entry:
    """One cluster. ``inventory``: a folder or file, as it was written. ``variables`` count more than the inventory's.
    ``timeout``: seconds, None: the fleet's."""

    name: str
    inventory: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None


def read(value: object, folder: Path) -> tuple[list[Entry], list[Problem]]:
    """``folder`` is what relative paths start from."""
    problems: list[Problem] = []
    entries: list[Entry] = []
    for at, item in enumerate(_items(value, problems)):
        where = f"{VARIABLE}[{at}]"
        fields = {"inventory": item} if isinstance(item, str) else item
        if not isinstance(fields, Mapping):
            problems.append(Problem(_CODE, f"it is {type(item).__name__}", _SHAPE, where))
            continue
        wrong = list(_wrong(fields, where))
        problems += wrong
        if not wrong:
            entries += _expanded(fields, folder, where, problems)
    if not entries and not problems:
        problems.append(Problem(_CODE, "it names no inventory", _SHAPE, VARIABLE))
    problems += _twice(entries)
    return _named_apart(entries), problems


def _items(value: object, problems: list[Problem]) -> list[Any]:
    """A list, ``a,b``, or ``["a", "b"]`` as text, which surveys and ``-e`` give."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except ValueError as exc:
            problems.append(Problem(_CODE, f"it is not JSON: {exc}", _SHAPE, VARIABLE))
            return []
    if isinstance(value, str):
        parts = (part.strip() for line in value.splitlines() for part in line.split(","))
        return [part for part in parts if part]
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, (list, tuple)):
        return list(value)
    problems.append(Problem(_CODE, f"it is {type(value).__name__}", _SHAPE, VARIABLE))
    return []


def _wrong(fields: Mapping[Any, Any], where: str) -> Iterator[Problem]:
    for key in fields:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_KEYS)}"
            yield Problem(_CODE, f"unknown key {key!r}", advice, where)
    inventory = fields.get("inventory")
    if not isinstance(inventory, str) or not inventory.strip():
        yield Problem(_CODE, "inventory is missing", "name a folder or a file, or several by * and ?", where)
    if not isinstance(fields.get("vars") or {}, Mapping):
        yield Problem(_CODE, f"vars is {type(fields['vars']).__name__}", "give a map of variables", where)
    if not isinstance(fields.get("name") or "", str):
        yield Problem(_CODE, f"name is {fields['name']!r}", "give a text", where)
    if fields.get("timeout") is not None and seconds(fields["timeout"]) is None:
        yield Problem(_CODE, f"timeout is {fields['timeout']!r}", "give seconds, 1 or more", where)


def seconds(value: object) -> float | None:
    """A time limit; None for what is none."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 1 <= found < float("inf") and not isinstance(value, bool) else None


def _expanded(fields: Mapping[str, Any], folder: Path, where: str, problems: list[Problem]) -> Iterator[Entry]:
    written = fields["inventory"].strip()
    path = folder / Path(written).expanduser()
    several = glob.has_magic(written)
    # Not Path.glob: that one also finds hidden folders, and refuses absolute patterns.
    found = sorted(glob.glob(str(path))) if several else [str(path)] if path.exists() else []  # noqa: PTH207
    if not found:
        why = "nothing there has such a name" if several else "there is no such folder or file"
        problems.append(Problem(_CODE, f"{written}: {why}", "", where))
    if several and fields.get("name") and len(found) > 1:
        problems.append(
            Problem(_CODE, f"name is given, and {written} is {len(found)} inventories", "leave it out", where)
        )
    for one in found:
        # As it was written where one was: paths in reports are those of whoever reads them.
        shown = _shown(one, folder) if several else written
        name = str(fields.get("name") or _name(Path(one)))
        yield Entry(name, shown, dict(fields.get("vars") or {}), seconds(fields.get("timeout")))


def _shown(path: str, folder: Path) -> str:
    return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path


def _name(path: Path) -> str:
    """Of the folder that the inventory is, or lies in as ``hosts.yml``; a file with a name of its own has it."""
    path = path.absolute()
    if path.is_dir() or path.stem not in ("hosts", "inventory"):
        return path.stem if path.is_file() else path.name
    return path.parent.name


def _twice(entries: list[Entry]) -> Iterator[Problem]:
    """The same inventory may stand for two clusters, with other variables and another name."""
    for (inventory, name), count in Counter((str(Path(one.inventory)), one.name) for one in entries).items():
        if count > 1:
            advice = "name it once, or give each a name and vars"
            yield Problem(_CODE, f"{inventory} is named {count} times as {name}", advice, VARIABLE)
    given = Counter(one.name for one in entries)
    for name, count in given.items():
        if not name.strip() and count:
            yield Problem(_CODE, "an inventory has no name", "give it one: {inventory: …, name: …}", VARIABLE)


def _named_apart(entries: list[Entry]) -> list[Entry]:
    """Two folders of one name are told by their paths."""
    given = Counter(one.name for one in entries)
    return [replace(one, name=one.inventory) if given[one.name] > 1 else one for one in entries]
