# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nodes come, are upgraded and go by the playbooks that users run; the add-ons follow, and nothing is done twice.

The tests are one story: each begins with what the one before left.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Do = Callable[..., str]
OLD, NEW = "v1.34.7", "v1.35.4"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def site(scenario: Path) -> Any:
    spec = importlib.util.spec_from_file_location("nodes_site", scenario / "site.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def inventory() -> Path:
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "inventory")


@pytest.fixture(scope="module")
def do(playbook: Any, inventory: Path) -> Do:
    """A playbook with this scenario's inventory; what it has said."""
    folders = [ROOT / ".build" / "collections", ROOT / ".build" / "lab-collections"]
    env = {
        "ANSIBLE_COLLECTIONS_PATH": ":".join(map(str, folders)),
        "ANSIBLE_INJECT_FACT_VARS": "true",
        "ANSIBLE_PIPELINING": "true",
    }

    def call(name: str, **extra: Any) -> str:
        return str(playbook(name, "-i", str(inventory), env=env, **extra).out)

    return call


@pytest.fixture
def kubectl(site: Any) -> Callable[..., Any]:
    told = site.env()

    def call(*words: str) -> Any:
        command = [told["bin"]["kubectl"], "--kubeconfig", told["kubeconfig"], *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return call


@pytest.fixture
def versions(kubectl: Callable[..., Any]) -> Callable[[], dict[str, str]]:
    def read() -> dict[str, str]:
        nodes = kubectl("get", "nodes", "-o", "json")["items"]
        return {node["metadata"]["name"]: node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes}

    return read


def size(kubectl: Callable[..., Any]) -> str:
    return str(kubectl("get", "configmap", "size", "-n", "sized", "-o", "json")["data"]["workers"])


def test_everything_is_there(versions: Callable[[], dict[str, str]], kubectl: Callable[..., Any]) -> None:
    assert versions() == {"control1": NEW, "worker1": NEW}
    assert size(kubectl) == "1"


def test_a_host_more_is_a_node_more(
    do: Do, site: Any, inventory: Path, versions: Callable[[], dict[str, str]], kubectl: Callable[..., Any]
) -> None:
    site.write(inventory, *site.HOSTS)
    said = do("scale")
    assert f"Kubespray's scale runs on {site.LATER}" in said
    assert versions().keys() == set(site.HOSTS)
    assert size(kubectl) == "2"


def test_what_is_behind_is_upgraded(
    do: Do, site: Any, versions: Callable[[], dict[str, str]], kubectl: Callable[..., Any]
) -> None:
    # As a run has left it that died before this host.
    kubelet = Path(site.manage.find(site.NAME)["worker1"].folder, "etc", "kubernetes", "kubelet.env")
    kubelet.write_text(kubelet.read_text(encoding="utf-8").replace(NEW[1:], OLD[1:]), encoding="utf-8")
    behind = json.dumps({"status": {"nodeInfo": {"kubeletVersion": OLD}}})
    kubectl("patch", "node", "worker1", "--subresource=status", "--type=merge", "-p", behind, "-o", "json")
    assert versions()["worker1"] == OLD
    said = do("upgrade", kube_version=NEW.removeprefix("v"))
    assert "Kubespray's upgrade_cluster runs on worker1" in said
    assert set(versions().values()) == {NEW}


def test_a_node_goes(
    do: Do, site: Any, inventory: Path, versions: Callable[[], dict[str, str]], kubectl: Callable[..., Any]
) -> None:
    do("remove", slipway_remove_nodes=site.LATER)
    site.write(inventory, *site.HOSTS[:-1])
    assert versions().keys() == set(site.HOSTS[:-1])
    assert size(kubectl) == "1"


def test_the_cluster_goes_by_its_name(do: Do, site: Any) -> None:
    do("remove", slipway_remove_cluster="nodes")
    folders = [Path(host.folder) / "etc" / "kubernetes" for host in site.manage.find(site.NAME).values()]
    assert len(folders) == len(site.HOSTS)
    assert not [folder for folder in folders if folder.exists()]
