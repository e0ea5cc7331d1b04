# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What Helm wrote into an object of our release: found, and taken over where a rule says so.

Server-side apply removes only fields that the applying manager owns. Without taking over Helm's entries in
managedFields, what Helm added would stay for ever, and what it holds would be a conflict at every change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..kube.client import MERGE, Client
from ..kube.errors import ApiError
from ..kube.objects import Json
from ..kube.ownership import FieldPath, our_entry, value_at
from .desired import Desired
from .examine import MANAGER

_TRIES = 3


def helm_entries(metadata: Json) -> list[Json]:
    """Entries of ``helm``, whatever its binary is called; a subresource is never Helm's."""
    return [
        entry
        for entry in metadata.get("managedFields") or []
        if str(entry.get("manager", "")).startswith("helm") and not entry.get("subresource")
    ]


def additions(desired: Json, live: Json) -> Iterator[tuple[FieldPath, Json]]:
    """Fields that Helm holds, that we do not want and do not hold: path, and the entry that holds it."""
    ours = dict.fromkeys(map(_key, _leaves(our_entry(live["metadata"], MANAGER) or {})))
    for entry in helm_entries(live["metadata"]):
        for path in _leaves(entry.get("fieldsV1") or {}):
            told = path[0] != "metadata" or path[1:2] in (("labels",), ("annotations",))
            if told and path[0] != "status" and _key(path) not in ours and value_at(desired, path) is None:
                yield path, entry


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


def _leaves(fields: Json, path: FieldPath = ()) -> Iterator[FieldPath]:
    for key, child in fields.items():
        if key == ".":
            continue
        step: Any = key[2:] if key.startswith("f:") else json.loads(key[2:])
        here = (*path, step if key.startswith(("f:", "k:")) else {"=": step})
        if any(k != "." for k in child):
            yield from _leaves(child, here)
        else:
            yield here


def _key(path: FieldPath) -> str:
    return json.dumps(path, sort_keys=True)
