# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A host made into an image, with programs that tell versions and note what they are asked to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.image import sealing
from ansible_collections.slipway.cluster.plugins.module_utils.image.manifest import About
from ansible_collections.slipway.cluster.plugins.module_utils.image.place import Place, Programs
from ansible_collections.slipway.cluster.plugins.module_utils.image.suitable import Layout
from tests.unit.image.worker_tree import NAME

FILES = Path(__file__).resolve().parents[3] / "roles/node_image/files"
OURS = {
    "/usr/local/bin/slipway-join": (FILES / "join").read_text(),
    **{f"/etc/systemd/system/{unit}": "[Unit]\n" for unit in sealing.UNITS},
}
IMAGES = """{"images": [
  {"repoTags": ["registry.k8s.io/pause:3.10.1"], "repoDigests": ["registry.k8s.io/pause@sha256:1234"]},
  {"repoTags": [], "repoDigests": ["registry.k8s.io/old@sha256:5678"]}]}"""


class Told(Programs):
    """Programs of a folder's file system: none of them runs."""

    def __init__(self, place: Place, says: dict[str, str] | None = None) -> None:
        super().__init__(place)
        self.done: list[tuple[str, ...]] = []
        self._says = {"kubelet": "Kubernetes v1.35.4\n", "containerd": "containerd github.com/x v2.2.3 0123abc\n"}
        self._says.update({"crictl": IMAGES, **(says or {})})

    def do(self, *command: str) -> None:
        self.done.append(command)

    def ask(self, *command: str) -> str:
        return self._says[command[0].rpartition("/")[2]]

    ask_running = ask


def wanted(**more: Any) -> sealing.Wanted:
    values: dict[str, Any] = {
        "about": About("gold", "2.31.0", {"kube_network_plugin": "0123456789ab"}),
        "settings": sealing.Settings(ignore=["SystemVerification"]),
        "files": OURS,
        "former": [NAME],
        "left": True,
    }
    return sealing.Wanted(**{**values, **more})


def seal(root: Path, layout: Layout | None = None, **more: Any) -> sealing.Sealing:
    """Seals what is in ``root``."""
    place, layout = Place(str(root)), layout or Layout()
    programs = Told(place)
    plan = sealing.plan(place, programs, layout, wanted(**more), lambda: "2026-04-24T10:11:12Z")
    if plan.changed:
        sealing.carry_out(place, programs, layout, plan)
    return plan
