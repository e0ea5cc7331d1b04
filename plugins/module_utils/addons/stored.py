# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A revision in Helm's storage: what it says about its objects and hooks, and that it says what was really applied."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..kube.objects import Json, ObjectId, is_crd, object_id
from .desired import Desired
from .finding import KeyPath
from .hooks import Hook, parse_hook
from .masking import MASK
from .model import JSON
from .release import Release
from .sources.context import Rendered
from .sources.objects import flatten
from .sources.yaml import dump, load_all

_BETWEEN = re.compile(r"^---\n", re.MULTILINE)
_SOURCE = "# Source: "
NOTE = "slipway.cluster/applied"
"""Annotation of a release Secret. It is gone as soon as Helm has written that Secret itself."""


@dataclass(frozen=True)
class Note:
    """What a release does not say of itself: the digest of all that it was made of, and where its values hold secrets
    (key paths)."""

    inputs: str
    hidden: tuple[KeyPath, ...]


def note_of(inputs: str, shown: JSON) -> dict[str, str]:
    """The annotation; ``shown`` are the masked values."""
    hidden = [list(path) for path, leaf in _leaves(shown, ()) if MASK in str(leaf)]
    return {NOTE: json.dumps({"inputs": inputs, "hidden": hidden}, separators=(",", ":"))}


def read_note(metadata: Json) -> Note | None:
    text = (metadata.get("annotations") or {}).get(NOTE)
    try:
        body = json.loads(text) if text else None
        return Note(body["inputs"], tuple(tuple(path) for path in body["hidden"])) if body else None
    except (KeyError, TypeError, ValueError):
        return None


def hidden_of(values: JSON, recorded: JSON) -> list[KeyPath]:
    """Without a note: the leaves of ``values`` that the record does not show today. They may be secrets of another
    time."""
    plain = {path for path, leaf in _leaves(recorded, ()) if MASK not in str(leaf)}
    return [p for p, leaf in _leaves(values, ()) if p not in plain and leaf not in (None, True, False, {}, [])]


def at(values: JSON, path: KeyPath) -> JSON:
    """The value below ``path``, or None."""
    for key in path:
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _leaves(value: JSON, path: KeyPath) -> Iterator[tuple[KeyPath, JSON]]:
    inside: Iterable[tuple[str | int, JSON]] = ()
    if isinstance(value, (dict, list)):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
    if not value or not isinstance(value, (dict, list)):
        yield path, value
    for key, child in inside:
        yield from _leaves(child, (*path, key))


def rendered_of(release: Release, *, gated: bool) -> Rendered:
    """The revision as its source once rendered it, without CRDs: they are never rolled back.

    Raises RenderError SLW-2001, SLW-2002 where its text is none that Helm would have stored.
    """
    what = f"revision {release.get('version')} of release {release.get('name')}"
    text = str(release.get("manifest") or "")
    objects = [obj for document in load_all(text, what, strict=False) for obj in flatten(document, what)]
    chart = release.get("chart") or {}
    about = chart.get("metadata") or {}
    return Rendered(
        objects=tuple(obj for obj in objects if not is_crd(obj)),
        identity="",
        hooks=tuple(hooks_of(release)),
        version=str(about.get("version") or ""),
        app_version=str(about.get("appVersion") or ""),
        manifest=text,
        chart=chart,
        gated=gated,
    )


def hooks_of(release: Release) -> Iterator[Hook]:
    """Raises RenderError SLW-2001."""
    for stored in release.get("hooks") or []:
        text = str(stored.get("manifest", ""))
        for obj in load_all(f"{text}\n", f"hook {stored.get('name')}", strict=False):
            hook = parse_hook(obj, str(stored.get("path", "")), text)
            if hook is not None:
                yield hook


def same_state(one: Release, other: Release) -> bool:
    """Whether two revisions put the same on the cluster and say the same about it."""

    def state(release: Release) -> list[JSON]:
        hooks = [hook.get("manifest") for hook in release.get("hooks") or []]
        about = (release.get("chart") or {}).get("metadata") or {}
        return [release.get("manifest"), hooks, release.get("config") or {}, about.get("version")]

    return state(one) == state(other)


def as_applied(rendered: Rendered, desired: Iterable[Desired], namespace: str) -> Rendered:
    """With the values that were applied where the chart made up new ones: a rollback to this revision, by Helm or by
    us, must not put on the cluster what never was there."""
    bodies = {item.id: item.body for item in desired}
    random: dict[ObjectId, list[KeyPath]] = {}
    for identity, path in rendered.random:
        random.setdefault(replace(identity, namespace=identity.namespace or namespace), []).append(path)
    if not random or not rendered.manifest:
        return rendered
    documents = _BETWEEN.split(rendered.manifest)
    return replace(rendered, manifest="---\n".join(_corrected(d, random, bodies, namespace) for d in documents))


def _corrected(
    document: str, random: Mapping[ObjectId, list[KeyPath]], bodies: Mapping[ObjectId, Any], namespace: str
) -> str:
    source = document[: document.index("\n") + 1] if document.startswith(_SOURCE) else ""
    objects = load_all(document, source.strip() or "a stored object", strict=False)
    changed = False
    for obj in objects:
        if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
            continue
        named = object_id(obj)
        identity = replace(named, namespace=named.namespace or namespace)
        # Objects of the cluster have no namespace, whatever they are written with.
        body = bodies.get(identity) or bodies.get(replace(named, namespace=""))
        for path in random.get(identity, ()):
            changed = _put(obj, path, body) or changed
    return source + "---\n".join(dump(obj) for obj in objects if obj) if changed else document


def _put(obj: JSON, path: KeyPath, body: JSON) -> bool:
    """Copy one value from what was applied, if it differs. ``stringData`` was folded into ``data`` on the way."""
    plain = path[:1] == ("stringData",)
    value, parent = body, obj
    try:
        for key in ("data", *path[1:]) if plain else path:
            value = value[key]
        for key in path[:-1]:
            parent = parent[key]
        wanted = base64.b64decode(value).decode() if plain else value
        if parent[path[-1]] == wanted:
            return False
        parent[path[-1]] = wanted
    except (KeyError, IndexError, TypeError, binascii.Error, UnicodeDecodeError):
        return False
    return True
