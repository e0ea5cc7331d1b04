# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is written down about a lab: its processes, ports and secrets."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from lab.procs import Process

STATE = "state.json"


@dataclass
class State:
    """A lab as the state file knows it. ``complete`` is set once everything in it worked."""

    name: str
    boot: str
    ports: dict[str, int]
    secrets: dict[str, str]
    programs: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    complete: bool = False
    empty: bool = False
    """Made without a cluster: hosts' kubeadm starts and ends it."""

    def save(self, folder: Path) -> None:
        """Write the file in one step: a reader sees the old or the new state."""
        draft = folder / f"{STATE}.new"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        draft.replace(folder / STATE)

    def running(self) -> bool:
        """Tell whether the start was finished and every process of it still lives."""
        return self.complete and self.boot == boot_id() and all(process.alive() for process in self.processes.values())


def load(folder: Path) -> State | None:
    """Read the state of the lab in ``folder``; None when there is none or a crash left it unreadable."""
    try:
        raw = json.loads((folder / STATE).read_text())
        raw["processes"] = {
            name: Process(item["name"], item["pid"], item["started"], tuple(item["argv"]))
            for name, item in raw["processes"].items()
        }
        return State(**raw)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def boot_id() -> str:
    """Identity of the running kernel: pids and start times of an earlier boot mean nothing."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
