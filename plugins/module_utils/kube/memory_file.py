# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bytes under a path, for libraries that read keys from files only: in memory, and gone with the block."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_MEMORY = "/dev/shm"  # noqa: S108 - never a disk; the name is random and the mode 0600


@contextmanager
def memory_file(content: bytes) -> Iterator[str]:
    """A path that reads as ``content``. Raises ``OSError`` where there is no memory to put it in."""
    if hasattr(os, "memfd_create"):
        fd, path = os.memfd_create("slipway"), ""
    else:
        # A Python that was built for an old C library.
        fd, path = tempfile.mkstemp(dir=_MEMORY)
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(content)
        os.lseek(fd, 0, os.SEEK_SET)
        yield path or f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)
        if path:
            os.unlink(path)  # noqa: PTH108 - as it was opened
