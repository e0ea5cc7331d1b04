# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One control group for each host, in every hierarchy: a host takes its own for the root of the tree.

Without it all kubelets of the machine would share one tree, and each would delete the others' pods as orphans.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from lab.errors import LabError

MOUNTS = Path("/proc/self/mounts")


def hierarchies(mounts: str) -> list[Path]:
    """Mount points of all hierarchies, from the text of ``/proc/mounts``.

    :raises LabError: when the controllers are not those of version 1, the only one that this lab was made for.
    """
    fields = [line.split() for line in mounts.splitlines()]
    found = [Path(field[1]) for field in fields if field[2] in ("cgroup", "cgroup2")]
    if not any("memory" in field[3].split(",") for field in fields if field[2] == "cgroup"):
        raise LabError("the real lab needs a machine with control groups of version 1; this one has others")
    return found


def create(name: str) -> list[Path]:
    """Make the group in every hierarchy; return the files that take the processes which shall be in it."""
    files = []
    for hierarchy in hierarchies(MOUNTS.read_text()):
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        if hierarchy.name == "cpuset":
            # An empty set takes no process.
            for setting in ("cpuset.cpus", "cpuset.mems"):
                (group / setting).write_text((hierarchy / setting).read_text())
            (group / "cgroup.clone_children").write_text("1")
        if hierarchy.name == "memory":
            (group / "memory.use_hierarchy").write_text("1")
        files.append(group / "cgroup.procs")
    return files


def processes(name: str) -> set[int]:
    """All processes in the group or below it."""
    found: set[int] = set()
    for hierarchy in hierarchies(MOUNTS.read_text()):
        for file in (hierarchy / name).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found |= {int(line) for line in file.read_text().split()}
    return found


def remove(name: str, patience: float = 10.0) -> None:
    """Remove the group everywhere.

    :raises LabError: when something still lives in it after ``patience`` seconds.
    """
    deadline = time.monotonic() + patience
    for hierarchy in hierarchies(MOUNTS.read_text()):
        while (hierarchy / name).exists():
            with contextlib.suppress(OSError):
                _remove_tree(hierarchy / name)
                break
            if time.monotonic() > deadline:
                raise LabError(f"{hierarchy / name} is still in use")
            time.sleep(0.1)


def _remove_tree(group: Path) -> None:
    # Its files go with it, and cannot be removed by themselves.
    for folder, _folders, _files in os.walk(group, topdown=False):
        Path(folder).rmdir()
