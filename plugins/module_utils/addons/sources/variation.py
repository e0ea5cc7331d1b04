# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Fields that differ although nothing was changed: random passwords, generated certificates, times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...kube.objects import ObjectId, object_id
from ..finding import KeyPath

Json = Mapping[str, Any]


def varying_fields(first: Iterable[Json], second: Iterable[Json]) -> tuple[tuple[ObjectId, KeyPath], ...]:
    """Where two renders of the same input differ. An object that only one of them has is named with an empty path."""
    left = {object_id(dict(obj)): obj for obj in first}
    right = {object_id(dict(obj)): obj for obj in second}
    found: list[tuple[ObjectId, KeyPath]] = []
    for key in sorted(left.keys() | right.keys()):
        if key in left and key in right:
            found += [(key, path) for path in _differences(left[key], right[key], ())]
        else:
            found.append((key, ()))
    return tuple(found)


def _differences(left: Any, right: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            if key in left and key in right:
                yield from _differences(left[key], right[key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _differences(one, other, (*path, index))
    elif left != right:
        yield path
