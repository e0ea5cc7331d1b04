# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What others wrote into an object of ours: taken over, or taken away, where a rule says so.

Server-side apply removes only fields that the applying manager owns. Without taking over Helm's entries in
managedFields, what Helm added would stay for ever, and what it holds would be a conflict at every change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Optional, Union

from ..kube.client import JSON_PATCH, MERGE, Client
from ..kube.errors import ApiError
from ..kube.objects import Json
from ..kube.ownership import FieldPath, union, value_at
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


def _patched_by_us(metadata: Json) -> list[Json]:
    """What a patch of ours left: to the API server that is another manager than the one who applies."""
    return [
        entry
        for entry in metadata.get("managedFields") or []
        if entry.get("manager") == MANAGER and entry.get("operation") == "Update" and not entry.get("subresource")
    ]


def take_over(client: Client, desired: Desired, entries: Callable[[Json], list[Json]] = helm_entries) -> None:
    """Make Helm's fields ours, so that the apply that follows decides about them."""
    for attempt in range(_TRIES):
        live = client.get(desired.path)
        theirs = entries(live["metadata"]) if live else []
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


def restore(
    client: Client, desired: Desired, strip: Iterable[FieldPath], ours: Iterable[FieldPath], *, dry_run: bool = False
) -> Json | None:
    """Take away what others added, and set what they took from us, in one write: by halves it might be invalid.

    Server-side apply leaves alone what it does not mention. Returns the object, None where nothing was to be done.
    """
    gone, wanted = list(strip), list(ours)
    for attempt in range(_TRIES):
        live = client.get(desired.path)
        if live is None:
            return None
        sets = [_set(live, desired, path) for path in wanted]
        pointers = [p for p in (_pointer(live, path) for path in gone) if p is not None]
        # From the end of every list to its beginning, so that no removal moves the place of another.
        pointers.sort(key=_order, reverse=True)
        removals: list[Json] = [{"op": "remove", "path": _written(pointer)} for pointer in pointers]
        if not removals:
            return None
        version = {"op": "test", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
        query = {"fieldManager": MANAGER, **({"dryRun": "All"} if dry_run else {})}
        try:
            operations = [version, *(s for s in sets if s), *removals]
            patched = client.write("PATCH", desired.path, operations, query, JSON_PATCH)
        except ApiError as exc:
            # The API server answers 422 both for a test that did not hold and for an object that is not valid.
            moved = exc.status == 409 or (exc.status == 422 and "test" in exc.api_message)
            if not moved or attempt == _TRIES - 1:
                raise
        else:
            if not dry_run:
                take_over(client, desired, _patched_by_us)
            return patched
    return None


def _set(live: Json, desired: Desired, path: FieldPath) -> Json | None:
    """The operation that gives ``path`` our value; None where a branch above it is missing and the apply makes it."""
    parent = _pointer(live, path[:-1])
    if parent is None:
        return None
    value = value_at(desired.body, path)
    here = _pointer(live, path)
    if here is not None:
        return {"op": "replace", "path": _written(here), "value": value}
    last = path[-1]
    return {"op": "add", "path": _written((*parent, last if isinstance(last, str) else "-")), "value": value}


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
        fields = union(fields, one.get("fieldsV1") or {})
    return [{**entry, "fieldsV1": fields}, *(e for e in rest if e not in mine)]
