# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who holds a field, since when, and by which subresource: a walk through managedFields."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .objects import Json
from .ownership import FieldPath


@dataclass(frozen=True)
class Owner:
    """``when`` is the ISO time of the manager's last write; the server leaves it out for some subresources."""

    manager: str = ""
    when: str = ""
    subresource: str = ""


def owner_of_field(metadata: Json, path: FieldPath) -> Owner:
    """The newest manager that holds ``path``, a branch above it as a whole, or a leaf below it."""
    holders = [e for e in metadata.get("managedFields") or [] if _holds(e.get("fieldsV1") or {}, path)]
    if not holders:
        return Owner()
    newest = max(holders, key=lambda e: str(e.get("time") or ""))
    return Owner(str(newest.get("manager", "")), str(newest.get("time") or ""), str(newest.get("subresource") or ""))


def _holds(fields: Json, path: FieldPath) -> bool:
    node = fields
    for step in path:
        children = {k: v for k, v in node.items() if k != "."}
        if not children:
            return node is not fields
        child = children.get(f"f:{step}") if isinstance(step, str) else _item(children, step)
        if child is None:
            return False
        node = child
    return True


def _item(children: Json, step: Json) -> Json | None:
    for key, child in children.items():
        if "=" in step:
            if key.startswith("v:") and json.loads(key[2:]) == step["="]:
                return dict(child)
        elif key.startswith("k:") and json.loads(key[2:]) == step:
            return dict(child)
    return None
