# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A worker that Kubespray has prepared becomes an image, and a copy of it a node: by a token, and without a login."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.paths import REPOSITORY
from lab.real import ground, machine, model, workload
from lab.real.model import Host, Run
from lab.real.parts import Parts
from lab.real.start import STARTED

# What two machines never have in common.
OF_ONE = frozenset({"machineID", "systemUUID", "bootID"})
PAUSE = 0.1


def prepare(run: Run, parts: Parts, source: str, host: Host) -> None:
    """A copy of the sealed host's file system as a machine that is off, and what the inventory says of it."""
    machine.stop(run, source, clean=False)
    machine.create(run, host, run.root(source))
    machine.destroy(run, source)
    inventory = run.folder / "inventory"
    (inventory / "host_vars").mkdir(exist_ok=True)
    own = {"slipway_node_source": "image", "slipway_image": str(images(run) / f"{source}.json")}
    (inventory / "host_vars" / f"{host.name}.yml").write_text(yaml.safe_dump(own))
    order = [sys.executable, "-m", "lab.real.start", str(run.folder), str(parts.base)]
    tasks = [
        {
            "name": "Start the machines",
            "ansible.builtin.command": {
                "argv": [*order, "{{ item.name }}", "{{ item.user_data_file }}"],
                "chdir": str(REPOSITORY),
            },
            "loop": "{{ slipway_batch }}",
            "changed_when": True,
        }
    ]
    (run.folder / "start.yml").write_text(yaml.safe_dump(tasks))
    (inventory / "group_vars" / "all" / "machines.yml").write_text(
        yaml.safe_dump({"slipway_node_start": str(run.folder / "start.yml")})
    )


def images(run: Run) -> Path:
    """Where manifests of images are kept."""
    return run.folder / "images"


class Watch(threading.Thread):
    """Sees when a node is Ready; ``seconds`` from the start of its machine to that."""

    def __init__(self, run: Run, name: str) -> None:
        super().__init__(daemon=True)
        self._run_of, self._name = run, name
        self._end = threading.Event()
        self._at = 0.0

    def run(self) -> None:
        while not self._end.wait(PAUSE):
            if self._name in workload.ready(self._run_of):
                self._at = time.time()
                return

    @property
    def seconds(self) -> float:
        """:raises LabError: when it never was."""
        self._end.set()
        if not self._at:
            raise LabError(f"{self._name} was not seen Ready")
        return self._at - (self._run_of.folder / STARTED.format(self._name)).stat().st_mtime


def adopt(run: Run) -> None:
    """Know the machines that another process has started."""
    written = model.load(run.folder)
    if written is not None:
        run.machines = written.machines


def looks(run: Run, name: str) -> dict[str, Any]:
    """What the API shows of a node, without what is its own."""
    node = json.loads(workload.kubectl(run, "get", "node", name, "-o", "json"))
    labels = {key: value for key, value in node["metadata"]["labels"].items() if value != name}
    info = {key: value for key, value in node["status"]["nodeInfo"].items() if key not in OF_ONE}
    return {
        "labels": labels,
        "annotations": sorted(node["metadata"]["annotations"]),
        "taints": node["spec"].get("taints", []),
        "spec": sorted(node["spec"]),
        "capacity": node["status"]["capacity"],
        "info": info,
        "addresses": sorted(one["type"] for one in node["status"]["addresses"]),
        "conditions": {one["type"]: one["status"] for one in node["status"]["conditions"]},
    }


def compare(run: Run, before: dict[str, Any], name: str) -> None:
    """:raises LabError: when the node differs from one that Kubespray has joined."""
    now = looks(run, name)
    for what, value in before.items():
        if now[what] != value:
            raise LabError(f"{name} differs from a node that scale has added: {what} is {now[what]}, not {value}")


def logins(run: Run, name: str) -> int:
    """Connections to its sshd since it was started."""
    log = run.root(name) / "var/log/sshd.log"
    return ground.connections(run, name) if log.exists() else 0
