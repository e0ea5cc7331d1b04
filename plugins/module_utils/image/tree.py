# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The regular files of a root file system: that of this machine, of a mounted image, or of a folder that holds one.

No link is followed, so nothing outside of the root is ever read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

PSEUDO = ("/proc", "/sys", "/dev", "/run")
"""Made by the kernel, or empty again at each start: an image has nothing in them."""
STORES = (
    "/var/lib/containerd/io.containerd.content.v1.content",
    "/var/lib/containerd/io.containerd.metadata.v1.bolt",
    "/var/lib/containerd/io.containerd.snapshotter.v1.*",
    "/var/lib/containers/storage/overlay",
    "/var/lib/containers/storage/overlay-images",
    "/var/lib/containers/storage/overlay-layers",
    "/var/lib/docker/overlay2",
    "/var/lib/docker/image",
)
"""Images of containers as they were pulled: what is in them is known to whoever may pull them, and it is a lot."""
_ON_DISK = frozenset({
    "bcachefs", "btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "squashfs", "vfat", "xfs",
    "zfs",
})  # fmt: skip

_HEAD = 4096


class File(NamedTuple):
    """``path`` begins at the root, ``real`` is where it can be opened from here."""

    path: str
    real: str
    size: int


def files(root: str, skipped: Callable[[str], bool]) -> Iterator[File]:
    """Every regular file that can belong to an image. ``skipped`` says of a folder that it is left out."""
    base = os.path.realpath(root).rstrip("/")
    elsewhere = {point for point, kind in mounts().items() if kind not in _ON_DISK}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(base + folder + "/"), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if path not in PSEUDO and base + path not in elsewhere and not skipped(path):
                    waiting.append(path)
            elif entry.is_file(follow_symlinks=False):
                try:
                    size = entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:
                    continue
                yield File(path, base + path, size)


def read(real: str, size: int, enough: Callable[[bytes], bool] = lambda head: False) -> bytes:
    """The first ``size`` bytes of a regular file, and of nothing that has taken its place; its first 4096 alone where
    those are ``enough``. May raise ``OSError``."""
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        head = file.read(_HEAD)
        return head if len(head) < _HEAD or enough(head) else head + file.read(size - _HEAD)


def mounts() -> dict[str, str]:
    """What is mounted on this machine: mount point to type of file system."""
    found = {}
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            for line in file:
                before, _dash, after = line.partition(" - ")
                point = before.split()[4]
                found[_unescaped(point)] = after.split()[0]
    except FileNotFoundError:
        return {}
    return found


def _unescaped(point: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point
