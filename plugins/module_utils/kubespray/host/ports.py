# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Ports that somebody listens on, and who does. Runs on hosts: the standard library of Python 3.8."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from .system import read

_LISTENS = "0A"
_TABLES = ("proc/net/tcp", "proc/net/tcp6")
_ROOT = Path("/")


def taken(wanted: list[int], root: Path = _ROOT) -> list[dict[str, Any]]:
    """Those of ``wanted`` that are listened on: ``port`` and ``by``, the process's name where it can be seen."""
    sockets: dict[int, str] = {}
    for table in _TABLES:
        for line in read(root / table).splitlines()[1:]:
            words = line.split()
            port = int(words[1].rpartition(":")[2], 16)
            if words[3] == _LISTENS and port in wanted:
                sockets.setdefault(port, words[9])
    names = _names(set(sockets.values()), root)
    return [{"port": port, "by": names.get(sockets[port], "")} for port in sorted(sockets)]


def _names(inodes: set[str], root: Path) -> dict[str, str]:
    """Inode of a socket to the name of a process that holds it."""
    found: dict[str, str] = {}
    try:
        processes = [path for path in (root / "proc").iterdir() if path.name.isdigit()] if inodes else []
    except OSError:
        return found
    for process in processes:
        for link in _links(process / "fd"):
            if link.startswith("socket:[") and link[8:-1] in inodes:
                found[link[8:-1]] = read(process / "comm").strip()
    return found


def _links(folder: Path) -> list[str]:
    """Files that a process has open. Those that it closes meanwhile are passed over; so is a process that ends."""
    found: list[str] = []
    try:
        paths = list(folder.iterdir())
    except OSError:
        return found
    for path in paths:
        with suppress(OSError):
            found.append(os.readlink(path))  # noqa: PTH115 - Path.readlink came with Python 3.9
    return found
