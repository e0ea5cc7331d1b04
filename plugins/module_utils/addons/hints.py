# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Advice that stops nothing: shared values nobody uses, and literals that should be shared values."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from .draft import Draft
from .evaluate import Evaluation
from .finding import Finding, KeyPath, Level, Position, format_path
from .node import Node
from .references import SHARED, is_template

LITERAL_LENGTH = 6
LITERAL_PLACES = 4
ORDINARY = re.compile(
    r"""v?\d[\d.]*([-+.].*)?             # a version, or a number with a unit
    | .*[/@].*:.* | .*@sha256.*          # an image
    | [A-Z][A-Za-z]*                     # ClusterIP, IfNotPresent, a kind
    | (true|false|enabled|disabled|default|always|never|warning|info|debug|error)
    """,
    re.VERBOSE | re.DOTALL,
)
OBJECT_KEYS = frozenset({"apiVersion", "kind"})


def unused(shared: Node, evaluation: Evaluation) -> Iterator[Finding]:
    """Shared values that no add-on and no other shared value reads. Silent when template files may read them."""
    if evaluation.reads_templates:
        return
    used = evaluation.used_shared
    above = {path[:end] for path in used for end in range(len(path))}
    for path, leaf in _entries(shared, ()):
        if not path or leaf.failed or path in above or any(path[:end] in used for end in range(len(path) + 1)):
            continue
        yield Finding(
            "SLW-1901",
            "is not used by any add-on",
            (SHARED, *path),
            leaf.position,
            Level.HINT,
            advice="take it out, or check the spelling where it should be used",
        )


def _entries(node: Node, path: KeyPath) -> Iterator[tuple[KeyPath, Node]]:
    """Leaves, where a list counts as one."""
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _entries(child, (*path, key))
    else:
        yield path, node


def repeated(drafts: Mapping[str, Draft], written: Node) -> Iterator[Finding]:
    """One text written in several places of several add-ons."""
    places: dict[str, list[tuple[KeyPath, Position]]] = defaultdict(list)
    for draft in drafts.values():
        for key in ("values", "objects"):
            node = written.at((draft.name, key))
            for below, leaf in node.walk() if node is not None else ():
                text = leaf.value
                if (
                    isinstance(text, str)
                    and not leaf.secret
                    and _is_literal(text)
                    and not (below and below[-1] in OBJECT_KEYS)
                ):
                    places[text].append(((*draft.path, key, *below), leaf.position))
    for text, found in sorted(places.items()):
        addons = {path[1] for path, _position in found}
        if len(found) >= LITERAL_PLACES and len(addons) > 1:
            others = ", ".join(format_path(path) for path, _position in found[1:4])
            more = f" and {len(found) - 4} more" if len(found) > 4 else ""
            yield Finding(
                "SLW-1902",
                f"{text!r} stands in {len(found)} places, also {others}{more}",
                found[0][0],
                found[0][1],
                Level.HINT,
                advice="write it once, in slipway_values",
            )


def _is_literal(text: str) -> bool:
    return (
        len(text) >= LITERAL_LENGTH and "\n" not in text and not is_template(text) and ORDINARY.fullmatch(text) is None
    )
