# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A worker of the lab's cluster is drained, leaves the cluster and is made an image, by the playbook that a user runs.

What is sealed is a folder on the worker's host with a worker's files: hosts of the lab have the machine's programs.
Its kubelet is another program that tells a version, as static as a kubelet is.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.image.manifest import digest
from tests.contract.kubespray.operations import Operations, operations
from tests.unit.image import worker_tree
from tests.unit.image.sealed import FILES

pytestmark = [pytest.mark.lab, pytest.mark.slow]

TREE = "/srv/tree"
HOST = "worker2"
ASKED: dict[str, Any] = {
    "slipway_image_host": HOST,
    "slipway_seal_host": HOST,
    "slipway_image_name": "gold",
    "node_image_root": TREE,
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    with operations(f"image-{os.getpid()}", tmp_path_factory.mktemp("image"), "1", "2") as one:
        one.write("control1", "worker1", HOST)
        one.done("install")
        yield one


@pytest.fixture(scope="module")
def tree(cluster: Operations) -> Path:
    """The worker's root file system, seen from outside of its host."""
    root = worker_tree.build(Path(cluster.hosts[HOST].folder) / TREE[1:])
    for program in ("kubelet", "containerd"):
        shutil.copy(cluster.env["bin"]["etcd"], root / "usr/local/bin" / program)
    return root


def image(cluster: Operations, *words: str, **more: Any) -> tuple[int, str]:
    ran = cluster.does("image", *words, **{**ASKED, **more})
    return ran.status, ran.out


@pytest.fixture(scope="module")
def sealed(cluster: Operations, tree: Path) -> dict[str, Any]:
    """The manifest's copy, after refusals that have changed nothing, and a run that found something."""
    before = {file: file.lstat().st_mtime_ns for file in tree.rglob("*")}
    refused = {
        "SLW-8755": image(cluster, slipway_seal_host="worker1"),
        "SLW-8751": image(cluster, slipway_image_host="control1", slipway_seal_host="control1"),
        "SLW-8754": image(cluster, kube_proxy_mode="iptables"),
    }
    for code, (status, out) in refused.items():
        assert status == 2, out
        assert code in out
    status, out = image(cluster, "--check")
    assert status == 0, out
    assert {file: file.lstat().st_mtime_ns for file in tree.rglob("*")} == before
    assert HOST in cluster.nodes()
    worker_tree.put(tree, "/srv/planted", worker_tree.pem(worker_tree.key()))
    status, out = image(cluster)
    assert status == 2, out
    assert "SLW-8750 private key in the image: /srv/planted:1" in out
    assert "PRIVATE KEY" not in out
    (tree / "srv/planted").unlink()
    status, out = image(cluster)
    assert status == 0, out
    found: dict[str, Any] = json.loads((cluster.tmp / "images/gold.json").read_text(encoding="utf-8"))
    return found


def test_the_node_has_left(cluster: Operations, sealed: dict[str, Any]) -> None:
    assert sealed
    assert set(cluster.nodes()) == {"control1", "worker1"}


def test_the_manifest_says_what_the_host_was_prepared_with(
    cluster: Operations, sealed: dict[str, Any], tree: Path
) -> None:
    record = cluster.record()
    assert sealed["digest"] == digest(sealed)
    assert sealed["kubespray"] == record["kubespray"]
    assert sealed["variables"] == {**record["common"], **record["hosts"][HOST]["own"]}
    assert json.loads((tree / "etc/slipway/image.json").read_text(encoding="utf-8")) == sealed


def test_the_join_script_is_there_as_it_is(sealed: dict[str, Any], tree: Path) -> None:
    assert sealed
    assert (tree / "usr/local/bin/slipway-join").read_text() == (FILES / "join").read_text()
    unit = (tree / "etc/systemd/system/slipway-join.service").read_text()
    assert "\nExecStart=/usr/local/bin/slipway-join\n" in unit
    assert os.access(tree / "usr/local/bin/slipway-join", os.X_OK)


def test_an_image_stays_as_it_is(cluster: Operations, sealed: dict[str, Any], tree: Path) -> None:
    before = {file: file.lstat().st_mtime_ns for file in tree.rglob("*")}
    status, out = image(cluster)
    assert status == 0, out
    assert {file: file.lstat().st_mtime_ns for file in tree.rglob("*")} == before
    assert json.loads((cluster.tmp / "images/gold.json").read_text(encoding="utf-8")) == sealed
