# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Field ownership as change detector (managedFields).

The API server records who owns which field. When anybody else changes or removes a field of ours, it leaves our
entry. So as long as our entry is the one we saw after our own write, no field that we own has another value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Union

from .objects import Json

Step = Union[str, dict[str, Any]]
FieldPath = tuple[Step, ...]
"""Path of a field: a mapping key, or the merge key of a list item (``{"name": "web"}``), or ``{"=": value}``
for an item of a set."""


_KEY_DEFAULTS = {"protocol": "TCP"}


def our_entry(metadata: Json, manager: str) -> Json | None:
    """The ``fieldsV1`` that ``manager`` holds by server-side apply, or None when it holds nothing any more."""
    for entry in metadata.get("managedFields") or []:
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            fields = entry.get("fieldsV1")
            return fields if isinstance(fields, dict) else None
    return None


def entry_hash(metadata: Json, manager: str) -> str:
    """A short hash of our entry; empty when there is none. The same entry gives the same hash."""
    fields = our_entry(metadata, manager)
    if fields is None:
        return ""
    return hashlib.blake2b(json.dumps(fields, sort_keys=True).encode(), digest_size=12).hexdigest()


def format_field(path: FieldPath) -> str:
    """``spec.template.spec.containers[web].image``, the form of plans and rules."""
    out = ""
    for step in path:
        if isinstance(step, dict):
            out += "[" + ",".join(str(v) for v in step.values()) + "]"
        elif "." in step or "/" in step:
            out += f"[{step}]"
        else:
            out += f".{step}" if out else step
    return out


def known_fields(metadata: Json) -> Json:
    """The fields that anybody holds, as one ``fieldsV1``: it tells by which keys the items of each list are merged."""
    found: Json = {}
    for entry in metadata.get("managedFields") or []:
        found = union(found, entry.get("fieldsV1") or {})
    return found


def union(one: Json, other: Json) -> Json:
    """Two ``fieldsV1`` as one."""
    return {key: union(one.get(key, {}), other.get(key, {})) for key in (*one, *(k for k in other if k not in one))}


def lost_fields(desired: Any, fields: Json | None, known: Json) -> Iterator[tuple[FieldPath, Any]]:
    """Fields of ``desired`` that ``fields`` (our entry) does not hold, as deep as the difference goes.

    Maps and lists that we hold without anything in them are yielded too: the entry does not tell whether all of it is
    ours, or nothing of it any more.

    Yields the path and the desired value. ``apiVersion``, ``kind`` and the identity are never owned by anybody.
    ``known`` is what anybody holds (``known_fields``).
    """
    for key, value in desired.items():
        if key in ("apiVersion", "kind", "status"):
            continue
        if key == "metadata":
            for part in ("labels", "annotations", "finalizers", "ownerReferences"):
                if value.get(part):
                    held = ((fields or {}).get("f:metadata") or {}).get(f"f:{part}")
                    shape = (known.get("f:metadata") or {}).get(f"f:{part}")
                    yield from _lost(value[part], held, shape, ("metadata", part))
        else:
            yield from _lost(value, (fields or {}).get(f"f:{key}"), known.get(f"f:{key}"), (key,))


def _lost(value: Any, held: Json | None, known: Json | None, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    if value is None:
        return
    if held is None:
        if isinstance(value, dict):
            for key, child in value.items():
                yield from _lost(child, None, (known or {}).get(f"f:{key}"), (*path, key))
        elif isinstance(value, list) and any(key[:2] in ("k:", "v:") for key in known or {}):
            yield from _lost_items(value, {}, known or {}, path)
        elif not _empty(value):
            yield path, value
        return
    children = {k: v for k, v in held.items() if k != "."}
    if not children and not isinstance(value, (dict, list)):
        return
    if not children and not any(k != "." for k in known or {}):
        # Owned as a whole, like every atomic list and map; or a map that is still ours, and nothing in it any more.
        if not _empty(value):
            yield path, value
        return
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _lost(child, children.get(f"f:{key}"), (known or {}).get(f"f:{key}"), (*path, key))
    elif isinstance(value, list):
        yield from _lost_items(value, children, known or {}, path)


def _lost_items(value: list[Any], held: Json, known: Json, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    items, others = _keyed(held), _keyed(known)
    scalars = [json.loads(k[2:]) for k in held if k.startswith("v:")]
    for item in value:
        if not isinstance(item, dict):
            if item not in scalars:
                yield (*path, {"=": item}), item
            continue
        keys, shape = _match(item, others)
        if shape is None:
            yield (*path, keys), item
            continue
        # Where others have the item and we hold nothing of it any more, only what differs in it is told.
        entry = next((fields for found, fields in items if found == keys), {})
        for key, child in item.items():
            if key not in keys:
                yield from _lost(child, entry.get(f"f:{key}"), shape.get(f"f:{key}"), (*path, keys, key))


def _keyed(fields: Json) -> list[tuple[Json, Json]]:
    return [(json.loads(k[2:]), v) for k, v in fields.items() if k.startswith("k:")]


def _match(item: Json, items: list[tuple[Json, Json]]) -> tuple[Json, Json | None]:
    """The entry of a keyed list item. A key that the item leaves out has its default (``protocol: TCP``)."""
    for keys, entry in items:
        if all(item.get(k, v) == v for k, v in keys.items()):
            return keys, entry
    names = items[0][0] if items else {"name": ""}
    return {k: item.get(k, _KEY_DEFAULTS.get(k)) for k in names}, None


def _empty(value: Any) -> bool:
    return isinstance(value, (dict, list)) and not value


def without(desired: Json, paths: list[FieldPath]) -> Json:
    """A copy of ``desired`` that says nothing about ``paths``."""
    copy: Json = json.loads(json.dumps(desired))
    for path in paths:
        _remove(copy, path)
    return copy


def _remove(node: Any, path: FieldPath) -> None:
    """Takes away branches that become empty by it too: an empty map in an apply would be owned as a whole."""
    if len(path) > 1:
        child = _child(node, path[0])
        if child is None:
            return
        _remove(child, path[1:])
        if child == {} and isinstance(node, dict):
            node.pop(str(path[0]))
        return
    last = path[-1]
    if isinstance(last, str):
        if isinstance(node, dict):
            node.pop(last, None)
    elif isinstance(node, list):
        child = last["="] if "=" in last else _child(node, last)
        if child in node:
            node.remove(child)


def _child(node: Any, step: Step) -> Any:
    if isinstance(step, str):
        return node.get(step) if isinstance(node, dict) else None
    if isinstance(node, list):
        for item in node:
            if isinstance(item, dict) and all(item.get(k, v) == v for k, v in step.items()):
                return item
    return None


def value_at(obj: Any, path: FieldPath) -> Any:
    """The value at a path, or None."""
    for step in path:
        if isinstance(step, dict) and "=" in step:
            return step["="] if isinstance(obj, list) and step["="] in obj else None
        obj = _child(obj, step)
        if obj is None:
            return None
    return obj
