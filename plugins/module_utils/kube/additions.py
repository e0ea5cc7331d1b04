# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What others added to an object of ours: fields that a writer holds by a write of its own, and that we do not hold.

A dry run of what we want cannot see them, because it leaves alone what we do not mention; managedFields can.
What the API server and its controllers write into every object is no addition.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .objects import Json
from .ownership import FieldPath, our_entry, value_at

CONTROLLERS = frozenset({
    "clusterrole-aggregation-controller", "cloud-controller-manager", "kube-apiserver", "kube-controller-manager",
    "kube-scheduler", "kubelet",
})  # fmt: skip
_ANNOTATIONS = (
    "control-plane.alpha.kubernetes.io/", "deployment.kubernetes.io/", "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/last-applied-configuration", "pv.kubernetes.io/", "volume.beta.kubernetes.io/",
    "volume.kubernetes.io/",
)  # fmt: skip
_TOLD_METADATA = ("labels", "annotations")


@dataclass(frozen=True)
class Addition:
    """One added field, or one item of a list. ``when`` is an ISO time.

    ``branch`` is the part of ``path`` as high up as nothing of it is wanted: it goes when all below it goes.
    """

    path: FieldPath
    branch: FieldPath
    value: Any
    manager: str
    when: str


def foreign_fields(metadata: Json, manager: str) -> frozenset[str]:
    """The fields that others hold and ``manager`` does not, each with its holder. It needs nothing but metadata."""
    ours = our_entry(metadata, manager) or {}
    return frozenset(
        f"{entry.get('manager')} {json.dumps(path, sort_keys=True)}"
        for path, entry in _foreign(metadata, manager)
        if not _held(ours, path)
    )


def digest_of(fields: frozenset[str]) -> str:
    """A short digest, to be remembered; empty for no fields."""
    return hashlib.blake2b("\n".join(sorted(fields)).encode(), digest_size=8).hexdigest() if fields else ""


def additions(live: Json, desired: Json, manager: str) -> Iterator[Addition]:
    """The additions to ``live``, each once. Values that the server fills in by itself may be among them.

    What we hold too and do not want any more is one: it stays when we let go of it.
    """
    seen = set()
    for leaf, entry in _foreign(live["metadata"], manager):
        branch = _branch(leaf, desired)
        # An item that nobody wants is told as a whole, what is added to a map by its leaves.
        item = next((at for at in range(len(branch), len(leaf) + 1) if isinstance(leaf[at - 1], dict)), len(leaf))
        path = leaf[:item]
        key = json.dumps(path, sort_keys=True)
        if not branch or key in seen:
            continue
        seen.add(key)
        value = value_at(live, path)
        if value is not None:
            yield Addition(path, branch, value, str(entry.get("manager", "")), str(entry.get("time") or ""))


def leaves(fields: Json, path: FieldPath = ()) -> Iterator[FieldPath]:
    """The paths in a ``fieldsV1``, as deep as they go."""
    for key, child in fields.items():
        if key == ".":
            continue
        here = (*path, key[2:] if key.startswith("f:") else _item(key))
        if any(k != "." for k in child):
            yield from leaves(child, here)
        else:
            yield here


def _foreign(metadata: Json, manager: str) -> Iterator[tuple[FieldPath, Json]]:
    for entry in metadata.get("managedFields") or []:
        name = str(entry.get("manager", ""))
        if name == manager or name in CONTROLLERS or entry.get("subresource"):
            continue
        for path in leaves(entry.get("fieldsV1") or {}):
            if _tells(path, name):
                yield path, entry


def _tells(path: FieldPath, manager: str) -> bool:
    """Whether an addition at this path says anything: not status, not the marks and injections of controllers."""
    if path[0] == "status" or path[-1] == "caBundle":
        return False
    if path[0] != "metadata":
        return True
    if path[1:2] == ("finalizers",):
        # A controller's finalizer is its business; one that a person added will keep the object from going.
        return manager.startswith("kubectl")
    return path[1] in _TOLD_METADATA and len(path) > 2 and not str(path[2]).startswith(_ANNOTATIONS)


def _held(fields: Json, path: FieldPath) -> bool:
    node = fields
    for step in path:
        if node is not fields and not any(key != "." for key in node):
            return True
        child = node.get(f"f:{step}") if isinstance(step, str) else _child(node, step)
        if child is None:
            return False
        node = child
    return True


def _child(node: Json, step: Json) -> Json | None:
    for key, child in node.items():
        if not key.startswith("f:") and key != "." and _item(key) == step:
            return dict(child)
    return None


def _item(key: str) -> Json:
    value = json.loads(key[2:])
    return value if key.startswith("k:") else {"=": value}


def _branch(path: FieldPath, desired: Json) -> FieldPath:
    """The shortest part of ``path`` that is not wanted; nothing where all of it is. Labels are told one by one."""
    least = next((at + 2 for at in range(1, len(path)) if path[at - 1] == "metadata" and path[at] in _TOLD_METADATA), 1)
    for end in range(1, len(path) + 1):
        if value_at(desired, path[:end]) is None:
            return path[: max(end, least)]
    return ()
