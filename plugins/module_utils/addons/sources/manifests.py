# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Objects from files and folders of YAML, and objects written in the manifest itself."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import RenderError
from ..model import ManifestsSource, ObjectsSource
from . import yaml
from .codes import BAD_OBJECT, NO_SOURCE
from .objects import flatten

_SUFFIXES = (".yaml", ".yml", ".json")

Placed = tuple[dict[str, Any], str]
"""An object and where it stands."""


def manifest_objects(source: ManifestsSource) -> list[Placed]:
    """Raises RenderError SLW-2001 to SLW-2004."""
    found: list[Placed] = []
    for path in manifest_files(source):
        text = _text(path)
        for number, document in enumerate(yaml.load_all(text, str(path)), 1):
            place = f"{path}: document {number}" if number > 1 else str(path)
            found += [(obj, place) for obj in flatten(document, place)]
    if not found:
        raise RenderError(NO_SOURCE, f"{', '.join(source.paths)}: there is no object in it")
    return found


def manifest_files(source: ManifestsSource) -> list[Path]:
    """The files in the order in which they are read: as listed, folders sorted by path. Raises RenderError SLW-2004."""
    files: list[Path] = []
    for path in map(Path, source.paths):
        if path.is_dir():
            files += sorted(_folder(path))
        elif path.is_file():
            files.append(path)
        else:
            raise RenderError(NO_SOURCE, f"{path}: there is no such file or folder")
    return files


def manifests_identity(source: ManifestsSource) -> str:
    """A digest of the files' names and bytes, wherever the folder lies."""
    digest = hashlib.sha256()
    roots = [Path(path) for path in source.paths]
    for path in manifest_files(source):
        root = next(root for root in roots if path.is_relative_to(root))
        name = str(path.relative_to(root.parent))
        try:
            data = path.read_bytes()
        except OSError as err:
            raise RenderError(NO_SOURCE, f"{path}: {err.strerror}") from None
        digest.update(f"{len(name)}:{name}{len(data)}:".encode(errors="surrogateescape"))
        digest.update(data)
    return f"manifests:{digest.hexdigest()}"


def inline_objects(source: ObjectsSource) -> list[Placed]:
    """Raises RenderError SLW-2002, SLW-2004."""
    found: list[Placed] = []
    for number, document in enumerate(source.objects):
        place = f"objects[{number}]"
        found += [(obj, place) for obj in flatten(_plain(document, place), place)]
    if not found:
        raise RenderError(NO_SOURCE, "objects: the list is empty")
    return found


def objects_identity(source: ObjectsSource) -> str:
    canonical = json.dumps(_plain(source.objects, "objects"), sort_keys=True, separators=(",", ":"))
    return f"objects:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _plain(value: Any, place: str) -> Any:
    """A copy that is nothing but JSON: Ansible's strings and numbers may carry tags. Raises RenderError SLW-2002."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as err:
        raise RenderError(BAD_OBJECT, f"{place}: it is no JSON: {err}") from None


def _folder(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(folder) / name


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as err:
        raise RenderError(NO_SOURCE, f"{path}: {err.strerror}") from None
    except UnicodeDecodeError:
        raise RenderError(NO_SOURCE, f"{path} is no UTF-8 text") from None
