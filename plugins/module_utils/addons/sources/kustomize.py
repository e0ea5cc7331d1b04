# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Objects from a kustomization."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import RenderError
from ..model import KustomizeSource
from . import process, yaml
from .codes import KUSTOMIZE_FAILED, NO_SOURCE
from .manifests import Placed
from .objects import flatten

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LONGEST_PATH = 400
_NOISE = re.compile(r"^(?:# Warning: .*|W\d{4} .*)\n?", re.MULTILINE)
# Remote bases are fetched by git and HTTP with the user's own keys and proxies; a question would hang the run.
_USERS_OWN = ("HOME", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", *process.PROXY_VARIABLES)


def kustomize_objects(source: KustomizeSource, command: Sequence[str]) -> list[Placed]:
    """Runs ``command`` on the folder. Raises RenderError SLW-2001 to SLW-2004, SLW-2008, SLW-2009, SLW-2012."""
    kustomization_file(Path(source.path))
    env = process.clean_environment({"GIT_TERMINAL_PROMPT": "0"}, also=_USERS_OWN)
    try:
        text = process.run([*command, source.path], env)
    except process.ProgramError as err:
        message = _NOISE.sub("", err.text).strip().removeprefix("error: ").removeprefix("Error: ")
        raise RenderError(KUSTOMIZE_FAILED, f"{source.path}: {message}") from None
    documents = yaml.load_all(text, f"built from {source.path}")
    found = [(obj, source.path) for document in documents for obj in flatten(document, source.path)]
    if not found:
        raise RenderError(NO_SOURCE, f"{source.path}: the kustomization gives no object")
    return found


def kustomization_file(folder: Path) -> Path:
    """Raises RenderError SLW-2004."""
    for name in NAMES:
        if (folder / name).is_file():
            return folder / name
    raise RenderError(NO_SOURCE, f"{folder}: there is no kustomization.yaml in it")


def kustomize_identity(source: KustomizeSource) -> str:
    """A digest of the folder and of every local file and folder that its kustomizations reach, recursively.

    What lies on other machines is known by its address only.
    """
    top = Path(source.path)
    kustomization_file(top)
    digest = hashlib.sha256()
    try:
        for path in sorted(_reach(top)):
            name = os.path.relpath(path, top.resolve())
            data = path.read_bytes()
            digest.update(f"{len(name)}:{name}{len(data)}:".encode(errors="surrogateescape"))
            digest.update(data)
    except OSError as err:
        raise RenderError(NO_SOURCE, f"{err.filename}: {err.strerror}") from None
    except UnicodeDecodeError:
        raise RenderError(NO_SOURCE, f"{source.path}: a kustomization is no UTF-8 text") from None
    return f"kustomize:{digest.hexdigest()}"


def _reach(top: Path) -> set[Path]:
    """All files of ``top`` and of what lies outside and is referred to."""
    files: set[Path] = set()
    folders = [top.resolve()]
    done: set[Path] = set()
    while folders:
        folder = folders.pop()
        if folder in done:
            continue
        done.add(folder)
        inside = set(_files(folder))
        files |= inside
        for kustomization in (path for path in inside if path.name in NAMES):
            for path in _references(kustomization):
                if path.is_dir():
                    folders.append(path)
                else:
                    files.add(path)
    return files


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        yield from (Path(parent) / name for name in names if (Path(parent) / name).is_file())


def _references(kustomization: Path) -> Iterator[Path]:
    """Whatever string in a kustomization names something that exists: new fields need no list of theirs here."""
    for document in yaml.load_all(kustomization.read_text("utf-8-sig"), str(kustomization)):
        for text in _strings(document):
            # generators write name=path
            for part in (text, text.partition("=")[2]):
                if part and len(part) < _LONGEST_PATH and "\n" not in part and "://" not in part:
                    yield from _existing(kustomization.parent / part)


def _existing(path: Path) -> Iterator[Path]:
    try:
        if path.exists():
            yield path.resolve()
    except (OSError, ValueError):
        # too long or with a null byte: text, and no path
        return


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
