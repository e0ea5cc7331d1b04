# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Values that a chart makes up at every render (passwords, certificates) stay what they became at the first."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from ..kube.objects import Json, ObjectId
from .desired import Desired
from .finding import KeyPath, format_path
from .model import JSON
from .sources.render import Rendered

_MISSING = object()


def pin_random(
    desired: list[Desired], rendered: Rendered, namespace: str, live: Callable[[Desired], Json | None]
) -> tuple[list[Desired], list[str]]:
    """Put the live value where the chart would roll a new one. Returns the objects, and a note for each field."""
    random: dict[ObjectId, list[KeyPath]] = {}
    for identity, written in rendered.random:
        path = ("data", *written[1:]) if written[:1] == ("stringData",) else written
        random.setdefault(replace(identity, namespace=identity.namespace or namespace), []).append(path)
    pinned, notes = [], []
    for item in desired:
        paths = random.get(item.id) or random.get(replace(item.id, namespace=namespace))
        existing = live(item) if paths else None
        body: Json = json.loads(json.dumps(item.body)) if paths else item.body
        for path in paths or ():
            value = _at(existing, path)
            if existing is not None and value is not _MISSING and _put(body, path, value):
                notes.append(f"{item.id}: {format_path(path)} is random in the chart, the live value stays")
        pinned.append(replace(item, body=body))
    return pinned, notes


def _at(node: JSON, path: KeyPath) -> JSON:
    for key in path:
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return node


def _put(node: JSON, path: KeyPath, value: JSON) -> bool:
    parent = _at(node, path[:-1])
    try:
        parent[path[-1]] = value
    except (KeyError, IndexError, TypeError):
        return False
    return True
