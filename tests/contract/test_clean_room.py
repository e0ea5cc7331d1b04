# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A new user: an empty home, the artifact or the repository installed by ``ansible-galaxy``, and one add-on.

The collection is only ever read: in an execution environment it lies where a job may not write.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import packaging
from tests.contract.support import Cluster

pytestmark = pytest.mark.lab


@dataclass
class Room:
    """A home in which Slipway is installed, and nothing else that Ansible knows of."""

    home: Path

    @property
    def collection(self) -> Path:
        return self.home / ".ansible" / "collections" / "ansible_collections" / "slipway" / "cluster"

    def run(self, *command: str | Path, token: str = "") -> subprocess.CompletedProcess[str]:
        environment = {
            "HOME": str(self.home),
            "PATH": f"{packaging.BIN}:{os.defpath}",
            "LANG": "C.UTF-8",
            "SLIPWAY_API_TOKEN": token,
        }
        return subprocess.run(
            command,
            cwd=self.home,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def files(self) -> dict[str, tuple[int, int]]:
        """Everything in the collection's folder, with size and time of change; Python's own caches do not count."""
        files = [path for path in self.collection.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        stats = {str(path.relative_to(self.collection)): path.lstat() for path in files}
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


@pytest.fixture(scope="module", params=["artifact", "git"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Room:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "home").mkdir()
    one = Room(folder / "home")
    source = packaging.build(folder) if request.param == "artifact" else packaging.repository(folder / "repository")
    done = one.run("ansible-galaxy", "collection", "install", source)
    assert done.returncode == 0, done.stdout + done.stderr
    return one


def inventory(cluster: Cluster, folder: Path) -> Path:
    """As a user writes it who has a cluster already: its address, a name, and one chart of a repository."""
    env = cluster.env
    variables: dict[str, Any] = {
        "ansible_connection": "local",
        "slipway_name": cluster.name,
        "slipway_namespace": cluster.home,
        "slipway_api_server": env["server"],
        "slipway_api_ca_file": env["ca_file"],
        "slipway_helm": cluster.helm,
        "slipway_addons": {
            "portal": {
                "chart": {"repo": env["repo_url"], "name": "portal", "version": "1.0.0"},
                "namespace": cluster.ns("portal"),
            }
        },
    }
    (folder / "group_vars" / "all").mkdir(parents=True)
    (folder / "hosts.yml").write_text("all: {hosts: {localhost: {}}}\n", encoding="utf-8")
    (folder / "group_vars" / "all" / "addons.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
    return folder


def play(room: Room, cluster: Cluster, folder: Path, playbook: str, *before: str | Path) -> str:
    token = Path(cluster.env["token_file"]).read_text(encoding="utf-8").strip()
    command = ("ansible-playbook", "-i", folder, f"slipway.cluster.{playbook}")
    done = room.run(*before, *command, token=token)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_only(folder: Path) -> list[str | Path]:
    """What to put before a command for which ``folder`` is mounted read-only, as it is for root too."""
    namespaces = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro,nosuid,nodev "$0" && exec "$@"'
    return ["unshare", *namespaces, "sh", "-c", script, folder]


def test_plan_works_from_a_clean_installation(room: Room, cluster: Cluster, tmp_path: Path) -> None:
    out = play(room, cluster, inventory(cluster, tmp_path / "inventory"), "plan")
    assert f"PLAN {cluster.name}" in out
    assert "1 add-on: 1 install" in out


@pytest.mark.parametrize("room", ["artifact"], indirect=True)
def test_runs_write_nothing_into_the_collection(room: Room, cluster: Cluster, tmp_path: Path) -> None:
    folder = inventory(cluster, tmp_path / "inventory")
    before = room.files()
    assert len(before) > 100
    for playbook in ("plan", "install", "status"):
        play(room, cluster, folder, playbook)
    assert room.files() == before


@pytest.mark.parametrize("room", ["artifact"], indirect=True)
def test_runs_need_no_right_to_write_into_the_collection(room: Room, cluster: Cluster, tmp_path: Path) -> None:
    before = read_only(room.collection)
    refused = room.run(*before, "touch", room.collection / "written")
    assert "Read-only file system" in refused.stderr
    folder = inventory(cluster, tmp_path / "inventory")
    assert "1 install" in play(room, cluster, folder, "plan", *before)
    assert "portal" in play(room, cluster, folder, "install", *before)
    assert "portal" in play(room, cluster, folder, "status", *before)
    assert "1 unchanged" in play(room, cluster, folder, "plan", *before)
