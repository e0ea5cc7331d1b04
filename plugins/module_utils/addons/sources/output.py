# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading what ``helm template`` prints: CRDs, objects and hooks, each with the template it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import RenderError
from ..hooks import EVENTS, Hook, parse_hook
from . import yaml
from .codes import BAD_OBJECT
from .objects import flatten

_DOCUMENT = re.compile(r"^---\n# Source: (?P<source>[^\n]+)\n", re.MULTILINE)
# <chart>/crds/x.yaml, or below charts/<sub-chart>; <chart>/templates/crds/x.yaml is an ordinary template
_CRD_FOLDER = re.compile(r"[^/]+(?:/charts/[^/]+)*/crds/")


@dataclass(frozen=True)
class ChartOutput:
    """``manifest`` is the release's text as Helm stores it: no hooks, nothing of ``crds/``, no notes."""

    objects: tuple[tuple[dict[str, Any], str], ...]
    crds: tuple[tuple[dict[str, Any], str], ...]
    hooks: tuple[Hook, ...]
    manifest: str


def parse_output(text: str) -> ChartOutput:
    """Objects and CRDs come with their template's path. Raises RenderError SLW-2001, SLW-2002."""
    objects: list[tuple[dict[str, Any], str]] = []
    crds: list[tuple[dict[str, Any], str]] = []
    hooks: list[Hook] = []
    manifest: list[str] = []
    for source, content in _documents(text):
        if _CRD_FOLDER.match(source):
            crds += [(obj, source) for obj in _objects(content, source)]
            continue
        found = list(_objects(content, source))
        hook = parse_hook(found[0], source, content) if len(found) == 1 else None
        if hook is None:
            manifest.append(f"---\n# Source: {source}\n{content}\n")
            objects += [(obj, source) for obj in found]
        else:
            hooks.append(_known(hook))
    return ChartOutput(tuple(objects), tuple(crds), tuple(hooks), "".join(manifest))


def _documents(text: str) -> Iterator[tuple[str, str]]:
    marks = list(_DOCUMENT.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        yield mark["source"], text[mark.end() : end].strip()


def _objects(content: str, source: str) -> Iterator[dict[str, Any]]:
    # With the line's end that belongs to a block of text at the end of a document: Helm's manifest has it as well.
    for document in yaml.load_all(f"{content}\n", f"rendered {source}", strict=False):
        yield from flatten(document, source)


def _known(hook: Hook) -> Hook:
    unknown = [event for event in hook.events if event not in EVENTS]
    if unknown:
        raise RenderError(BAD_OBJECT, f"{hook.path}: {hook.kind} {hook.name} has an unknown hook event: {unknown[0]}")
    return hook
