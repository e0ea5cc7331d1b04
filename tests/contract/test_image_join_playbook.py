# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nodes from images by the playbook, as a user runs it: machines that start by themselves, and by a task file."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.digests import digest as digest_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_image import digest
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_wait import REQUESTS
from lab.kubeadm.image_machine import Machine
from tests.contract.fixtures.joins import NODES, left
from tests.contract.kubespray.site import STANDIN
from tests.contract.support import ROOT, Cluster, eventually, writes_in

pytestmark = pytest.mark.lab
Json = dict[str, Any]
TOKEN = re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b")
MANIFEST: Json = {
    "schema": 1,
    "name": "workers",
    "sealed": "2026-11-23T02:00:00Z",
    "kubespray": "2.31.0",
    "kubernetes": "v1.35.4",
    # That of the lab's nodes.
    "container_runtime": {"name": "kwok", "version": "0.8.0"},
    "network_plugin": "calico",
    "architecture": "amd64",
    "variables": {"kube_network_plugin": digest_of("calico")},
    "trust": [],
}


MOTD = {"/etc/motd": {"content": "I am {{ inventory_hostname }}\n", "mode": "0640"}}


@dataclass
class Site:
    """One inventory with two hosts that join from an image."""

    cluster: Cluster
    tmp: Path
    variables: Json = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [f"{self.cluster.name}-{name}" for name in ("w1", "w2")]

    def image(self, **changes: Any) -> str:
        """A copy of an image's manifest, and its digest."""
        body = {**MANIFEST, **changes}
        (self.tmp / "inventory").mkdir(exist_ok=True)
        (self.tmp / "inventory" / "image.json.txt").write_text(json.dumps({**body, "digest": digest(body)}))
        return digest(body)

    def write(self, **more: Any) -> None:
        (self.tmp / "inventory").mkdir(exist_ok=True)
        workers = {name: {"ip": f"239.97.{number}.7"} for number, name in enumerate(self.names)}
        groups = {
            "kube_control_plane": {"hosts": {"control1": {"ip": "239.97.9.9"}}},
            "etcd": {"hosts": {"control1": None}},
            "kube_node": {
                "hosts": workers,
                "vars": {"slipway_join_files": MOTD, "slipway_node_source": "image", "slipway_image": "image.json.txt"},
            },
            "k8s_cluster": {"children": {"kube_control_plane": None, "kube_node": None}},
        }
        common = {
            "slipway_name": self.cluster.name,
            "slipway_kubeconfig": self.cluster.env["kubeconfig"],
            "slipway_namespace": self.cluster.home,
            "kube_network_plugin": "calico",
            **more,
        }
        body = {"all": {"children": groups, "vars": common}}
        (self.tmp / "inventory" / "hosts.yml").write_text(yaml.safe_dump(body))

    def writes(self) -> int:
        """How often the action has written to the API so far."""
        return len(writes_in(self.cluster.env["audit_log"], "slipway (node_join)"))

    def run(self, *words: str, **extra: Any) -> tuple[int, str]:
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / '.build' / 'collections'}:{STANDIN}",
            "ANSIBLE_HOME": str(self.tmp / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "XDG_CACHE_HOME": str(self.cluster.cache),
        }
        command = ["ansible-playbook", "-i", str(self.tmp / "inventory"), "slipway.cluster.join_data", *words]
        given = ["-e", json.dumps(extra)] if extra else []
        done = subprocess.run(
            [*command, *given], env=environment, cwd=self.tmp, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def site(cluster: Cluster, tmp_path: Path) -> Iterator[Site]:
    one = Site(cluster, tmp_path)
    one.image()
    one.write()
    yield one
    client = cluster.client()
    for name in one.names:
        client.delete(f"{NODES}/{name}")
    for request in client.list(REQUESTS):
        if cluster.name in request["metadata"]["name"]:
            client.delete(f"{REQUESTS}/{request['metadata']['name']}")


@contextmanager
def booted(site: Site, folder: Path, image: str) -> Iterator[None]:
    """A machine starts as soon as its user-data is there."""

    def start(name: str) -> None:
        file = folder / f"{name}.ign"
        eventually(file.exists, 60)
        machine = Machine(site.tmp / f"machine-{name}", image)
        machine.folder.mkdir()
        machine.boot(file.read_text())

    threads = [threading.Thread(target=start, args=(name,), daemon=True) for name in site.names]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(30)


def test_machines_that_the_user_starts(site: Site) -> None:
    folder = site.tmp / "user-data"
    before = site.writes()
    with booted(site, folder, site.image()):
        status, out = site.run(
            "-vvv", slipway_join_data_dir=str(folder), slipway_join_format="ignition", slipway_join_wait=40
        )
    assert status == 0, out
    for name in site.names:
        assert re.search(rf"s  {name} +approved +{name} joins with this batch", out), out
        assert re.search(rf"s  {name} +Ready", out)
        assert f"user-data in {folder / name}.ign" in out
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"{name}.ign" for name in site.names]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in site.names:
        motd = site.tmp / f"machine-{name}" / "etc" / "motd"
        assert (motd.read_text(), stat.S_IMODE(motd.stat().st_mode)) == (f"I am {name}\n", 0o640)
    assert not TOKEN.search(out), "the token is in the files and nowhere else"
    assert left(site.cluster) == []
    assert site.writes() > before


def test_machines_that_a_task_file_starts(site: Site) -> None:
    lab = [sys.executable, "-m", "lab", "image-machine", "--name", site.cluster.env["name"]]
    boot = {
        "name": "Boot them",
        "ansible.builtin.command": {"argv": [*lab, "{{ item.user_data_file }}"], "chdir": str(ROOT)},
        "async": 60,
        "poll": 0,
        "loop": "{{ slipway_batch }}",
        "environment": {"SLIPWAY_LAB_STATE": str(Path(site.cluster.env["state_dir"]).parent)},
    }
    where = {
        "name": "Say where",
        "ansible.builtin.debug": {"msg": "{{ slipway_batch | map(attribute='user_data_file') }}"},
    }
    (site.tmp / "inventory" / "start.yml.txt").write_text(yaml.safe_dump([boot, where]))
    status, out = site.run(
        slipway_join_hosts=",".join(site.names), slipway_node_start="start.yml.txt", slipway_join_wait=40
    )
    assert status == 0, out
    assert all(re.search(rf"s  {name} +Ready", out) for name in site.names)
    paths = [Path(one) for one in re.findall(r"user-data in (\S+)", out)]
    assert len(paths) == 2
    assert not any(path.exists() or path.parent.exists() for path in paths)
    assert left(site.cluster) == []
    # They are there now, and a node that is there is left out or refused.
    before = site.writes()
    status, out = site.run()
    assert status == 0, out
    assert all(f"{name} is a node already" in out for name in site.names)
    status, out = site.run(slipway_join_hosts=site.names[0])
    assert status == 2
    assert f"SLW-8704 there is a node {site.names[0]} already" in re.sub(r"\s+", " ", out)
    assert site.writes() == before


def test_an_unfit_image_is_refused_before_there_is_a_token(site: Site) -> None:
    site.image(
        kubernetes="v1.33.4",
        container_runtime={"name": "crio", "version": "1"},
        variables={"kube_network_plugin": "0"},
    )
    folder = site.tmp / "user-data"
    before = site.writes()
    status, out = site.run(slipway_join_data_dir=str(folder), slipway_join_wait=1)
    assert status == 2
    for said in (
        "SLW-8711 image workers: its kubelet 1.33.4 is of another minor version",
        "SLW-8712 image workers: its container runtime is crio",
        "SLW-8715 image workers: it was made with other values of kube_network_plugin",
    ):
        assert re.sub(r"\s+", " ", out).count(said) >= len(site.names), "for each host, all at once"
    assert not folder.exists()
    assert left(site.cluster) == []
    assert site.writes() == before, "no token was made, at any time"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"slipway_join_wait": 0}, ["SLW-8707"]),
        (
            {"slipway_join_hosts": "control1,nobody"},
            [
                "SLW-8703 control1 is in kube_control_plane and etcd",
                "SLW-8703 nobody is no host of the group kube_node",
            ],
        ),
        ({"slipway_image": "missing.json"}, ["SLW-8718"]),
        (
            {"slipway_join_endpoint": "nowhere", "node_taints": ["x"]},
            ["SLW-8701 'nowhere' is not host:port", "SLW-8604"],
        ),
    ],
)
def test_what_cannot_begin(site: Site, extra: Json, said: list[str]) -> None:
    status, out = site.run(**{"slipway_join_wait": 1, **extra})
    assert status == 2, out
    assert [one for one in said if one not in re.sub(r"\s+", " ", out)] == []
    assert left(site.cluster) == []


def test_check_mode_makes_nothing(site: Site) -> None:
    folder = site.tmp / "user-data"
    status, out = site.run("--check", slipway_join_data_dir=str(folder))
    assert status == 0, out
    assert not folder.exists()
    assert left(site.cluster) == []


def test_a_node_that_never_comes_ends_the_run_and_nothing_is_left(site: Site) -> None:
    status, out = site.run(slipway_join_wait=2)
    assert status == 2
    for name in site.names:
        assert f"SLW-8731 {name} has not appeared: after 2 s" in re.sub(r"\s+", " ", out)
    assert left(site.cluster) == []
