# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The answer ``adopt``: what to paste into the manifest, so that what somebody did by hand is what is wanted.

For a chart the values are found by trying: which value, set to what is live, makes Helm render just that difference and
no other? Where none does, and for every other source, the answer is a patch, which always does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ..kube.objects import Json, ObjectId, object_id
from ..kube.ownership import FieldPath, format_field, value_at
from .diff import diff_objects
from .errors import EngineError, FindingsError
from .finding import KeyPath
from .model import JSON, Addon, ChartSource
from .patching import merge, partial
from .sources.coalesce import coalesce_values
from .sources.render import Rendered
from .sources.yaml import dump

MOST_TRIALS = 16
"""Renders for one field: about a quarter of a second each, and only when somebody asks."""


@dataclass(frozen=True)
class Adoption:
    """One field to be written into the manifest. ``ours`` is None for an addition, ``live`` for a removal."""

    identity: ObjectId
    path: FieldPath
    ours: JSON
    live: JSON


@dataclass(frozen=True)
class Proposal:
    """``values`` and ``patches`` to paste; ``untold`` are fields of Secrets, which are never printed."""

    values: dict[str, JSON]
    patches: tuple[Json, ...]
    untold: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """YAML as it stands below the add-on's name."""
        body = {key: part for key, part in (("values", self.values), ("patches", list(self.patches))) if part}
        return dump(body) if body else ""


Render = Callable[[Addon], Rendered]


def propose(addon: Addon, rendered: Rendered, defaults: Json, wanted: list[Adoption], render: Render) -> Proposal:
    """What to paste for all of ``wanted``. ``defaults``: the chart's values. ``render`` may raise ``EngineError``."""
    secret = [a for a in wanted if a.identity.kind == "Secret"]
    told = [a for a in wanted if a.identity.kind != "Secret"]
    values: dict[str, JSON] = {}
    left = told
    if isinstance(addon.source, ChartSource):
        left = []
        trial = _Trial(addon, rendered, defaults, render)
        for adoption in told:
            found = trial.value_for(adoption)
            if found is None:
                left.append(adoption)
            else:
                values = merge(values, found)
    patches = tuple(_patches(addon, rendered, left))
    return Proposal(values, patches, tuple(f"{a.identity} {format_field(a.path)}" for a in secret))


class _Trial:
    """Renders the chart with one value changed, and looks at what became of it."""

    def __init__(self, addon: Addon, rendered: Rendered, defaults: Json, render: Render) -> None:
        self._addon = addon
        self._render = render
        self._before = {_placed(obj, addon): obj for obj in rendered.objects}
        self._values = coalesce_values(defaults, addon.values)

    def value_for(self, adoption: Adoption) -> dict[str, JSON] | None:
        """The overlay of values that gives exactly ``adoption``, or None."""
        candidates = list(_candidates(self._values, adoption))[:MOST_TRIALS]
        if not candidates:
            return None
        with ThreadPoolExecutor(2, thread_name_prefix="slipway-adopt") as pool:
            for overlay, fits in zip(candidates, pool.map(lambda c: self._fits(c, adoption), candidates), strict=True):
                if fits:
                    return overlay
        return None

    def _fits(self, overlay: dict[str, JSON], adoption: Adoption) -> bool:
        try:
            rendered = self._render(replace(self._addon, values=merge(self._addon.values, overlay)))
        except (EngineError, FindingsError):
            return False
        after = {_placed(obj, self._addon): obj for obj in rendered.objects}
        if set(after) != set(self._before):
            return False
        wanted = _identity_of(adoption, self._before)
        changed = [i for i in after if after[i] != self._before[i]]
        if changed != [wanted] or not _same(value_at(after[wanted], adoption.path), adoption.live):
            return False
        expected = {*_names(self._before[wanted], adoption)}
        return {c.path for c in diff_objects(self._before[wanted], after[wanted])} <= expected


def _names(before: Json, adoption: Adoption) -> Iterator[str]:
    patched = merge(before, partial(before, [(adoption.path, adoption.live)]))
    for change in diff_objects(before, patched):
        yield change.path


def _candidates(values: Json, adoption: Adoption) -> Iterator[dict[str, JSON]]:
    """Overlays worth trying, likeliest first: a value that looks like ours, at a key that sounds like the field."""
    last = adoption.path[-1]
    word = last if isinstance(last, str) else next((s for s in reversed(adoption.path) if isinstance(s, str)), "")
    parent = next((s for s in reversed(adoption.path[:-1]) if isinstance(s, str)), "")
    found: list[tuple[int, KeyPath, JSON]] = []
    for path, value in _leaves(values):
        new = _replacement(value, adoption, word, parent, path)
        if new is not None:
            found.append((_distance(path, word, parent), path, new))
    for _near, path, new in sorted(found, key=lambda item: (item[0], len(item[1]), str(item[1]))):
        overlay: JSON = new
        for key in reversed(path):
            overlay = {key: overlay}
        yield overlay


def _replacement(value: JSON, adoption: Adoption, word: str, parent: str, path: KeyPath) -> JSON:
    """What ``value`` would have to be; None where it has nothing to do with the field."""
    ours, live, last = adoption.ours, adoption.live, adoption.path[-1]
    name = str(path[-1]).lower()
    if ours is None:
        if isinstance(last, dict) and isinstance(value, list) and _sounds(name, word):
            return [*value, live]
        if isinstance(last, str) and isinstance(value, dict):
            if _sounds(name, parent):
                return {last: live}
            if _sounds(name, word) and isinstance(live, dict):
                return live
        if value is None and _sounds(name, word):
            return live
        return None
    if live is None or isinstance(value, dict):
        return None
    if _same(value, ours):
        return live if type(value) is type(ours) else str(live)
    text = isinstance(value, str) and isinstance(ours, str) and isinstance(live, str)
    if text and len(value) > 1 and value in ours:
        before, _found, after = ours.partition(value)
        middle = live[len(before) : len(live) - len(after)]
        if live.startswith(before) and live.endswith(after) and middle and middle != value:
            return middle
    return None


def _leaves(values: JSON, path: KeyPath = ()) -> Iterator[tuple[KeyPath, JSON]]:
    """Every value by its path; maps as well, for what may be added to them."""
    for key, value in values.items():
        yield (*path, key), value
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))


def _sounds(name: str, word: str) -> bool:
    return bool(word) and (word.lower() in name or name in word.lower())


def _distance(path: KeyPath, word: str, parent: str) -> int:
    name = str(path[-1]).lower()
    return 0 if name == word.lower() else 1 if _sounds(name, word) or _sounds(name, parent) else 2


def _same(one: JSON, other: JSON) -> bool:
    return bool(one == other) or (not isinstance(one, (dict, list)) and str(one) == str(other))


def _placed(obj: Json, addon: Addon) -> ObjectId:
    found = object_id(obj)
    return found if found.namespace else replace(found, namespace=addon.namespace)


def _identity_of(adoption: Adoption, there: dict[ObjectId, Json]) -> ObjectId:
    """Rendered objects without a namespace stand under the release's, cluster-wide ones too."""
    found = adoption.identity
    return found if found in there else next((i for i in there if _alike(i, found)), found)


def _alike(one: ObjectId, other: ObjectId) -> bool:
    return (one.group, one.kind, one.name) == (other.group, other.kind, other.name) and not other.namespace


def _patches(addon: Addon, rendered: Rendered, wanted: list[Adoption]) -> Iterator[Json]:
    objects = {_placed(obj, addon): obj for obj in (*rendered.objects, *rendered.crds)}
    by_object: dict[ObjectId, list[tuple[FieldPath, JSON]]] = {}
    for adoption in wanted:
        by_object.setdefault(_identity_of(adoption, objects), []).append((adoption.path, adoption.live))
    for identity, fields in by_object.items():
        if identity in objects:
            yield partial(objects[identity], fields)
