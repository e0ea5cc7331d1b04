# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Looks for private keys while a run is going on: in its folders, and in every file that its processes have open."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

MARK = "SLIPWAY_LAB_SCAN"
"""Environment variable by which processes of a run are known, with the value that the scan was made with."""

_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=:,\- \n]{40}|openssh-key-v1\x00")
_LONGEST = 4 * 2**20
_PAUSE = 0.2


class KeyScan:
    """A context: it looks again and again until it is left. ``found`` says where a private key was seen.

    ``patterns``: folders that a run makes itself, as a parent and a pattern of names.
    """

    def __init__(self, mark: str, folders: Iterable[Path], patterns: Iterable[tuple[Path, str]] = ()) -> None:
        self._mark = f"{MARK}={mark}".encode()
        self._folders = list(folders)
        self._patterns = list(patterns)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self.looks = 0
        self.files: set[str] = set()
        self.processes: set[int] = set()
        self.closed: set[int] = set()
        """Processes that nobody may look into, not even their own user: the session's agent is one."""
        self.found: set[str] = set()

    def __enter__(self) -> KeyScan:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end.set()
        self._thread.join()
        self.look()

    def look(self) -> None:
        """One look at everything."""
        self.looks += 1
        for name, path in self._all():
            self.files.add(name)
            if _holds_key(path):
                self.found.add(name)

    def _go_on(self) -> None:
        while not self._end.wait(_PAUSE):
            self.look()

    def _all(self) -> Iterator[tuple[str, Path]]:
        made = [folder for parent, pattern in self._patterns for folder in parent.glob(pattern)]
        for folder in (*self._folders, *made):
            for parent, _folders, names in os.walk(folder):
                for name in names:
                    path = Path(parent, name)
                    yield str(path), path
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and self._of_run(process):
                yield from self._open_files(process)

    def _of_run(self, process: Path) -> bool:
        try:
            ours = self._mark in (process / "environ").read_bytes().split(b"\0")
        except PermissionError:
            self.closed.add(int(process.name))
            return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        if ours:
            self.processes.add(int(process.name))
        return ours

    def _open_files(self, process: Path) -> Iterator[tuple[str, Path]]:
        try:
            entries = list((process / "fd").iterdir())
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            return
        for entry in entries:
            try:
                yield str(entry.readlink()), entry
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue


def _holds_key(path: Path) -> bool:
    """Only regular files: a look at a pipe or a socket would take away what is in it."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return _KEY.search(file.read(_LONGEST)) is not None
    except OSError:
        return False
