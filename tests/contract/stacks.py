# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A cluster out of a stack on the lab's hosts: the project as ``slipway.cluster.new`` makes it, and beside it an
inventory that says nothing but what a lab needs.

No chart of the catalog is on this machine: the lab's own stand for them, by the catalog's names and versions.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.release import Release, decode
from lab import packages
from lab.hosts.machine import python
from lab.hosts.model import USER
from tests.contract.kubespray.operations import PROGRAMS, Operations
from tests.contract.kubespray.site import Ran
from tests.contract.support import CHARTS, ROOT

STACKS = ROOT / "roles" / "new_cluster" / "files" / "stacks"
CATALOG = ROOT / "roles" / "addons" / "files" / "catalog"
CLUSTER = "prod"
# Charts of the lab that make objects of the same kinds, by entry of the catalog.
STAND_INS = {
    "alloy": "log-agent",
    "kube-prometheus-stack": "metrics",
    "local-path-provisioner": "storage",
    "loki": "logs",
    "metrics-server": "metrics-api",
}
# Containers do not run.
NOT_SERVED = {"metrics-server": {"smoke": {"metrics-api": {"enabled": False}}}}
# A lab's host is a process on this machine: of kernel and control groups it has what the machine has.
OF_THE_MACHINE = {"SLW-8212": "ignore", "SLW-8213": "ignore", "SLW-8214": "ignore"}


@dataclass(frozen=True)
class Given:
    """What a user says of a cluster: its stack, its hosts, and ``answers`` to the questions that have no default."""

    stack: str
    hosts: tuple[str, ...]
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def machines(self) -> tuple[str, str]:
        """How many of the hosts are named as control plane hosts of the lab, and how many as workers."""
        leading = sum(name.startswith("control") for name in self.hosts)
        return str(leading), str(len(self.hosts) - leading)


class Project:
    """The project repository of one cluster, made and used as by hand, on hosts of a lab of its own."""

    def __init__(self, site: Operations, given: Given) -> None:
        self.site, self.given = site, given
        self.folder = site.tmp
        self.lab = self.folder / "lab.yml"
        site.inventory = self.folder / "inventories" / CLUSTER

    @property
    def includes(self) -> list[str]:
        """Entries of the catalog that the stack uses, by its own word."""
        stack = yaml.safe_load((STACKS / self.given.stack / "stack.yml").read_text(encoding="utf-8"))
        return list(stack["includes"])

    @property
    def uses(self) -> dict[str, str]:
        """Entry of the catalog by add-on."""
        return {name: said.get("use", name) for name, said in self.says("addons")["slipway_addons"].items()}

    def layer(self, repository: str) -> dict[str, Any]:
        """What has to be said of add-ons beside the stack's own words: that charts come from this repository, for those
        of which the stack does not say where from; and not to wait for what no container serves."""
        said = self.says("addons")["slipway_addons"]
        layer: dict[str, dict[str, Any]] = {}
        for name, entry in self.uses.items():
            own = {} if "chart" in said[name] else {"use": entry, "chart": {"repo": repository}}
            layer[name] = own | NOT_SERVED.get(entry, {})
        return {"slipway_addons__lab": layer}

    def hosts(self) -> str:
        """As one types them."""
        there = self.site.hosts
        picked = [there[name] for name in self.given.hosts]
        return "\n".join(f"{one.name}={one.address} user={USER} port={one.port} ip={one.address}" for one in picked)

    def new(self, **answers: object) -> Ran:
        """``slipway.cluster.new``, without an inventory."""
        said = {"slipway_stack": self.given.stack, "slipway_name": CLUSTER, "slipway_hosts": self.hosts()}
        asked = {f"slipway_stack_{name}": value for name, value in {**self.given.answers, **answers}.items()}
        done = subprocess.run(
            [PROGRAMS / "ansible-playbook", "slipway.cluster.new", "-e", json.dumps(said | asked)],
            cwd=self.folder,
            env=self.site.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout)

    def write_lab(self, **variables: Any) -> None:
        """The inventory of what only a lab needs: addresses, logins, and what stands for what is not there."""
        common = {
            "ansible_python_interpreter": python(),
            "lab_calls": str(self.site.folder / "kubespray.jsonl"),
            "slipway_ssh": self.site.ssh(),
            "slipway_api_forward": True,
            # The lab has one disk, and no etcd of a host's own.
            "slipway_etcd_snapshots": 0,
            "slipway_preflight_severity": OF_THE_MACHINE,
            "slipway_preflight_ignore_variables": ["lab_calls"],
            "slipway_helm": self.site.env["bin"]["helm"],
            "slipway_cache_dir": str(self.folder / "cache"),
            **variables,
        }
        self.lab.write_text("---\n" + yaml.safe_dump({"all": {"vars": common}}, sort_keys=False), encoding="utf-8")

    def done(self, playbook: str, **more: Any) -> Ran:
        """A run that must succeed."""
        return self.site.done(playbook, "-i", str(self.lab), **more)

    def made(self) -> dict[str, str]:
        """The cluster's files by their path in the project."""
        files = sorted(path for path in self.site.inventory.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_text(encoding="utf-8") for path in files}

    def says(self, file: str) -> dict[str, Any]:
        """Variables of a file in ``group_vars/all``."""
        path = self.site.inventory / "group_vars" / "all" / f"{file}.yml"
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))

    def root(self, host: str) -> Path:
        """Where the files of a host are."""
        return Path(self.site.hosts[host].folder)

    def workloads(self) -> dict[str, int]:
        """Of each how often somebody has changed what it shall be."""
        return {
            f"{kind} {one['metadata']['name']}": one["metadata"]["generation"]
            for kind in ("deployments", "statefulsets", "daemonsets")
            for one in self.site.get(f"/apis/apps/v1/{kind}")["items"]
        }

    def releases(self) -> dict[str, Release]:
        """Of each add-on what Helm's storage says is installed."""
        found = self.site.get("/api/v1/secrets")["items"]
        kept = [one for one in found if one["type"] == "helm.sh/release.v1"]
        return {str(one["name"]): one for one in (decode(secret["data"]["release"]) for secret in kept)}


def chart_of(entry: str) -> tuple[str, str]:
    """Name and version of the chart that the catalog has for this entry."""
    chart = yaml.safe_load((CATALOG / f"{entry}.yml").read_text(encoding="utf-8"))["chart"]
    return chart["name"], chart["version"]


def stand_in(target: Path, work: Path, entries: Iterable[str]) -> None:
    """Make the repository served from ``target`` one that has the charts of these entries of the catalog, and no other;
    ``work`` is a folder for making them."""
    for entry in entries:
        name, version = chart_of(entry)
        folder = shutil.copytree(CHARTS / STAND_INS[entry], work / entry)
        chart = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))
        chart |= {"name": name, "version": version}
        (folder / "Chart.yaml").write_text(yaml.safe_dump(chart), encoding="utf-8")
    packages.publish(target, work)
