# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Differences between two states of an object or of values, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .finding import KeyPath, Position
from .model import JSON

ABSENT = object()
_MERGE_KEYS = ("name", "containerPort", "port", "key", "mountPath", "topologyKey", "ip", "type")
_SERVER_METADATA = (
    "managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink", "deletionTimestamp",
)  # fmt: skip


@dataclass(frozen=True)
class FieldChange:
    """One field: ``before`` is ABSENT when it is added, ``after`` when it is removed."""

    path: str
    before: JSON
    after: JSON
    where: str = ""
    """Where the new value was written, if that is known."""


def diff_objects(before: JSON, after: JSON) -> list[FieldChange]:
    """Differences of two live (or predicted) objects, without what only the server writes."""
    return list(_walk(_content(before), _content(after), ""))


def differences(before: JSON, after: JSON) -> list[FieldChange]:
    """Differences of any two values; paths start from them."""
    return list(_walk(before, after, ""))


def diff_values(before: JSON, after: JSON, origins: Mapping[KeyPath, Position]) -> list[FieldChange]:
    """Differences of two sets of values; ``origins`` tells where each of the new ones was written."""
    places = {value_path(path): position for path, position in origins.items()}

    def where(path: str) -> str:
        while path and path not in places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return str(places[path]) if path else ""

    return [replace(change, where=where(change.path)) for change in _walk(before, after, "")]


def value_path(path: KeyPath) -> str:
    """A key path of values as differences name it."""
    return "".join(_step(key) for key in path).lstrip(".")


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f"[{key}]" if "." in key or "/" in key else f".{key}"


def _content(obj: JSON) -> JSON:
    meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _SERVER_METADATA}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": meta}


def _walk(before: JSON, after: JSON, path: str) -> Iterator[FieldChange]:
    if before is not ABSENT and after is not ABSENT and before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(k for k in after if k not in before)]:
            yield from _walk(before.get(key, ABSENT), after.get(key, ABSENT), _join(path, str(key)))
        return
    if isinstance(before, list) and isinstance(after, list):
        key = merge_key(before, after)
        if key is None and len(before) == len(after):
            for index, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from _walk(old, new, f"{path}[{index}]")
            return
        if key is not None:
            old_items = {item[key]: item for item in before}
            new_items = {item[key]: item for item in after}
            for name in [*old_items, *(n for n in new_items if n not in old_items)]:
                yield from _walk(old_items.get(name, ABSENT), new_items.get(name, ABSENT), f"{path}[{name}]")
            return
    # An added or removed branch is told by its leaves, so that every line names one value.
    for value, other in ((before, after), (after, before)):
        if other is ABSENT and isinstance(value, dict) and value:
            for key, child in value.items():
                pair = (child, ABSENT) if value is before else (ABSENT, child)
                yield from _walk(*pair, _join(path, str(key)))
            return
    yield FieldChange(path, before, after)


def merge_key(*lists: list[JSON]) -> str | None:
    """The key by which the items of these lists can be told apart, if there is one."""
    for key in _MERGE_KEYS:
        if all(
            all(isinstance(item, dict) and isinstance(item.get(key), (str, int)) for item in items)
            and len({item[key] for item in items}) == len(items)
            for items in lists
        ):
            return key
    return None


def _join(path: str, key: str) -> str:
    if "." in key or "/" in key:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
