# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Programs of the base root file system, started on the machine itself with their own libraries."""

from __future__ import annotations

from pathlib import Path

LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = f"{LIBRARIES}/ld-linux-x86-64.so.2"


def command(base: Path, program: str) -> list[str]:
    """Beginning of a command line; ``program`` is a path in ``base``. The machine needs none of its libraries."""
    folders = ":".join(str(base / folder) for folder in (LIBRARIES, f"{LIBRARIES}/systemd"))
    return [str(base / LOADER), "--library-path", folders, str(base / program)]
