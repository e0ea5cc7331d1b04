# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Taking static keys away, and giving them back: whole files are kept in a folder that only root may read."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .errors import TrustError
from .sshd import run
from .static_keys import StaticKey, parse_line
from .transaction import replace

_SCRIPT = "restore.sh"


def remaining(text: str, fingerprints: Collection[str]) -> str:
    """A file's text without the lines of these keys; all other lines stay as they are."""
    kept = []
    for line in text.splitlines(keepends=True):
        try:
            parsed = parse_line(line)
        except TrustError:
            parsed = None
        if parsed is None or parsed[0].fingerprint not in fingerprints:
            kept.append(line)
    return "".join(kept)


def remove(keys: Sequence[StaticKey], backups: str) -> str:
    """Takes the lines of ``keys`` out of their files, and returns the command that puts everything back.

    Raises ``TrustError`` SLW-7345, with everything put back.
    """
    folder = Path(backups) / time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())
    Path(backups).mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    paths = sorted({key.path for key in keys})
    steps = []
    for number, path in enumerate(paths):
        shutil.copy2(path, folder / str(number))
        owner = Path(path).stat()
        os.chown(folder / str(number), owner.st_uid, owner.st_gid)
        there = shlex.quote(path)
        steps.append(f"rm -f {there}; cp -p {shlex.quote(str(folder / str(number)))} {there}")
    script = folder / _SCRIPT
    script.write_text(
        "".join(f"{line}\n" for line in ("#!/bin/sh", "# Puts removed static keys back.", "set -e", *steps))
    )
    command = f"sh {shlex.quote(str(script))}"
    try:
        for path in paths:
            _rewrite(Path(path), {key.fingerprint for key in keys if key.path == path})
    except OSError as exc:
        give_back(command)
        raise TrustError("SLW-7345", f"static keys cannot be removed: {exc}", "all of them are back in place") from exc
    return command


def give_back(command: str) -> None:
    """Runs the command that ``remove`` returned. Raises ``TrustError`` SLW-7345."""
    status, out, err = run(["/bin/sh", "-c", command])
    if status:
        raise TrustError(
            "SLW-7345", f"static keys could not be put back: {(err or out).strip()}", f"as root: {command}"
        )


def _rewrite(path: Path, fingerprints: Collection[str]) -> None:
    with _as_owner(path.parent):
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        rest = remaining(text, fingerprints)
        if rest.strip():
            replace(path, rest.encode("utf-8", "surrogateescape"), mode=0o600)
        else:
            path.unlink()


@contextmanager
def _as_owner(folder: Path) -> Iterator[None]:
    """With the rights of who owns the folder: a link that a user puts there leads root nowhere."""
    owner = folder.stat()
    mine = os.geteuid(), os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(mine[0])
        os.setegid(mine[1])
