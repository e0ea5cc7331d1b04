# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The folder of the rendered history on the disk: who wrote which file, and how files come and go.

A file is ours if an index names it. The index is written first, with the old and the new files, so that a run that is
killed leaves no file behind that the next one would take for somebody else's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..errors import ActError, EngineError, RenderError
from ..model import JSON
from ..sources.yaml import load_all, pretty
from .tree import HOOKS, NAMESPACES_OF_RELEASES, OBJECTS, Branch

INDEX = "index"
_HEAD = "# Written by slipway.cluster. What is not listed here is never touched.\n"


@dataclass(frozen=True)
class Index:
    """What an earlier run wrote for one add-on."""

    name: str
    owner: str
    files: frozenset[str]


@dataclass
class Written:
    """What a run did to the folder: paths below it. ``files`` counts all that it wrote or found right."""

    folder: str
    files: int = 0
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left_out: int = 0


class Folder:
    """``owner`` is the ``slipway_name``: two of them may share a folder, but no add-on's name in it.

    Raises ``EngineError`` SLW-4711 (the disk refuses), SLW-4712 (a foreign file stands where one of ours goes) and
    SLW-4713 (an index that cannot be used)."""

    def __init__(self, root: Path, owner: str) -> None:
        self._root = root
        self._owner = owner

    def indexes(self) -> dict[str, Index]:
        """Of this owner, by add-on."""
        with self._disk():
            found = [self._read(path) for path in sorted((self._root / INDEX).glob("*.yaml"))]
        return {index.name: index for index in found if index.owner == self._owner}

    def texts(self, index: Index) -> dict[str, str]:
        """The files of an add-on as they stand; those that somebody took away are left out."""
        found = {}
        for path in index.files:
            with self._disk(), suppress(FileNotFoundError):
                found[path] = (self._root / path).read_text(encoding="utf-8")
        return found

    def check(self, branches: Iterable[Branch], known: Mapping[str, Index]) -> None:
        """Whether all of it can be written; nothing is touched."""
        with self._disk():
            foreign = [path for branch in branches for path in self._foreign(branch, known)]
        if foreign:
            shown = ", ".join(foreign[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
            raise ActError(
                "SLW-4712",
                f"{self._root}: {shown}: not written by Slipway for {self._owner}",
                "move it away, or choose another slipway_rendered_dir",
            )
        place = self._root
        while not place.exists() and place != place.parent:
            place = place.parent
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise ActError("SLW-4711", f"{place} is not a folder that can be written", "check slipway_rendered_dir")

    def write(self, branches: Iterable[Branch], gone: Iterable[str], known: Mapping[str, Index]) -> Written:
        """Make the folder hold ``branches``, and nothing any more of the add-ons that are ``gone``."""
        told = Written(str(self._root))
        with self._disk():
            for branch in branches:
                self._write(branch, known.get(branch.name), told)
            for name in sorted(gone):
                self._remove(known[name].files, told)
                self._remove([_index_path(name)], told)
        return told

    def _write(self, branch: Branch, index: Index | None, told: Written) -> None:
        old = index.files if index else frozenset()
        files = branch.files
        path = _index_path(branch.name)
        if not files and not branch.left_out and index is None:
            return
        if set(files) - old:
            self._put(path, self._index_text(branch, {*files, *old}), told)
        for name, text in sorted(files.items()):
            self._put(name, text, told)
        told.files += len(files) + 1
        self._remove(old - set(files), told)
        self._put(path, self._index_text(branch, set(files)), told)
        told.left_out += len(branch.left_out)

    def _put(self, path: str, text: str, told: Written) -> None:
        target = self._root / path
        data = text.encode()
        with suppress(FileNotFoundError, NotADirectoryError):
            if target.read_bytes() == data:
                return
        target.parent.mkdir(parents=True, exist_ok=True)
        # The name is always the same: what a killed run left is written over.
        partial = target.with_name(f".{target.name[:200]}.partial")
        partial.write_bytes(data)
        partial.replace(target)
        if path not in told.changed:
            told.changed.append(path)

    def _remove(self, paths: Iterable[str], told: Written) -> None:
        for path in sorted(paths):
            target = self._root / path
            with suppress(FileNotFoundError):
                target.unlink()
                told.removed.append(path)
            for parent in target.parents:
                if parent == self._root or not parent.is_dir() or any(parent.iterdir()):
                    break
                parent.rmdir()

    def _foreign(self, branch: Branch, known: Mapping[str, Index]) -> list[str]:
        """Files in the way: of somebody else, or of another ``slipway_name``."""
        index = known.get(branch.name)
        ours = {*index.files, _index_path(branch.name)} if index else set()
        found = []
        for path in (*sorted(branch.files), _index_path(branch.name)):
            target = self._root / path
            if path in ours and not target.is_dir():
                continue
            if target.is_symlink() or target.exists():
                same = target.is_file() and target.read_bytes() == branch.files.get(path, "").encode()
                found += [] if same else [path]
        return found

    def _index_text(self, branch: Branch, files: set[str]) -> str:
        body: dict[str, JSON] = {"name": branch.name, "slipway_name": self._owner, **branch.about}
        body["files"] = sorted(files)
        body["left_out"] = dict(sorted(branch.left_out.items()))
        return _HEAD + pretty(body)

    def _read(self, path: Path) -> Index:
        try:
            bodies = load_all(path.read_text(encoding="utf-8"), str(path))
            body: JSON = bodies[0] if len(bodies) == 1 else None
            name, owner, files = body["name"], body["slipway_name"], body["files"]
        except (RenderError, UnicodeDecodeError, KeyError, TypeError) as exc:
            raise _unusable(path, str(exc)) from exc
        if not isinstance(files, list) or _index_path(name) != f"{INDEX}/{path.name}":
            raise _unusable(path, "it is not what Slipway writes")
        strange = [file for file in files if not _below(str(file), str(name))]
        if strange:
            raise _unusable(path, f"it names {strange[0]}")
        return Index(str(name), str(owner), frozenset(map(str, files)))

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeDecodeError) as exc:
            raise ActError("SLW-4711", f"{self._root} cannot be used: {exc}", "check slipway_rendered_dir") from exc


def _index_path(name: str) -> str:
    return f"{INDEX}/{name}.yaml"


def _below(path: str, name: str) -> bool:
    """Whether a path is one that this add-on may have: a list of files to delete is believed no further."""
    parts = PurePosixPath(path).parts
    folders = (OBJECTS,) if name == NAMESPACES_OF_RELEASES else (OBJECTS, HOOKS)
    return len(parts) > 2 and parts[0] in folders and parts[1] == name and ".." not in parts


def _unusable(path: Path, why: str) -> EngineError:
    return ActError("SLW-4713", f"{path} cannot be used: {why}", "restore it, or delete it with the files it names")
