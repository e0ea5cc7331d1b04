# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hand an object over: our marks go, and our fields become those of the tool that goes on with it.

Without that, the fields would stay ours for ever: the next apply of that tool would be a conflict, and what it no
longer wants would never go away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..kube.client import MERGE, Client
from ..kube.errors import ApiError
from ..kube.fieldset import divide, extract
from ..kube.objects import Json
from ..kube.ownership import FieldPath, union
from .desired import MANAGER
from .record import MARKS, RecordedObject
from .takeover import CLIENT_SIDE, KUBECTL, LAST_APPLIED

_TRIES = 10
"""Of a write that names the version it is for: a busy controller writes status many times a second."""
_ROOM = 200_000
"""Characters of an annotation that are written: the API server takes 256 KiB of all of them."""


@dataclass(frozen=True)
class Heir:
    """Who gets the fields: ``operation`` is Apply or Update. ``remembers``: what is live becomes kubectl's memory,
    by which its next ``kubectl apply`` knows what to take away."""

    manager: str
    operation: str
    remembers: bool = False

    def __str__(self) -> str:
        return f"{self.manager} ({self.operation})"


HELM = Heir("helm", "Apply")
"""Helm 4 goes on by server-side apply where the newest revision says so, and ours do; Helm 3 does not look."""


def heir_of(obj: RecordedObject, metadata: Json, source: str) -> Heir:
    """The release's objects go to Helm, others to whom they belonged before, and what was ours from the first to
    ``kubectl apply``, which works from there on both ways."""
    if source == "chart":
        return HELM
    remembered = LAST_APPLIED in (metadata.get("annotations") or {})
    manager, _slash, operation = obj.former.rpartition("/")
    if manager and not (manager.startswith(KUBECTL) and operation == "Update"):
        return Heir(manager, operation, remembered)
    if obj.kind == "Secret" and not remembered:
        # A copy of its data in an annotation is something that only kubectl's own user may want.
        return Heir(KUBECTL, "Apply")
    return Heir(CLIENT_SIDE, "Update", remembers=True)


def held_by_us(metadata: Json) -> list[Json]:
    """Our entries, whatever the operation."""
    entries = metadata.get("managedFields") or []
    return [entry for entry in entries if entry.get("manager") == MANAGER and not entry.get("subresource")]


def hand_over(client: Client, path: str, heir: Heir) -> bool:
    """False: it is gone. Doing it twice changes nothing. Raises ``ApiError``."""
    for attempt in range(_TRIES):
        live = client.get(path)
        if live is None:
            return False
        patch = _patch(live, heir)
        if patch is None:
            return True
        try:
            client.write("PATCH", path, patch, {"fieldManager": heir.manager}, MERGE)
        except ApiError as exc:
            if exc.status != 409 or attempt == _TRIES - 1:
                raise
        else:
            break
    return True


def _patch(live: Json, heir: Heir) -> Json | None:
    meta = live["metadata"]
    entries = meta.get("managedFields") or []
    ours = held_by_us(meta)
    labels = {key: None for key in meta.get("labels") or {} if key.startswith(MARKS)}
    notes: Json = {key: None for key in meta.get("annotations") or {} if key.startswith(MARKS)}
    if not (ours or labels or notes):
        return None
    fields: Json = {}
    for one in ours:
        # What we created without applying it, as a release's namespace, is nobody's from then on.
        if one.get("operation") == "Apply":
            fields = union(fields, divide(one.get("fieldsV1") or {}, _no_mark)[0])
    if heir.remembers and fields:
        memory = _memory(live, fields)
        if len(memory) <= _ROOM:
            notes[LAST_APPLIED] = memory
        else:
            heir = Heir(KUBECTL, "Apply")
            notes.update({key: None for key in meta.get("annotations") or {} if key == LAST_APPLIED})
    patch: Json = {
        "managedFields": _entries(entries, ours, fields, heir),
        "resourceVersion": meta["resourceVersion"],
    }
    if labels:
        patch["labels"] = labels
    if notes:
        patch["annotations"] = notes
    return {"metadata": patch}


def _entries(entries: list[Json], ours: list[Json], fields: Json, heir: Heir) -> list[Json]:
    rest = [entry for entry in entries if entry not in ours]
    theirs = [e for e in rest if (e.get("manager"), e.get("operation")) == (heir.manager, heir.operation)
              and not e.get("subresource")]  # fmt: skip
    if not fields:
        return rest
    for one in theirs:
        fields = union(one.get("fieldsV1") or {}, fields)
    entry = {**(theirs or ours)[0], "manager": heir.manager, "operation": heir.operation, "fieldsV1": fields}
    return [*(e for e in rest if e not in theirs), entry]


def _memory(live: Json, fields: Json) -> str:
    """What kubectl would have written, had it applied just these fields."""
    meta = live["metadata"]
    said: Json = extract(live, fields)
    named = {key: meta[key] for key in ("name", "namespace") if key in meta}
    notes = {k: v for k, v in (said.get("metadata", {}).get("annotations") or {}).items() if k != LAST_APPLIED}
    said["metadata"] = {**said.get("metadata", {}), "annotations": notes, **named}
    body = {"apiVersion": live["apiVersion"], "kind": live["kind"], **said}
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def _no_mark(path: FieldPath) -> bool:
    return not (path[0] == "metadata" and len(path) > 2 and str(path[2]).startswith(MARKS))
