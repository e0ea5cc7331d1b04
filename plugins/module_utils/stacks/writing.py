# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of a new cluster onto the disk: none is overwritten, and none is half written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..nodes.problem import NodesError, Problem


@dataclass
class Comparison:
    """Paths from the destination. ``missing`` would be written, ``same`` are there, ``kept`` are there with other
    content and stay as they are."""

    missing: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def compare(destination: Path, folder: str, own: Mapping[str, str], around: Mapping[str, str]) -> Comparison:
    """What is there of the inventory, ``own`` files below ``folder``, and of the project ``around`` it.

    Raises ``NodesError``: where the inventory's folder has anything else than exactly these files' content, and where
    something in the way is no folder.
    """
    found, problems = Comparison(), _in_the_way(destination, [*own, *around])
    if problems:
        raise NodesError(problems)
    for path, text in {**around, **own}.items():
        place = destination / path
        if not os.path.lexists(place):
            found.missing.append(path)
        elif _content(place) == text.encode():
            found.same.append(path)
        else:
            found.kept.append(path)
    _check_inventory(destination, folder, own, found)
    return found


def _check_inventory(destination: Path, folder: str, own: Mapping[str, str], found: Comparison) -> None:
    place = destination / folder
    if not os.path.lexists(place) or (place.is_dir() and not any(place.iterdir())):
        return
    differing = [path for path in found.kept if path in own]
    missing = [path for path in found.missing if path in own]
    if not differing and not missing:
        return
    said = f"{folder} is there already, and is not what would be written: "
    said += ", ".join([*(f"{path} differs" for path in differing), *(f"{path} is missing" for path in missing)])
    remedy = "nothing of it is overwritten: edit it there, or choose another slipway_name or slipway_destination"
    raise NodesError([Problem("SLW-8915", said, remedy)])


def write(destination: Path, folder: str, files: Mapping[str, str]) -> None:
    """Write the files, which must not be there. The inventory's ``folder`` comes whole and last.

    Raises ``NodesError`` SLW-8916, and has then taken back what it had put there.
    """
    placed: list[Path] = []
    try:
        made = _made(destination)
        placed += made
        with _aside(destination) as aside:
            for path, text in files.items():
                (aside / path).parent.mkdir(parents=True, exist_ok=True)
                (aside / path).write_text(text, encoding="utf-8")
            for path in files:
                if not path.startswith(f"{folder}/"):
                    placed += _made((destination / path).parent)
                    _move(aside / path, destination / path)
                    placed.append(destination / path)
            if (aside / folder).exists():
                placed += _made((destination / folder).parent)
                (aside / folder).rename(destination / folder)
    except OSError as exc:
        for place in reversed(placed):
            with suppress(OSError):
                _take_back(place)
        raise NodesError([_unwritable(Path(exc.filename or destination), exc.strerror or str(exc))]) from exc


def _take_back(place: Path) -> None:
    if place.is_dir():
        place.rmdir()
    else:
        place.unlink()


def _move(source: Path, target: Path) -> None:
    """Somebody else's file that has just come there stays."""
    if os.path.lexists(target):
        raise FileExistsError(17, "has just been made by somebody else", str(target))
    source.rename(target)


@contextmanager
def _aside(destination: Path) -> Iterator[Path]:
    """A folder on the same disk, gone in the end."""
    folder = Path(tempfile.mkdtemp(prefix=".slipway-new-", dir=destination))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path) -> list[Path]:
    """Make the folder with those above it; return the new ones, outermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _in_the_way(destination: Path, paths: list[str]) -> list[Problem]:
    above = {parent for path in paths for parent in (destination / path).parents}
    there = sorted(one for one in above if os.path.lexists(one) and not one.is_dir())
    return [_unwritable(one, "is no folder") for one in there]


def _content(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except IsADirectoryError:
        return b""
    except OSError as exc:
        raise NodesError([_unwritable(place, exc.strerror or str(exc))]) from exc


def _unwritable(place: Path, why: str) -> Problem:
    return Problem("SLW-8916", f"{place}: {why}", "name a folder that can be written to in slipway_destination")
