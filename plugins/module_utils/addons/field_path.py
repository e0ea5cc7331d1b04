# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Fields as people write them: ``status.addresses[0].ip``, ``metadata.labels['app.kubernetes.io/name']``,
``data[tls.crt]``, ``spec.ports[http].port``."""

from __future__ import annotations

import re

from .finding import KeyPath
from .model import JSON

_STEP = re.compile(
    r"""(?:^|(?<=.)\.)([^.\[\]{}$'"\s]+)
    | \[ (?: (\d+) | '([^']+)' | "([^"]+)" | ([^]\['"\s]+) ) ]
    """,
    re.VERBOSE,
)
_ITEM_NAMES = ("name", "type")

MISSING = object()
"""What ``look_up`` gives where there is nothing: null is a value."""


def steps(text: str) -> KeyPath | None:
    """The keys of a path, or None when it is not one."""
    found: list[str | int] = []
    end = 0
    while end < len(text):
        match = _STEP.match(text, end)
        if match is None or match.end() == end:
            return None
        key, place, *quoted = match.groups()
        found.append(int(place) if place is not None else key or next(filter(None, quoted)))
        end = match.end()
    return tuple(found) if found and isinstance(found[0], str) else None


def look_up(body: JSON, path: KeyPath) -> JSON:
    """The value at ``path``, or ``MISSING``. In a list, text is the item with this ``name`` or ``type``."""
    for step in path:
        key = _place(body, step) if isinstance(body, list) and isinstance(step, str) else step
        in_map = isinstance(body, dict) and key in body
        in_list = isinstance(body, list) and isinstance(key, int) and key < len(body)
        if not in_map and not in_list:
            return MISSING
        body = body[key]
    return body


def _place(items: list[JSON], name: str) -> int:
    called = (isinstance(item, dict) and name in [item.get(key) for key in _ITEM_NAMES] for item in items)
    return next((at for at, found in enumerate(called) if found), len(items))
