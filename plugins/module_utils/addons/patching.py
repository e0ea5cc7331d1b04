# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lay the manifest's ``patches`` over what a source rendered: for what a chart has no value for.

Maps merge and null takes a key away. Items of a list that have names (``name``, ``containerPort``, …) merge by them,
and ``$patch: delete`` takes one away, as in Kubernetes' strategic merge patches; other lists are replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..kube.objects import Json, object_id, split_api_version
from ..kube.ownership import FieldPath, Step
from .diff import merge_key
from .errors import RenderError
from .model import JSON, Addon
from .sources.render import Rendered
from .sources.yaml import dump

DIRECTIVE = "$patch"


def patched(addon: Addon, rendered: Rendered) -> Rendered:
    """The objects with the add-on's patches. Raises ``RenderError`` SLW-2504 for patches that fit no object."""
    if not addon.patches:
        return rendered
    objects, crds = list(rendered.objects), list(rendered.crds)
    unused = []
    for patch in addon.patches:
        hits = 0
        for group in (objects, crds):
            for at, obj in enumerate(group):
                if _fits(patch, obj, addon.namespace):
                    group[at] = merge(obj, patch)
                    hits += 1
        if not hits:
            unused.append(f"{patch['kind']} {(patch.get('metadata') or {}).get('name', '(no name)')}")
    if unused:
        there = sorted({f"{obj['kind']} {obj['metadata']['name']}" for obj in objects})
        raise RenderError(
            "SLW-2504",
            f"add-on {addon.name}: no object is rendered for the patch of {', '.join(unused)}",
            f"it renders {', '.join(there[:8])}{', …' if len(there) > 8 else ''}",
        )
    manifest = "".join(f"---\n{dump(obj)}" for obj in objects) if rendered.manifest else ""
    return replace(rendered, objects=tuple(objects), crds=tuple(crds), manifest=manifest)


def merge(base: JSON, patch: JSON) -> JSON:
    """``patch`` laid over ``base``; neither is changed."""
    if isinstance(base, dict) and isinstance(patch, dict):
        merged = {key: value for key, value in base.items() if key not in patch}
        for key, value in patch.items():
            if key != DIRECTIVE and value is not None:
                merged[key] = merge(base.get(key), value)
        # In the order of the base, so that what is stored and shown moves no more than it must.
        return {key: merged[key] for key in (*base, *(k for k in merged if k not in base)) if key in merged}
    if isinstance(base, list) and isinstance(patch, list):
        return _merge_lists(base, patch)
    return _clean(patch)


def _merge_lists(base: list[JSON], patch: list[JSON]) -> list[JSON]:
    key = merge_key(base, patch) if base and patch else None
    if key is None:
        return [_clean(item) for item in patch if not _deletes(item)]
    changes = {item[key]: item for item in patch}
    kept = [merge(item, changes[item[key]]) if item[key] in changes else item
            for item in base if not _deletes(changes.get(item[key]))]  # fmt: skip
    known = {item[key] for item in base}
    return kept + [_clean(item) for item in patch if item[key] not in known and not _deletes(item)]


def _deletes(item: JSON) -> bool:
    return isinstance(item, dict) and item.get(DIRECTIVE) == "delete"


def _clean(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items() if v is not None and k != DIRECTIVE}
    return [_clean(v) for v in value] if isinstance(value, list) else value


def _fits(patch: Json, obj: Json, namespace: str) -> bool:
    wanted, found = object_id(patch), object_id(obj)
    same_place = not wanted.namespace or wanted.namespace == (found.namespace or namespace)
    same_group = "apiVersion" not in patch or split_api_version(str(patch["apiVersion"]))[0] == found.group
    return wanted.kind == found.kind and wanted.name == found.name and same_place and same_group


def partial(obj: Json, fields: Iterable[tuple[FieldPath, JSON]]) -> Json:
    """The patch that sets ``fields`` (paths as in ``kube.ownership``; None takes away) on ``obj``."""
    patch: Json = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": {"name": obj["metadata"]["name"]}}
    if obj["metadata"].get("namespace"):
        patch["metadata"]["namespace"] = obj["metadata"]["namespace"]
    for path, value in fields:
        _put(patch, path, value)
    return patch


def _put(node: JSON, path: FieldPath, value: JSON) -> None:
    for at, step in enumerate(path[:-1]):
        node = _enter(node, step, isinstance(path[at + 1], dict))
    last = path[-1]
    if isinstance(last, dict):
        item = _enter(node, last, False)
        item.update(value if isinstance(value, dict) else {DIRECTIVE: "delete"})
    else:
        node[last] = value


def _enter(node: JSON, step: Step, into_list: bool) -> JSON:
    if isinstance(step, dict):
        found = next((item for item in node if all(item.get(k) == v for k, v in step.items())), None)
        if found is None:
            found = dict(step)
            node.append(found)
        return found
    return node.setdefault(step, [] if into_list else {})
