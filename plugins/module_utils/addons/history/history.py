# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The rendered history of one ``slipway_name``: what a plan wants, as files that are worth committing."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..desired import CREATED_BY
from ..masking import Masker
from ..model import Manifest
from ..observe import Observed
from ..plan import Plan
from .folder import Folder, Index, Written
from .tree import NAMESPACES_OF_RELEASES, OBJECTS, Branch, branches, namespaces, rendered_namespaces


class History:
    """``root`` is ``slipway_rendered_dir``, ``base`` what the paths of sources are told relative to, ``made`` the
    namespaces that Slipway has made."""

    def __init__(self, root: Path, base: Path, manifest: Manifest, masker: Masker, made: Collection[str]) -> None:
        self._folder = Folder(root, manifest.name)
        self._base = base
        self._manifest = manifest
        self._masker = masker
        self._made = made

    def check(self, plan: Plan) -> None:
        """Raises ``EngineError`` SLW-4711 to SLW-4713, before anything is touched."""
        known = self._folder.indexes()
        self._folder.check(self._branches(plan, known, frozenset()), known)

    def write(self, plan: Plan, done: Collection[str] = ()) -> Written:
        """``done``: add-ons that were applied from this plan. Raises like ``check``."""
        known = self._folder.indexes()
        found = self._branches(plan, known, frozenset(done))
        self._folder.check(found, known)
        gone = [name for name in known if name not in self._manifest.addons and name != NAMESPACES_OF_RELEASES]
        return self._folder.write(found, gone, known)

    def _branches(self, plan: Plan, known: dict[str, Index], done: frozenset[str]) -> list[Branch]:
        found = branches(plan.addons, self._masker, self._base, done)
        spaces = namespaces(plan.addons, self._made)
        told = {branch.name for branch in found}
        others = [index for name, index in known.items() if name not in told and name in self._manifest.addons]
        if others and NAMESPACES_OF_RELEASES in known:
            # Not all were looked at: those that were not may live in any of the namespaces.
            spaces.files = {**self._folder.texts(known[NAMESPACES_OF_RELEASES]), **spaces.files}
        written = [path for index in others for path in index.files]
        written += [path for branch in found for path in branch.files]
        for name in rendered_namespaces(written):
            spaces.files.pop(f"{OBJECTS}/{NAMESPACES_OF_RELEASES}/{name}.yaml", None)
        return [*found, spaces]


def made_namespaces(observed: Observed) -> set[str]:
    """Namespaces that runs of this ``slipway_name`` have created, as far as they may be seen."""
    known = (observed.namespaces or {}).items()
    return {name for name, meta in known if (meta.get("annotations") or {}).get(CREATED_BY) == observed.name}
