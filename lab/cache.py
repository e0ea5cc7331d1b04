# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A cache of built programs: made once, checked at every use, never half written."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

RECORD = "record.json"

Say = Callable[[str], None]
Build = Callable[[Path], None]


@dataclass(frozen=True)
class Unit:
    """Programs that are made together, and what decides that they must be made again.

    ``fingerprint`` is a hexadecimal digest of everything that pins the content; ``expected_seconds`` is the time
    on two free cores with nothing downloaded yet.
    """

    name: str
    version: str
    fingerprint: str
    programs: tuple[str, ...]
    expected_seconds: int

    @property
    def key(self) -> str:
        return f"{self.name}-{self.version}-{self.fingerprint[:12]}"


def cache_root() -> Path:
    """Folder of the cache; outside the work tree so that a fresh clone finds it."""
    own = os.environ.get("SLIPWAY_LAB_CACHE")
    if own:
        return Path(own).absolute()
    shared = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(shared).absolute() / "slipway-lab"


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def ensure(root: Path, unit: Unit, build: Build, say: Say) -> Path:
    """Return the folder that holds the unit's programs, building them when they are absent or were altered.

    :raises LabError: when the builder leaves a program out; whatever the builder raises passes through.
    """
    folder = root / unit.key
    if intact(folder, unit.programs):
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with _locked(
        root / f"{unit.key}.lock", lambda: say(f"{unit.name} {unit.version}: another process is at it, waiting")
    ):
        if intact(folder, unit.programs):
            return folder
        for stale in root.glob(f".{unit.key}.*"):
            shutil.rmtree(stale)
        if folder.exists():
            say(f"{unit.name} {unit.version}: the cached copy was altered, making it again")
            shutil.rmtree(folder)
        say(f"{unit.name} {unit.version}: started, about {unit.expected_seconds} s")
        began = time.monotonic()
        scratch = Path(tempfile.mkdtemp(prefix=f".{unit.key}.", dir=root))
        try:
            build(scratch)
            _write_record(scratch, unit.programs)
            scratch.chmod(0o755)
            scratch.rename(folder)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        say(f"{unit.name} {unit.version}: ready after {time.monotonic() - began:.0f} s")
    return folder


def intact(folder: Path, programs: tuple[str, ...]) -> bool:
    """Tell whether all programs are there with the recorded content.

    Size and time of change decide; only when they differ is the file read. A hash of every program at every start
    would cost seconds for half a gigabyte.
    """
    try:
        record = json.loads((folder / RECORD).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    for program in programs:
        path = folder / program
        noted = record.get(program)
        if noted is None or not path.is_file():
            return False
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (noted["size"], noted["mtime_ns"]):
            continue
        if sha256_of(path) != noted["sha256"]:
            return False
    return True


def _write_record(folder: Path, programs: tuple[str, ...]) -> None:
    record = {}
    for program in programs:
        path = folder / program
        if not path.is_file():
            raise LabError(f"the build left out {program}")
        path.chmod(path.stat().st_mode | 0o755)
        stat = path.stat()
        record[program] = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256_of(path)}
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n")


@contextlib.contextmanager
def _locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
