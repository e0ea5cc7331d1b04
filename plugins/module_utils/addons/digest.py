# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Keyed digests: equal or not, and nothing else.

Values may be secret and short, so a plain hash in the record would give them away to a guesser. The key is one
random Secret for each ``slipway_name``; who cannot read it cannot compare.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator

from ..kube.ownership import FieldPath, value_at
from .model import JSON

_LEAF = 5
_ITEM_KEYS = ("name", "containerPort", "port", "key", "mountPath", "topologyKey", "ip", "type")


def canonical(value: JSON) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Digester:
    """Digests under one key (bytes, 16 to 64)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, value: JSON) -> str:
        """Digest of any JSON value, 24 hex digits."""
        return hashlib.blake2b(canonical(value), key=self._key, digest_size=12).hexdigest()

    def leaves(self, obj: JSON) -> str:
        """The set of (path, value) pairs of an object, 5 bytes each, so that the next run can tell whether a
        field was already applied with this value. Lists are one leaf for each item and one as a whole."""
        return base64.b64encode(b"".join(sorted(set(self._walk(obj, "")))), altchars=b"-_").decode()

    def has(self, leaves: str, path: str, value: JSON) -> bool:
        """Whether ``leaves`` holds this value at this path (``path`` as made by ``leaf_path``)."""
        wanted = set(self._walk(value, path))
        known = _split(leaves)
        return wanted <= known

    def _walk(self, value: JSON, path: str) -> Iterator[bytes]:
        if isinstance(value, dict):
            for key, child in value.items():
                yield from self._walk(child, f"{path}/{key}")
        elif isinstance(value, list):
            for child in value:
                yield from self._walk(child, f"{path}/{item_key(child)}")
        elif value is not None:
            yield hashlib.blake2b(path.encode() + b"\0" + canonical(value), key=self._key, digest_size=_LEAF).digest()


def _split(leaves: str) -> set[bytes]:
    raw = base64.b64decode(leaves, altchars=b"-_")
    return {raw[i : i + _LEAF] for i in range(0, len(raw), _LEAF)}


def item_key(item: JSON) -> str:
    """What tells a list's item from the others, as far as one can see it: not its place, which moves."""
    if isinstance(item, dict):
        for key in _ITEM_KEYS:
            if isinstance(item.get(key), (str, int)):
                return f"-{key}={item[key]}"
    return "-"


def leaf_path(obj: JSON, steps: FieldPath) -> str:
    """A field path of ``obj`` in the form that ``Digester.leaves`` walks."""
    text = ""
    for step in steps:
        obj = value_at(obj, (step,))
        text += f"/{item_key(obj)}" if isinstance(step, dict) else f"/{step}"
    return text
