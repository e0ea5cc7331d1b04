# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where a lab keeps its files, and who may work on them at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from lab.errors import LabError

SOURCE = Path(__file__).resolve().parent
REPOSITORY = SOURCE.parent


def base_dir() -> Path:
    """Folder that holds all labs of this user."""
    own = os.environ.get("SLIPWAY_LAB_STATE")
    if own:
        return Path(own).absolute()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "slipway-lab"
    return Path(f"/tmp/slipway-lab-{os.getuid()}")


def lab_dir(name: str) -> Path:
    """Folder of one lab.

    :raises LabError: when the name could leave the base folder or break a file name.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
        raise LabError(f"{name!r} is no lab name: lower-case letters, digits and '-', at most 31 characters")
    return base_dir() / name


def make_private(path: Path) -> None:
    """Create the folder for this user only; refuse one that somebody else prepared in a shared place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    if path.is_symlink() or not path.is_dir() or path.stat().st_uid != os.getuid():
        raise LabError(f"{path} is not a folder of this user; set SLIPWAY_LAB_STATE to another place")


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, at no time anybody else."""
    path.touch(mode=0o600)
    path.write_text(text)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the folder, created when absent, against other commands.

    The lock sits on the folder itself, so that nothing is left when the folder goes.
    """
    while True:
        for folder in (base_dir(), path):
            make_private(folder)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            # A command that was faster may have removed this folder while we waited for it.
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                yield
                return
        finally:
            os.close(handle)
