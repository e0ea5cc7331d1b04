# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The project repository that jobs run from: made by ``slipway.cluster.new`` in the image, with one cluster in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.ee.content import WAY
from lab.ee.job import ENVIRONMENT
from lab.ee.podman import Podman
from lab.errors import LabError

CLUSTER = "trial"
INSIDE = "/runner/project"
# What a job template of slipway.cluster.awx says.
VARIABLES = {"slipway_files_dir": f"{INSIDE}/inventories/{CLUSTER}"}


@dataclass
class Project:
    """``env`` is what the lab says about itself."""

    podman: Podman
    image: str
    folder: Path
    env: dict[str, Any]

    def make(self) -> list[str]:
        """Make it, with a cluster that is there already; the names of the playbooks that AWX can offer.

        :raises LabError: when a playbook that a job needs is not among them.
        """
        self.folder.mkdir(parents=True)
        given = {"slipway_stack": "single_node", "slipway_name": "first", "slipway_hosts": "node1=192.0.2.11"}
        self._run("ansible-playbook", "slipway.cluster.new", f"--extra-vars={json.dumps(given)}")
        place = self.folder / "inventories" / CLUSTER
        (place / "group_vars" / "all").mkdir(parents=True)
        (place / "hosts.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}\n", encoding="utf-8")
        shutil.copyfile(self.env["ca_file"], place / "ca.crt")
        made = sorted(path.stem for path in (self.folder / "slipway").glob("*.yml"))
        if missing := {"install", "plan", "status"} - set(made):
            raise LabError(f"slipway.cluster.new made no playbook for {', '.join(sorted(missing))}")
        return made

    def write(self, addons: dict[str, Any]) -> dict[str, Any]:
        """Write the cluster's add-ons, and return the inventory as AWX's update of it does, by the image's Ansible."""
        variables = {
            "slipway_name": CLUSTER,
            "slipway_api_server": self.env["server"],
            "slipway_api_ca_file": f"{INSIDE}/inventories/{CLUSTER}/ca.crt",
            "slipway_addons": addons,
        }
        target = self.folder / "inventories" / CLUSTER / "group_vars" / "all" / "main.yml"
        target.write_text(yaml.safe_dump(variables, sort_keys=False), encoding="utf-8")
        said = self._run("ansible-inventory", "-i", f"inventories/{CLUSTER}", "--list", "--export")
        inventory: dict[str, Any] = json.loads(said)
        return inventory

    def addon(self, values: dict[str, Any]) -> dict[str, Any]:
        """One chart of the lab's repository, with these values."""
        chart = {"repo": self.env["repo_url"], "name": "portal", "version": "1.0.0"}
        return {"chart": chart, "namespace": "portal", "values": values}

    def _run(self, *command: str) -> str:
        mount = f"--volume={self.folder}:{INSIDE}:Z"
        collections = f"--env=ANSIBLE_COLLECTIONS_PATH={ENVIRONMENT['ANSIBLE_COLLECTIONS_PATH']}"
        return self.podman.run(*WAY, f"--workdir={INSIDE}", mount, collections, self.image, *command)
