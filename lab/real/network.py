# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's own network: a namespace that lives as long as the mirror's process, with a bridge and no way out."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lab import procs
from lab.errors import LabError
from lab.paths import REPOSITORY
from lab.procs import Process
from lab.real import tools
from lab.real.model import BRIDGE, FIRST, GATEWAY, LAST, NETWORK, pod_range

PATIENCE = 20.0


def start(folder: Path, mirror: Path, base: Path) -> Process:
    """Start the mirror in a new namespace, with the bridge; nothing is left of either once the process has ended."""
    command = ["unshare", "--net", sys.executable, "-m", "lab.real.serve", str(mirror)]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(REPOSITORY)}
    server = procs.spawn("mirror", command, folder / "mirror.log", folder, environment)
    deadline = time.monotonic() + PATIENCE
    while identity(server.pid) in ("", identity(None)):
        if not server.alive() or time.monotonic() > deadline:
            raise LabError(f"no network namespace could be made: {(folder / 'mirror.log').read_text().strip()}")
        time.sleep(0.02)
    for line in [
        "link set lo up",
        f"link add {BRIDGE} type bridge",
        f"addr add {GATEWAY}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
        *(f"route add {pod_range(number)} via {NETWORK.format(number)}" for number in range(FIRST, LAST)),
    ]:
        run([*enter(server), *tools.command(base, "usr/sbin/ip"), *line.split()])
    return server


def enter(server: Process) -> list[str]:
    """Beginning of a command line that runs in the namespace.

    :raises LabError: when it is gone.
    """
    if not server.alive():
        raise LabError("the lab's network is gone: its mirror has ended")
    return ["nsenter", f"--net=/proc/{server.pid}/ns/net", "--"]


def members(namespace: str) -> list[Process]:
    """All processes in the namespace, also those that hide their environment, as ssh does that keeps a connection."""
    if namespace in ("", identity(None)):
        return []
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = (procs.find(pid) for pid in pids if identity(pid) == namespace)
    return [process for process in found if process is not None]


def run(command: list[str]) -> str:
    """Output of a command.

    :raises LabError: when it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


def identity(pid: int | None) -> str:
    """Which namespace the process is in, this one for None; empty when it is gone."""
    try:
        return str(Path(f"/proc/{pid or 'self'}/ns/net").readlink())
    except OSError:
        return ""
