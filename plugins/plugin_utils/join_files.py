# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the user-data of a batch lies: for its owner alone, and no longer than the run unless the user says so."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible import constants

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_data import PRIVATE, JoinData
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_formats import FORMATS, SUFFIXES
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem

from . import options

_PREFIX = "slipway-join-"


@dataclass(frozen=True)
class Folder:
    """``kept``: it is the user's, and stays when the batch is over."""

    path: Path
    kept: bool

    def write(self, nodes: Sequence[JoinData], kind: str) -> dict[str, str]:
        """A file for each node, by name its path. ``kind`` is one of ``FORMATS``. Raises ``NodesError`` SLW-8706."""
        try:
            return {one.name: str(self._file(f"{one.name}.{SUFFIXES[kind]}", FORMATS[kind](one))) for one in nodes}
        except OSError as exc:
            raise NodesError([_unusable(self.path, str(exc))]) from exc

    def _file(self, name: str, text: str) -> Path:
        """What a run before has left of this name is replaced, never written to."""
        target = self.path / name
        new, path = tempfile.mkstemp(prefix=f".{name}.", dir=self.path)
        with os.fdopen(new, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(path).chmod(PRIVATE)
        return Path(path).replace(target)


def folder(given: str, base: Path) -> Folder:
    """The user's, made where it is not there, or one of this run's own. Raises ``NodesError`` SLW-8706."""
    if not given:
        return Folder(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=constants.DEFAULT_LOCAL_TMP)), kept=False)
    path = base / Path(given).expanduser()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as exc:
        raise NodesError([_unusable(path, str(exc))]) from exc
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise NodesError([_unusable(path, "others than this user can write in it")])
    return Folder(path, kept=True)


def format_of(args: Mapping[str, Any]) -> str:
    """Raises ``EngineError`` SLW-6201."""
    kind = str(args.get("format") or "cloud-init")
    if kind not in FORMATS:
        raise options.bad_option("join_format", kind, f"one of {', '.join(FORMATS)}")
    return kind


def remove(path: str) -> None:
    """A folder of a run's own. Any other is left."""
    if Path(path).name.startswith(_PREFIX) and Path(path).parent == Path(constants.DEFAULT_LOCAL_TMP):
        shutil.rmtree(path, ignore_errors=True)


def _unusable(path: Path, why: str) -> Problem:
    remedy = "give slipway_join_data_dir a folder of your own that nobody else can write in"
    return Problem("SLW-8706", f"join data cannot be kept in {path}: {why}", remedy)
