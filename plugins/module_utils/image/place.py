# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A root file system that is to become an image, and the programs in it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Optional

from .errors import ImageError, Problem
from .tree import mounts


class Place:
    """``root`` is where the file system begins. Paths are given and returned as its own programs see them."""

    def __init__(self, root: str = "/") -> None:
        self.root = Path(root).resolve()
        self.base = str(self.root).rstrip("/")

    @property
    def live(self) -> bool:
        """Whether this is the machine that we run on."""
        return not self.base

    def real(self, path: str) -> Path:
        return Path(self.base + path)

    def exists(self, path: str) -> bool:
        return os.path.lexists(self.real(path))

    def is_file(self, path: str) -> bool:
        """A regular one, and no link to one."""
        try:
            return stat.S_ISREG(self.real(path).lstat().st_mode)
        except OSError:
            return False

    def read(self, path: str) -> bytes:
        """Raises ``ImageError`` SLW-8759."""
        try:
            return self.real(path).read_bytes()
        except OSError as exc:
            raise _unusable(path, exc) from exc

    def text(self, path: str) -> str:
        """Empty where there is no such file. Bytes that are no UTF-8 survive a way back. Raises ``ImageError``."""
        return self.read(path).decode("utf-8", "surrogateescape") if self.is_file(path) else ""

    def children(self, folder: str) -> Iterator[str]:
        """What is directly in it, in order; nothing where it is no folder."""
        try:
            names = sorted(entry.name for entry in self.real(folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return
        yield from (f"{folder}/{name}" for name in names)

    def below(self, folder: str) -> Iterator[str]:
        """The regular files in it at any depth."""
        for path in self.children(folder):
            if self.is_file(path):
                yield path
            elif self._is_folder(path):
                yield from self.below(path)

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Whole or not at all. Raises ``ImageError`` SLW-8759."""
        real = self.real(path)
        new = Path(f"{real}.slipway")
        try:
            real.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, mode)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            new.replace(real)
        except OSError as exc:
            raise _unusable(path, exc) from exc

    def link(self, path: str, target: str) -> None:
        """Raises ``ImageError`` SLW-8759."""
        try:
            self.real(path).parent.mkdir(parents=True, exist_ok=True)
            self.real(path).symlink_to(target)
        except OSError as exc:
            raise _unusable(path, exc) from exc

    def remove(self, path: str) -> None:
        """A file, a link, or a folder with all in it, as long as nothing is mounted there. Raises ``ImageError``."""
        inside = self.mounted(path)
        if inside:
            raise mounted_problem(inside)
        try:
            if self._is_folder(path):
                shutil.rmtree(self.real(path))
            else:
                self.real(path).unlink()
        except FileNotFoundError:
            return
        except OSError as exc:
            raise _unusable(path, exc) from exc

    def mounted(self, path: str) -> list[str]:
        """Mount points at or below it, the deepest first."""
        real = str(self.real(path))
        found = [point for point in mounts() if point == real or point.startswith(f"{real}/")]
        return sorted((point[len(self.base) :] for point in found), key=len, reverse=True)

    def _is_folder(self, path: str) -> bool:
        return self.real(path).is_dir() and not self.real(path).is_symlink()


class Programs:
    """Programs of the host. In a file system that is not running nothing is started or stopped, and what tells a
    version is run in a change root."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def do(self, *command: str) -> None:
        """Raises ``ImageError`` SLW-8757 where it fails. Does nothing in a file system that is not running."""
        if self._place.live:
            self._run(command)

    def ask(self, *command: str) -> str:
        """What it prints. Raises ``ImageError`` SLW-8757."""
        return self._run(command if self._place.live else ("chroot", self._place.base, *command))

    def ask_running(self, *command: str) -> str:
        """What it prints, or nothing in a file system that is not running. Raises ``ImageError`` SLW-8757."""
        return self._run(command) if self._place.live else ""

    def _run(self, command: Sequence[str]) -> str:
        said: Optional[str] = None
        try:
            done = subprocess.run(
                list(command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**os.environ, "LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"},
                timeout=300,
                check=False,
            )
            if done.returncode == 0:
                return done.stdout.decode("utf-8", "replace")
            said = done.stderr.decode("utf-8", "replace").strip() or f"exit status {done.returncode}"
        except (OSError, subprocess.TimeoutExpired) as exc:
            said = str(exc)
        raise ImageError(Problem("SLW-8757", f"{' '.join(command)}: {said[-500:]}", "see to it, and run again"))


def mounted_problem(points: Sequence[str]) -> ImageError:
    return ImageError(
        Problem("SLW-8756", f"mounted here: {', '.join(points)}", "unmount it: what is in it is not to be removed")
    )


def _unusable(path: str, exc: OSError) -> ImageError:
    return ImageError(Problem("SLW-8759", f"{path}: {exc.strerror or exc}", "sealing needs root and a writable disk"))
