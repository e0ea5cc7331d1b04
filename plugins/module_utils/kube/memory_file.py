# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bytes under a path, for libraries and programs that read from files only: in memory, and gone with the last who has
them open."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_MEMORY = "/dev/shm"  # noqa: S108 - never a disk; the name is random and the mode 0600


def memory_fd(content: bytes = b"") -> int:
    """A file descriptor for ``content``; below ``/proc/self/fd`` it is a path, also in a process that inherits it.
    Raises ``OSError`` where there is no memory to put it in."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("slipway")
        # Nobody is to take it for a program.
        os.fchmod(fd, 0o600)
    else:
        # A Python that was built for an old C library.
        fd, path = tempfile.mkstemp(dir=_MEMORY)
        os.unlink(path)  # noqa: PTH108 - as it was opened
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(content)
    except OSError:
        os.close(fd)
        raise
    return fd


def path_of(fd: int) -> str:
    """Opened anew, it reads from its beginning."""
    return f"/proc/self/fd/{fd}"


@contextmanager
def memory_file(content: bytes) -> Iterator[str]:
    """A path that reads as ``content`` in this process. Raises ``OSError`` where there is no memory to put it in."""
    fd = memory_fd(content)
    try:
        yield path_of(fd)
    finally:
        os.close(fd)
