# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Labels, taints and annotations of nodes: what is wanted against what is there and what an earlier run set.

Pure. What a run has set is remembered in one annotation of the node itself, so that it ends with the node. A mark is
removed when we set it, it is no longer wanted, and it still is as we set it; marks of others are never touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .marks_wanted import Marks, Taint, parse_taint

REMEMBERED = "slipway.cluster/marks"

Json = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """``kind`` is label, taint or annotation. ``old`` None: it was not there; ``new`` None: it goes."""

    kind: str
    key: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.new is None:
            return f"{self.kind} {self.key} removed: no longer in the inventory"
        if self.old is None:
            return f"{self.kind} {self.key}: {self.new}"
        return f"{self.kind} {self.key}: {self.old} -> {self.new}"

    def as_dict(self) -> Json:
        return {"kind": self.kind, "key": self.key, "old": self.old, "new": self.new}


@dataclass(frozen=True)
class NodeMarks:
    """What one node differs in.

    ``left``: marks that we once set and that are not wanted, and that somebody else has changed since. ``memory``: what
    the node is to remember, None for nothing; it may differ although no mark does.
    """

    node: str
    changes: tuple[Change, ...]
    left: tuple[str, ...]
    memory: str | None
    writes: bool
    unreadable: bool = False


def differences(node: Json, wanted: Marks) -> NodeMarks:
    """``node`` is a Node as the API gives it."""
    live = live_marks(node)
    before, readable = remembered(node)
    changes: list[Change] = []
    left: list[str] = []
    for kind, has, want, had in (
        ("label", live.labels, wanted.labels, before.labels),
        ("annotation", live.annotations, wanted.annotations, before.annotations),
        ("taint", _by_identity(live.taints), _by_identity(wanted.taints), _by_identity(before.taints)),
    ):
        changes += [Change(kind, key, has.get(key), value) for key, value in want.items() if has.get(key) != value]
        for key, value in had.items():
            if key in want or key not in has:
                continue
            if has[key] == value:
                changes.append(Change(kind, key, value, None))
            else:
                left.append(f"{kind} {key}: {has[key]}")
    memory = memory_of(wanted) if wanted else None
    writes = bool(changes) or memory != _annotations(node).get(REMEMBERED)
    return NodeMarks(
        str(node["metadata"]["name"]), tuple(changes), tuple(left), memory, writes, unreadable=not readable
    )


def patch_of(node: Json, found: NodeMarks) -> Json:
    """A merge patch that fails when the node has changed since it was read: its taints are one list, which a patch
    replaces as a whole."""
    labels: Json = {c.key: c.new for c in found.changes if c.kind == "label"}
    annotations: Json = {c.key: c.new for c in found.changes if c.kind == "annotation"}
    annotations[REMEMBERED] = found.memory
    meta: Json = {"resourceVersion": node["metadata"]["resourceVersion"], "uid": node["metadata"]["uid"]}
    meta["annotations"] = annotations
    if labels:
        meta["labels"] = labels
    patch: Json = {"metadata": meta}
    taints = {_identity(c.key): c for c in found.changes if c.kind == "taint"}
    if taints:
        patch["spec"] = {"taints": _taints_after(node, taints)}
    return patch


def live_marks(node: Json) -> Marks:
    """What a node bears, our memory left out."""
    meta = node.get("metadata") or {}
    return Marks(
        labels=dict(meta.get("labels") or {}),
        taints=tuple(_taint(item) for item in (node.get("spec") or {}).get("taints") or []),
        annotations={k: v for k, v in _annotations(node).items() if k != REMEMBERED},
    )


def remembered(node: Json) -> tuple[Marks, bool]:
    """What we set on a node the last time. False: what is written there is nothing that we wrote."""
    text = _annotations(node).get(REMEMBERED)
    if not text:
        return Marks(), True
    try:
        found = json.loads(text)
        taints = [parse_taint(item) for item in found["taints"]]
        return Marks(
            labels=_texts(found["labels"]),
            taints=tuple(taint for taint in taints if taint is not None),
            annotations=_texts(found["annotations"]),
        ), True
    except (ValueError, TypeError, KeyError, AttributeError):
        return Marks(), False


def memory_of(wanted: Marks) -> str:
    """Annotations by value too: only what still is as we set it is ours to remove."""
    content = {
        "annotations": dict(wanted.annotations),
        "labels": dict(wanted.labels),
        "taints": sorted(map(str, wanted.taints)),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _taints_after(node: Json, changes: Mapping[tuple[str, str], Change]) -> list[Json]:
    """Others' taints stay where they are, with the time since when they hold."""
    after: list[Json] = []
    done = set()
    for item in (node.get("spec") or {}).get("taints") or []:
        identity = _taint(item).identity
        change = changes.get(identity)
        if change is None:
            after.append(item)
            continue
        done.add(identity)
        if change.new is not None:
            after.append(_item(identity, change.new))
    after += [_item(identity, c.new) for identity, c in changes.items() if identity not in done and c.new is not None]
    return after


def _item(identity: tuple[str, str], value: str) -> Json:
    key, effect = identity
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def _by_identity(taints: tuple[Taint, ...]) -> dict[str, str]:
    return {f"{taint.key}:{taint.effect}": taint.value for taint in taints}


def _identity(key: str) -> tuple[str, str]:
    name, _colon, effect = key.rpartition(":")
    return name, effect


def _taint(item: Json) -> Taint:
    return Taint(str(item.get("key", "")), str(item.get("value") or ""), str(item.get("effect", "")))


def _annotations(node: Json) -> dict[str, str]:
    return dict((node.get("metadata") or {}).get("annotations") or {})


def _texts(given: Mapping[Any, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in given.items()}
