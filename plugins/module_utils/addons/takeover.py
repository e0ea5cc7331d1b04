# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What others wrote into an object of ours: taken over, or taken away, where a rule says so.

Server-side apply removes only fields that the applying manager owns. Without taking over Helm's entries in
managedFields, what Helm added would stay for ever, and what it holds would be a conflict at every change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional, Union

from ..kube.client import JSON_PATCH, MERGE, Client
from ..kube.errors import ApiError
from ..kube.objects import Json
from ..kube.ownership import FieldPath, value_at
from .desired import MANAGER, Desired

Pointer = tuple[Union[str, int], ...]
_TRIES = 3


def helm_entries(metadata: Json) -> list[Json]:
    """Entries of ``helm``, whatever its binary is called; a subresource is never Helm's."""
    return [
        entry
        for entry in metadata.get("managedFields") or []
        if str(entry.get("manager", "")).startswith("helm") and not entry.get("subresource")
    ]


def take_over(client: Client, desired: Desired) -> None:
    """Make Helm's fields ours, so that the apply that follows decides about them."""
    for attempt in range(_TRIES):
        live = client.get(desired.path)
        theirs = helm_entries(live["metadata"]) if live else []
        if live is None or not theirs:
            return
        meta = live["metadata"]
        patch = {"metadata": {"managedFields": _merged(meta, theirs), "resourceVersion": meta["resourceVersion"]}}
        try:
            client.write("PATCH", desired.path, patch, {"fieldManager": MANAGER}, MERGE)
        except ApiError as exc:
            if exc.status != 409 or attempt == _TRIES - 1:
                raise
        else:
            return


def strip(client: Client, desired: Desired, paths: Iterable[FieldPath]) -> None:
    """Take away what others added: server-side apply leaves alone what it does not mention. What is gone is gone."""
    wanted = list(paths)
    for attempt in range(_TRIES):
        live = client.get(desired.path)
        pointers = [] if live is None else [p for p in (_pointer(live, path) for path in wanted) if p is not None]
        if live is None or not pointers:
            return
        # From the end of every list to its beginning, so that no removal moves the place of another.
        removals: list[Json] = [
            {"op": "remove", "path": _written(p)} for p in sorted(pointers, key=_order, reverse=True)
        ]
        version = {"op": "test", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
        try:
            client.write("PATCH", desired.path, [version, *removals], {"fieldManager": MANAGER}, JSON_PATCH)
        except ApiError as exc:
            # 422: the test did not hold, somebody wrote in between.
            if exc.status not in (409, 422) or attempt == _TRIES - 1:
                raise
        else:
            return


def _pointer(live: Json, path: FieldPath) -> Optional[Pointer]:
    """Where ``path`` is now, with places for the merge keys of lists; None when it is gone."""
    node: Any = live
    found: list[Union[str, int]] = []
    for step in path:
        if isinstance(step, str):
            key: Union[str, int] = step
        else:
            item = value_at(node, (step,))
            if not isinstance(node, list) or item is None:
                return None
            key = node.index(item)
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return None
        found.append(key)
    return tuple(found)


def _order(pointer: Pointer) -> list[tuple[int, str]]:
    return [(key, "") if isinstance(key, int) else (-1, key) for key in pointer]


def _written(pointer: Pointer) -> str:
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in pointer)


def _merged(metadata: Json, theirs: list[Json]) -> list[Json]:
    rest = [entry for entry in metadata["managedFields"] if entry not in theirs]
    mine = [e for e in rest if e["manager"] == MANAGER and e["operation"] == "Apply" and not e.get("subresource")]
    entry = mine[0] if mine else {**theirs[-1], "manager": MANAGER, "operation": "Apply"}
    fields: Json = {}
    for one in (*mine, *theirs):
        fields = _union(fields, one.get("fieldsV1") or {})
    return [{**entry, "fieldsV1": fields}, *(e for e in rest if e not in mine)]


def _union(one: Json, other: Json) -> Json:
    return {key: _union(one.get(key, {}), other.get(key, {})) for key in (*one, *(k for k in other if k not in one))}
