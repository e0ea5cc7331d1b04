# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where an AWX of the lab keeps things, and what its jobs find."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from lab import cache
from lab.paths import REPOSITORY


@dataclass(frozen=True)
class Settings:
    """``folder``: everything that is written. ``collections``: the folder of ``ansible_collections`` that the execution
    environment has, for reading only. ``programs``: folders of programs that it has. ``visible``: what else of the
    machine jobs may read."""

    folder: Path
    collections: tuple[Path, ...] = (REPOSITORY / ".build" / "collections",)
    programs: tuple[Path, ...] = (Path(sys.prefix) / "bin",)
    visible: tuple[Path, ...] = ()

    @property
    def projects(self) -> Path:
        """Where projects have their files, one folder each; a manual project is a folder that somebody put here."""
        return self.folder / "projects"

    @property
    def jobs(self) -> Path:
        return self.folder / "jobs"

    @property
    def path(self) -> str:
        """The jobs' PATH."""
        return os.pathsep.join([*map(str, self.programs), os.defpath.lstrip(":")])

    def readable(self) -> list[Path]:
        """What of the machine jobs can read beside its system folders."""
        known = [Path(sys.prefix), Path(sys.base_prefix), cache.cache_root()]
        return [*known, *self.collections, *self.programs, *self.visible]
