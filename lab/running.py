# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Starting what runs in a lab, and waiting for it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from lab import paths, procs
from lab.errors import LabError
from lab.state import State

PATIENCE = 60.0


def spawn(current: State, folder: Path, name: str, argv: list[str]) -> None:
    """Start a process of the lab and write it down."""
    # Nothing else of the caller's environment: a proxy setting would send calls off the machine.
    environment = {"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": str(paths.REPOSITORY)}
    log = folder / "logs" / f"{name}.log"
    current.processes[name] = procs.spawn(name, argv, log, folder, environment)
    current.save(folder)


def wait(current: State, folder: Path, what: str, condition: Callable[[], bool]) -> None:
    """Wait until the condition holds.

    :raises LabError: when a process of the lab ends meanwhile, or it takes longer than a minute.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        for process in current.processes.values():
            if not process.alive():
                log = folder / "logs" / f"{process.name}.log"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                raise LabError(f"{process.name} ended while waiting for {what}; the end of {log}:\n{tail}")
        if time.monotonic() > deadline:
            raise LabError(f"{what} not there after {PATIENCE:.0f} s; see {folder / 'logs'}")
        time.sleep(0.03)


def listens(port: int) -> bool:
    """Tell whether somebody takes connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
