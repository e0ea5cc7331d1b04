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
from dataclasses import replace

from ..kube.objects import Json, ObjectId, object_id
from ..kube.ownership import FieldPath, format_field
from .diff import diff_objects
from .errors import EngineError
from .finding import KeyPath
from .model import JSON, Addon, ChartSource
from .patching import merge, partial
from .plan import Adoption, Proposal
from .sources.render import Rendered

MOST_TRIALS = 16
"""Renders for one field: about a quarter of a second each, and only when somebody asks."""


Render = Callable[[Addon], Rendered]


def propose(addon: Addon, rendered: Rendered, seen: Json, wanted: list[Adoption], render: Render) -> Proposal:
    """What to paste for all of ``wanted``. ``seen``: the values as the chart's templates see them."""
    untold = tuple(f"{a.id} {format_field(a.path)}" for a in wanted if a.id.kind == "Secret")
    told = [a for a in wanted if a.id.kind != "Secret"]
    if not isinstance(addon.source, ChartSource):
        return Proposal({}, tuple(_patches(addon, rendered, told)), untold)
    trial = _Trial(addon, rendered, seen, render)
    left = [adoption for adoption in told if not trial.finds(adoption)]
    return Proposal(trial.overlay, tuple(_patches(addon, rendered, left)), untold)


class _Trial:
    """Renders the chart with one value changed, and looks at what came of it. ``overlay`` grows with what is found."""

    def __init__(self, addon: Addon, rendered: Rendered, seen: Json, render: Render) -> None:
        self._addon = addon
        self._render = render
        self._before = _by_id(rendered, addon)
        self._seen = seen
        self.overlay: dict[str, JSON] = {}

    def finds(self, adoption: Adoption) -> bool:
        """Whether some value gives exactly ``adoption``, on top of what was found before."""
        candidates = list(_candidates(merge(self._seen, self.overlay), adoption))[:MOST_TRIALS]
        with ThreadPoolExecutor(2, thread_name_prefix="slipway-adopt") as pool:
            rendered = pool.map(self._rendered, candidates)
            for candidate, after in zip(candidates, rendered, strict=True):
                if after is not None and self._fits(after, adoption):
                    self.overlay, self._before = merge(self.overlay, candidate), after
                    return True
        return False

    def _rendered(self, candidate: dict[str, JSON]) -> dict[ObjectId, Json] | None:
        values = merge(merge(self._addon.values, self.overlay), candidate)
        try:
            return _by_id(self._render(replace(self._addon, values=values)), self._addon)
        except EngineError:
            # A value of another kind than the chart expects: not this one.
            return None

    def _fits(self, after: dict[ObjectId, Json], adoption: Adoption) -> bool:
        wanted = _found(adoption.id, self._before)
        if set(after) != set(self._before) or [i for i in after if after[i] != self._before[i]] != [wanted]:
            return False
        expected = merge(self._before[wanted], partial(self._before[wanted], [(adoption.path, adoption.live)]))
        return not diff_objects(expected, after[wanted])


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


def _by_id(rendered: Rendered, addon: Addon) -> dict[ObjectId, Json]:
    found = {}
    for obj in (*rendered.objects, *rendered.crds):
        identity = object_id(obj)
        found[identity if identity.namespace else replace(identity, namespace=addon.namespace)] = obj
    return found


def _found(identity: ObjectId, there: dict[ObjectId, Json]) -> ObjectId:
    """Rendered objects without a namespace stand under the release's, those that belong to no namespace too."""
    alike = (i for i in there if replace(i, namespace="") == replace(identity, namespace=""))
    return identity if identity in there else next(alike, identity)


def _patches(addon: Addon, rendered: Rendered, wanted: list[Adoption]) -> Iterator[Json]:
    objects = _by_id(rendered, addon)
    fields: dict[ObjectId, list[tuple[FieldPath, JSON]]] = {}
    for adoption in wanted:
        fields.setdefault(_found(adoption.id, objects), []).append((adoption.path, adoption.live))
    for identity, changed in fields.items():
        if identity in objects:
            yield partial(objects[identity], changed)
