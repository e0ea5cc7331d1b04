# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A worker whose node is called otherwise, and a route reflector, through a cluster's life.

One story on one lab, its tests in the order of that life.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.contract.kubespray.operations import Operations, operations

pytestmark = [pytest.mark.lab, pytest.mark.slow]

HOSTS = ("control1", "worker1", "worker2", "worker3")
NODES = {"control1", "worker1", "node-2", "worker3"}
OLD, NEW = "1.34.7", "1.35.4"


def write(site: Operations, *, version: str, second: str = "node-2") -> None:
    """Of worker2 the node is called ``second``; worker3 reflects routes, and no pods come to it."""
    site.write(*HOSTS, kube_version=version, own={"worker2": {"kube_override_hostname": second}})
    file = site.inventory / "hosts.yml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    groups = content["all"]["children"]
    groups["calico_rr"] = {"hosts": {"worker3": groups["kube_node"]["hosts"].pop("worker3")}}
    groups["k8s_cluster"]["children"]["calico_rr"] = {}
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


@contextmanager
def site(tmp: Path, *, version: str) -> Iterator[Operations]:
    with operations(f"names-{version.replace('.', '')}-{os.getpid()}", tmp, "1", "3") as one:
        write(one, version=version)
        with one.acted() as acted:
            one.done("install")
        assert acted["cluster"] == list(HOSTS)
        yield one


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    with site(tmp_path_factory.mktemp("names"), version=NEW) as one:
        yield one


def test_every_host_is_a_node_and_recorded(installed: Operations) -> None:
    assert installed.nodes().keys() == NODES
    recorded = installed.record()["hosts"]
    assert recorded.keys() == set(HOSTS)
    assert recorded["worker2"]["node"] == "node-2"
    assert recorded["worker3"]["roles"] == ["route-reflector"]


def test_nothing_is_done_again(installed: Operations) -> None:
    before = installed.tasks
    assert "4 unchanged" in installed.done("install").out
    assert installed.tasks == before
    ran = installed.done("status")
    assert "4 nodes: 4 Ready  result: unchanged" in ran.out
    assert "node-2" not in ran.out


def test_a_node_is_not_renamed(installed: Operations) -> None:
    before = installed.tasks
    write(installed, version=NEW, second="node-3")
    ran = installed.does("install")
    assert ran.status == 2
    assert "SLW-8317 worker2 has kube_override_hostname and is the node node-2, and would be node-3 now" in ran.out
    assert installed.tasks == before
    write(installed, version=NEW)


def test_a_node_is_removed_by_the_name_of_its_host(installed: Operations) -> None:
    ran = installed.does("remove", slipway_remove_nodes="worker3")
    assert ran.status == 2
    assert "SLW-8405 worker3: no route reflector would be left" in ran.out
    ran = installed.done("remove", slipway_remove_nodes="worker2")
    assert "node-2" in ran.out
    assert "drained" in ran.out
    assert installed.nodes().keys() == NODES - {"node-2"}
    assert installed.record()["hosts"].keys() == set(HOSTS) - {"worker2"}
    assert [order["host"] for order in installed.orders("reset")] == ["worker2"]


def test_all_hosts_are_reset_with_the_cluster(installed: Operations) -> None:
    installed.done("remove", slipway_remove_cluster=installed.name)
    assert {order["host"] for order in installed.orders("reset")} == set(HOSTS)


def test_all_are_upgraded(tmp_path: Path) -> None:
    with site(tmp_path, version=OLD) as one:
        write(one, version=NEW)
        one.done("upgrade")
        assert one.nodes() == dict.fromkeys(NODES, f"v{NEW}")
        with one.api() as api:
            nodes = api.need("GET", "/api/v1/nodes")["items"]
        assert not any(node["spec"].get("unschedulable") for node in nodes)
