# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The sshd that the lab's hosts run: the machine's own, or the distribution's packages unpacked into the cache."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import cache, debs
from lab.cache import Say, Unit
from lab.errors import LabError

PLACES = "/usr/sbin:/sbin:/usr/local/sbin"
SFTP = tuple(f"/usr/{place}/sftp-server" for place in ("lib/openssh", "libexec/openssh", "lib/ssh", "libexec"))
# rsync has to be on both ends of a connection.
PACKAGES = ("openssh-server", "openssh-sftp-server", "rsync")
# Where a host sees the unpacked packages.
TREE = "/opt/lab/tree"
ADVICE = "install it (on Debian: apt install openssh-server) and start again"


@dataclass(frozen=True)
class Sshd:
    """Paths as a host sees them. ``tree`` is the folder on the machine that appears as ``TREE``; None: nothing does."""

    program: str
    sftp: str
    libraries: str
    version: tuple[int, int]
    tree: Path | None

    @property
    def where(self) -> str:
        """Where the program is on the machine."""
        return self.program if self.tree is None else self.program.replace(TREE, str(self.tree), 1)


def find(say: Say) -> Sshd:
    """Return the machine's sshd, or fetch one.

    :raises LabError: when neither is to be had.
    """
    program = shutil.which("sshd", path=PLACES)
    sftp = next(filter(os.path.exists, SFTP), None)
    if program and sftp:
        return Sshd(program, sftp, "", _version(program, ""), None)
    tree = cache.ensure(cache.cache_root(), _unit(), _fetch, say)
    libraries = ":".join(f"{{}}/{place}" for place in _library_folders(tree))
    version = _version(str(tree / "usr/sbin/sshd"), libraries.replace("{}", str(tree)))
    inside = libraries.replace("{}", TREE)
    return Sshd(f"{TREE}/usr/sbin/sshd", f"{TREE}/usr/lib/openssh/sftp-server", inside, version, tree)


def _unit() -> Unit:
    release = platform.freedesktop_os_release()
    system = f"{release['ID']}-{release.get('VERSION_ID', 'rolling')}"
    # The archive decides which version there is; another distribution has other libraries.
    pinned = hashlib.sha256(" ".join((system, *PACKAGES)).encode()).hexdigest()
    return Unit("openssh", system, pinned, ("usr/sbin/sshd", "usr/lib/openssh/sftp-server"), 15)


def _fetch(target: Path) -> None:
    try:
        debs.unpack(PACKAGES, target)
    except LabError as error:
        raise LabError(f"this machine has no sshd, and its package could not be fetched: {ADVICE}\n{error}") from error


def _library_folders(tree: Path) -> list[str]:
    found = {str(path.parent.relative_to(tree)) for path in tree.rglob("lib*.so.*")}
    return sorted(folder for folder in found if folder.count("/") <= 2)


def _version(program: str, libraries: str) -> tuple[int, int]:
    # An option that old versions do not know makes them print their version too.
    done = subprocess.run(
        [program, "-V"], capture_output=True, text=True, check=False, env={"LD_LIBRARY_PATH": libraries}
    )
    match = re.search(r"OpenSSH_(\d+)\.(\d+)", done.stderr)
    if match is None:
        raise LabError(f"{program} does not start: {ADVICE}\n{done.stderr.strip()}")
    return int(match[1]), int(match[2])
