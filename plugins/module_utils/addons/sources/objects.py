# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From documents to Kubernetes objects: lists are opened, empty documents dropped, the rest checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...kube.objects import ObjectId, object_id
from ..errors import RenderError
from .codes import BAD_OBJECT, DUPLICATE_OBJECT

Json = dict[str, Any]


def flatten(document: Any, source: str) -> Iterator[Json]:
    """The objects of one document. ``source`` is named in errors. Raises RenderError SLW-2002."""
    if document is None or document == {}:
        return
    if not isinstance(document, dict):
        raise RenderError(BAD_OBJECT, f"{source}: a {_type_name(document)} is no Kubernetes object")
    kind, api_version = document.get("kind"), document.get("apiVersion")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(document.get("items"), list):
        for number, item in enumerate(document["items"]):
            # a typed list (ConfigMapList) may leave kind and version of its items out
            inherited = {} if kind == "List" else {"apiVersion": api_version, "kind": kind.removesuffix("List")}
            yield from flatten({**inherited, **item} if isinstance(item, dict) else item, f"{source}: items[{number}]")
        return
    yield _checked(document, source)


def _checked(obj: Json, source: str) -> Json:
    kind, metadata = obj.get("kind"), obj.get("metadata")
    for field in ("apiVersion", "kind"):
        if not isinstance(obj.get(field), str) or not obj[field]:
            raise RenderError(BAD_OBJECT, f"{source}: {field} is missing")
    if not isinstance(metadata, dict):
        raise RenderError(BAD_OBJECT, f"{source}: {kind} has no metadata")
    name = metadata.get("name")
    if name is None and metadata.get("generateName"):
        raise RenderError(
            BAD_OBJECT,
            f"{source}: {kind} has generateName and no name",
            "every run would make another one: give it a name",
        )
    if not isinstance(name, str) or not name:
        raise RenderError(BAD_OBJECT, f"{source}: {kind} has no metadata.name that is a string")
    for field in ("labels", "annotations"):
        if not isinstance(metadata.get(field) or {}, dict):
            raise RenderError(BAD_OBJECT, f"{source}: {kind} {name}: metadata.{field} is no mapping")
    return obj


def refuse_duplicates(objects: Iterable[tuple[Json, str]], namespace: str) -> None:
    """``objects`` are pairs of object and place; those without a namespace count as in ``namespace``.

    Raises RenderError SLW-2003.
    """
    seen: dict[ObjectId, str] = {}
    for obj, source in objects:
        plain = object_id(obj)
        key = ObjectId(plain.group, plain.kind, plain.namespace or namespace, plain.name)
        if key in seen:
            raise RenderError(
                DUPLICATE_OBJECT, f"{plain} stands twice: in {seen[key]} and in {source}", "keep one of them"
            )
        seen[key] = source


def _type_name(value: Any) -> str:
    names: dict[type, str] = {list: "list", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), type(value).__name__)
