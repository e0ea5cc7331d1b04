# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What others wrote into an object of ours: taken over, or taken away, where a rule says so.

Server-side apply removes only fields that the applying manager owns. Without taking over Helm's entries in
managedFields, what Helm added would stay for ever, and what it holds would be a conflict at every change. The same
holds for kubectl in an object that is adopted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional, Union

from ..kube.additions import CONTROLLERS, leaves
from ..kube.client import JSON_PATCH, MERGE, Client
from ..kube.errors import ApiError
from ..kube.fieldset import divide
from ..kube.objects import Json
from ..kube.ownership import FieldPath, union, value_at
from .desired import MANAGER, Desired

Pointer = tuple[Union[str, int], ...]
HELM, KUBECTL = "helm", "kubectl"
CLIENT_SIDE = "kubectl-client-side-apply"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOTE: FieldPath = ("metadata", "annotations", LAST_APPLIED)
"""kubectl's own memory. It is never taken over: it tells that kubectl was here, and stays until kubectl is back."""
_TRIES = 10
"""Of a write that names the version it is for: a busy controller writes status many times a second."""


def entries_of(metadata: Json, whose: str) -> list[Json]:
    """Entries of ``helm``, of kubectl's commands, or what a patch of ours left: to the API server that is another
    manager than the one who applies. A subresource is never theirs, nor is kubectl's memory alone worth an entry."""
    return [
        entry
        for entry in metadata.get("managedFields") or []
        if str(entry.get("manager", "")).startswith(whose)
        and not entry.get("subresource")
        and (whose != MANAGER or entry.get("operation") == "Update")
        and any(path != _NOTE for path in leaves(entry.get("fieldsV1") or {}))
    ]


def take_over(client: Client, desired: Desired, whose: str) -> None:
    """Make their fields ours, so that the apply that follows decides about them. Of kubectl's, which may have been
    meant for something else, only those that we want."""
    spared = whose == KUBECTL
    for attempt in range(_TRIES):
        live = client.get(desired.path)
        theirs = entries_of(live["metadata"], whose) if live else []
        if live is None or not theirs:
            return
        meta = live["metadata"]
        merged = _merged(meta, theirs, desired.body if spared else None)
        if merged == meta["managedFields"]:
            return
        patch = {"metadata": {"managedFields": merged, "resourceVersion": meta["resourceVersion"]}}
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
            # The API server answers 422 both for a test that did not hold and for an object that is not valid. The
            # first may be our own write, whose answer got lost before the client repeated it.
            moved = exc.status == 409 or (exc.status == 422 and _version(client.get(desired.path)) != _version(live))
            if not moved or attempt == _TRIES - 1:
                raise
        else:
            if not dry_run:
                take_over(client, desired, MANAGER)
            return patched
    return None


def _version(live: Json | None) -> str:
    return str(live["metadata"].get("resourceVersion", "")) if live else ""


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


def former_holder(metadata: Json) -> str:
    """``manager/operation`` of whoever holds most of an object that is adopted; empty when nobody does."""
    counted = {
        f"{entry.get('manager')}/{entry.get('operation')}": sum(1 for _path in leaves(entry.get("fieldsV1") or {}))
        for entry in metadata.get("managedFields") or []
        if entry.get("manager") not in (MANAGER, *CONTROLLERS) and not entry.get("subresource")
    }
    return max(counted, key=lambda holder: counted[holder], default="")


def _merged(metadata: Json, theirs: list[Json], spared: Json | None) -> list[Json]:
    def moves(path: FieldPath) -> bool:
        return path != _NOTE and (spared is None or value_at(spared, path) is not None)

    rest = [entry for entry in metadata["managedFields"] if entry not in theirs]
    mine = [e for e in rest if e["manager"] == MANAGER and e["operation"] == "Apply" and not e.get("subresource")]
    entry = mine[0] if mine else {**theirs[-1], "manager": MANAGER, "operation": "Apply"}
    fields: Json = mine[0].get("fieldsV1") or {} if mine else {}
    rest = [e for e in rest if e not in mine]
    for one in theirs:
        taken, left = divide(one.get("fieldsV1") or {}, moves)
        fields = union(fields, taken)
        if left:
            rest.append({**one, "fieldsV1": left})
    return [{**entry, "fieldsV1": fields}, *rest] if fields else rest
