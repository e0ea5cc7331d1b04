# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is known about the hosts of a lab, and where it is written down."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.procs import Process

KINDS = ("trusted", "bare", "rogue", "foreign", "many", "dead", "silent")
KEY_TYPES = ("ed25519", "ecdsa", "rsa")
FILE = "hosts.json"
USER = "slipway"


@dataclass(frozen=True)
class Host:
    """One address to log in to.

    ``kind``: ``trusted`` (trusts the lab's user authority and has a host certificate), ``bare`` (knows the lab's static
    key only), ``rogue`` (as trusted, but nobody certified its host key), ``foreign`` (another authority did), ``many``
    (as trusted, one machine behind many addresses), ``dead`` (nobody listens at its address), ``silent`` (takes
    connections and says nothing). ``folder`` is the machine's: hosts of ``many`` share it.
    """

    name: str
    address: str
    port: int
    kind: str
    folder: str
    control_plane: bool = False
    user: str = USER

    @property
    def log(self) -> Path:
        """What its sshd says (level VERBOSE)."""
        return Path(self.folder) / "sshd.log"

    @property
    def control(self) -> Path:
        return Path(self.folder) / "run" / "lab" / "control"

    def shown(self) -> dict[str, object]:
        return dataclasses.asdict(self) | {"log": str(self.log)}


@dataclass
class Book:
    """All hosts of one lab, and the process that each machine hangs on, by the machine's folder."""

    hosts: dict[str, Host] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    def save(self, lab: Path) -> None:
        """Write the book in one step."""
        content = {
            "hosts": [dataclasses.asdict(host) for host in self.hosts.values()],
            "processes": {folder: dataclasses.asdict(process) for folder, process in self.processes.items()},
        }
        draft = lab / f"{FILE}.new"
        draft.write_text(json.dumps(content, indent=1) + "\n")
        draft.replace(lab / FILE)

    def alive(self, host: Host) -> bool:
        process = self.processes.get(host.folder)
        return process is not None and process.alive()


def load(lab: Path) -> Book:
    """Read the book of the lab in this folder; an empty one when there are no hosts."""
    try:
        raw: dict[str, Any] = json.loads((lab / FILE).read_text())
    except FileNotFoundError:
        return Book()
    hosts = {item["name"]: Host(**item) for item in raw["hosts"]}
    processes = {
        folder: Process(item["name"], item["pid"], item["started"], tuple(item["argv"]))
        for folder, item in raw["processes"].items()
    }
    return Book(hosts, processes)
