# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Names and addresses of the real lab's hosts. All of them exist in the lab's own network namespace only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab import state
from lab.binaries import KUBERNETES
from lab.procs import Process

BRIDGE = "br0"
GATEWAY = "10.99.0.1"
NETWORK = "10.99.0.{}"
MIRROR = f"{GATEWAY}:8080"
FIRST, LAST = 11, 40
STATE = "state.json"
WORKERS = 4
"""So many there ever are."""


@dataclass(frozen=True)
class Host:
    """A host by name; ``number`` is the last part of its address."""

    name: str
    number: int

    @property
    def address(self) -> str:
        return NETWORK.format(self.number)

    @property
    def pods(self) -> str:
        """Range of the addresses of its pods."""
        return pod_range(self.number)

    @property
    def control_plane(self) -> bool:
        return self.name.startswith("cp")


def pod_range(number: int) -> str:
    """The pods' addresses of the host with this number: a part of Kubespray's default range."""
    return f"10.233.{64 + number}.0/24"


def hosts(control_planes: int, workers: int) -> list[Host]:
    """``cp1`` … and ``w1`` …: a worker's address does not depend on how many there are."""
    planes = [Host(f"cp{index + 1}", FIRST + index) for index in range(control_planes)]
    return planes + [Host(f"w{index + 1}", FIRST + 9 + index) for index in range(workers)]


@dataclass
class Run:
    """What is written down of a running lab; ``settings`` are the machine's kernel settings from before it.

    ``kubernetes`` is the version that the inventory asks for.
    """

    folder: Path
    boot: str = field(default_factory=state.boot_id)
    kubernetes: str = KUBERNETES
    server: Process | None = None
    namespace: str = ""
    machines: dict[str, Process] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def current(self) -> bool:
        """Whether the processes are of this boot of the machine."""
        return self.boot == state.boot_id()

    def root(self, host: str) -> Path:
        """Root file system of a host."""
        return self.folder / "hosts" / host

    def save(self) -> None:
        written = asdict(self) | {"folder": str(self.folder)}
        draft = self.folder / f"{STATE}.new"
        draft.write_text(json.dumps(written, indent=1) + "\n")
        draft.replace(self.folder / STATE)


def load(folder: Path) -> Run | None:
    """The run that left its state in ``folder``; None when there is none."""
    try:
        raw = json.loads((folder / STATE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    server = None if raw["server"] is None else _process(raw["server"])
    machines = {name: _process(item) for name, item in raw["machines"].items()}
    return Run(folder, raw["boot"], raw["kubernetes"], server, raw["namespace"], machines, raw["settings"])


def _process(item: dict[str, object]) -> Process:
    return Process(str(item["name"]), int(str(item["pid"])), int(str(item["started"])), tuple(item["argv"]))  # type: ignore[arg-type] # as it was written
