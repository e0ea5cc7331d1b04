# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Charts that were fetched before: archives by digest, and which digest a name and version had."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import RenderError
from ..model import ChartSource
from .codes import DIGEST_MISMATCH, REPOSITORY_FAILED


@dataclass(frozen=True)
class Entry:
    """``digest`` is the archive's sha256; ``manifest`` is the OCI manifest's, empty for HTTP repositories."""

    digest: str
    manifest: str = ""


class ChartCache:
    """Lies outside the work tree; several runs may use it at once, because files appear whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._archives = folder / "charts" / "sha256"
        self._names = folder / "charts" / "names"

    def get(self, source: ChartSource) -> Path | None:
        """The archive, or None where it has to be fetched: also when another digest than before is pinned."""
        pinned = plain_digest(source.digest)
        if pinned and self._is_whole(pinned):
            return self._archive(pinned)
        try:
            entry = Entry(**json.loads(self._name(source).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            # absent, or cut short by a full disk: fetched anew either way
            return None
        usable = _is_pinned(source, entry) and self._is_whole(entry.digest)
        return self._archive(entry.digest) if usable else None

    def put(self, source: ChartSource, data: bytes, manifest: str = "") -> Path:
        """Keeps a fetched archive. Raises RenderError SLW-2022 where it is not the pinned one, SLW-2020."""
        entry = Entry(hashlib.sha256(data).hexdigest(), plain_digest(manifest))
        verify(source, entry)
        try:
            _write(self._archive(entry.digest), data)
            _write(self._name(source), json.dumps(vars(entry)).encode())
        except OSError as err:
            raise RenderError(
                REPOSITORY_FAILED, f"{self._archives}: cannot keep charts there: {err.strerror}"
            ) from None
        return self._archive(entry.digest)

    def _archive(self, digest: str) -> Path:
        return self._archives / f"{digest}.tgz"

    def _name(self, source: ChartSource) -> Path:
        text = "\0".join((source.repo.rstrip("/"), source.name, source.version))
        return self._names / f"{hashlib.sha256(text.encode()).hexdigest()}.json"

    def _is_whole(self, digest: str) -> bool:
        try:
            return hashlib.sha256(self._archive(digest).read_bytes()).hexdigest() == digest
        except OSError:
            return False


def verify(source: ChartSource, entry: Entry) -> None:
    """Raises RenderError SLW-2022 where the pinned digest is neither the archive's nor the OCI manifest's."""
    if not _is_pinned(source, entry):
        raise RenderError(
            DIGEST_MISMATCH,
            f"{source.name} {source.version} has digest sha256:{entry.manifest or entry.digest}, "
            f"pinned is sha256:{plain_digest(source.digest)}",
            "somebody published the version again: find out why before you pin the new digest",
        )


def _is_pinned(source: ChartSource, entry: Entry) -> bool:
    return not source.digest or plain_digest(source.digest) in (entry.digest, entry.manifest)


def plain_digest(digest: str) -> str:
    return digest.strip().removeprefix("sha256:").lower()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
