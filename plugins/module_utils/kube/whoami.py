# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a run is called in a lock: what the other side needs to find it, on a machine or in AWX."""

from __future__ import annotations

import getpass
import os
import socket


def identity(pid: int, mark: str) -> str:
    """``user@host pid 4711 #1a2b3c``; of a job of AWX, whose container is gone when somebody looks, ``AWX job 42,
    user@host pid 22 #1a2b3c``. ``mark`` tells two runs apart that are alike in all else."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        # Containers often run as a number that has no name.
        user = str(os.getuid())
    return f"{_job()}{user}@{socket.gethostname()} pid {pid} #{mark}"


def _job() -> str:
    # Others have a JOB_ID too.
    number = os.environ.get("JOB_ID", "") if "AWX_ISOLATED_DATA_DIR" in os.environ else ""
    return f"AWX job {number}, " if number.isdigit() else ""
