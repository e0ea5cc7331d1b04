# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Sets of fields as managedFields writes them (``fieldsV1``): divided, and read out of an object."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .objects import Json
from .ownership import FieldPath


def divide(fields: Json, chosen: Callable[[FieldPath], bool], path: FieldPath = ()) -> tuple[Json, Json]:
    """The fields that are chosen, and the rest. What holds parts of an item or a map holds the item itself too."""
    taken: Json = {}
    rest: Json = {}
    for key, child in fields.items():
        if key == ".":
            continue
        here = (*path, _step(key))
        if not any(k != "." for k in child):
            (taken if chosen(here) else rest)[key] = child
            continue
        itself = {k: v for k, v in child.items() if k == "."}
        for side, part in zip((taken, rest), divide(child, chosen, here), strict=True):
            if part:
                side[key] = {**itself, **part}
    return taken, rest


def extract(value: Any, fields: Json) -> Any:
    """What ``value`` (an object or a part of one) says in ``fields``: a list's items keep their keys."""
    children = {key: child for key, child in fields.items() if key != "."}
    if not children:
        return value
    if isinstance(value, dict):
        return {key[2:]: extract(value[key[2:]], child) for key, child in children.items() if key[2:] in value}
    if not isinstance(value, list):
        return value
    found = []
    for item in value:
        for key, child in children.items():
            step = json.loads(key[2:])
            if key.startswith("k:") and isinstance(item, dict) and all(item.get(k) == v for k, v in step.items()):
                parts = extract(item, child) if any(k != "." for k in child) else {}
                found.append({**step, **parts})
            elif key.startswith("v:") and item == step:
                found.append(item)
    return found


def _step(key: str) -> Any:
    if key.startswith("f:"):
        return key[2:]
    step = json.loads(key[2:])
    return step if key.startswith("k:") else {"=": step}
