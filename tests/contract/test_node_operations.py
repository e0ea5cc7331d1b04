# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Install, scale, upgrade and remove nodes and the cluster by our playbooks, over the lab's stand-in for Kubespray.

One story on one lab, its tests in the order of a cluster's life; what a test needs of the one before is said by a
fixture.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_image import digest
from lab.hosts.log import counting
from lab.kubeadm.image_machine import FAULT
from tests.contract.kubespray.operations import COLLECTION, Operations, operations
from tests.contract.support import ROOT

pytestmark = pytest.mark.lab

FIRST = ("control1", "worker1", "worker2")
LATER = ("worker3", "worker4")
IMAGES = ("image1", "image2")
MARKED = {"node_labels": {"disk": "ssd"}, "node_taints": ["dedicated=batch:NoSchedule"]}
OLD, NEW = "1.34.7", "1.35.4"
RING = "/apis/apps/v1/namespaces/ring/statefulsets/ring"
BOOTSTRAP = "bootstrap.kubernetes.io/token"
# What a folder of the user's must never hold.
SECRET = re.compile(r"client-key-data|BEGIN [A-Z ]*PRIVATE KEY|\b[a-z0-9]{6}\.[a-z0-9]{16}\b")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    """Hosts, and no cluster."""
    with operations(f"nodes-{os.getpid()}", tmp_path_factory.mktemp("nodes"), "1", "4") as one:
        one.write(*FIRST, kube_version=OLD)
        yield one


@pytest.fixture(scope="module")
def installed(empty: Operations) -> Operations:
    """A cluster of a control plane and two workers, by one run."""
    with empty.acted() as acted:
        empty.done("install")
    assert acted["cluster"] == list(FIRST)
    assert "scale" not in acted
    return empty


@pytest.fixture(scope="module")
def upgraded(installed: Operations) -> Operations:
    """The same at a newer version, by a run that failed in the middle of the workers and another one."""
    installed.write(*FIRST, kube_version=NEW)
    ran = installed.does("upgrade", env={"LAB_FAIL": '{"node": ["worker2"]}'}, slipway_upgrade_batch=1)
    assert ran.status == 2, ran.out
    assert "node fails here, as ordered by lab_fail" in ran.out
    # Who starts the next one may be in another container, and cannot see that this one is over.
    assert "NODES  this run's claim on the nodes has ended with it: the next one goes on from here" in ran.out
    assert installed.run_file.exists()
    assert not installed.held()
    assert installed.nodes() == {"control1": f"v{NEW}", "worker1": f"v{NEW}", "worker2": f"v{OLD}"}
    ran = installed.done("status")
    assert re.search(r"^! cluster  an earlier upgrade by .* did not come to its end", ran.out, re.MULTILINE)
    assert re.search(rf"^! worker2 .* {OLD} .* kubelet: the API server has {NEW}$", ran.out, re.MULTILINE)
    with counting(installed.hosts.values()) as new, installed.acted() as acted:
        ran = installed.done("upgrade", slipway_upgrade_batch=1)
    assert "2 nodes are there already" in ran.out
    assert re.search(r"an earlier upgrade by .* did not come to its end", ran.out)
    assert acted["upgrade_cluster"] == ["worker2"]
    assert new["worker1"] == 0
    return installed


@pytest.fixture(scope="module")
def grown(upgraded: Operations) -> Operations:
    """Two more workers, while one that is there already is dead; and an add-on that follows their number."""
    upgraded.write(*FIRST, *LATER, kube_version=NEW, slipway_addons={"ring": ring()})
    upgraded.lab("power", "worker2", "off")
    try:
        with counting(upgraded.hosts.values()) as new, upgraded.acted() as acted:
            upgraded.done("scale", env={"LAB_SECONDS": "2"})
    finally:
        upgraded.lab("power", "worker2", "on")
    assert acted == {playbook: list(LATER) for playbook in acted}
    assert "scale" in acted
    assert (new["worker1"], new["worker2"]) == (0, 0)
    assert all(new[name] for name in ("control1", *LATER))
    return upgraded


def ring() -> dict[str, Any]:
    """An add-on of one replica on each worker, whose data no other has."""
    template = {
        "metadata": {"labels": {"app": "ring"}},
        "spec": {"containers": [{"name": "a", "image": "example.org/a:1"}]},
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "ring"},
        "spec": {
            "replicas": "{{ slipway_nodes.workers }}",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": "ring"}},
            "template": template,
        },
    }
    return {"namespace": "ring", "scale_down": "unsafe", "timeout": 0, "objects": [body]}


@contextmanager
def cordoned(site: Operations, name: str) -> Iterator[None]:
    """By somebody else, for as long as the block runs."""
    path = f"/api/v1/nodes/{name}"
    with site.api() as api:
        api.need("PATCH", path, {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        with site.api() as api:
            api.need("PATCH", path, {"spec": {"unschedulable": None}})


def nothing_left(site: Operations) -> None:
    """Nobody can join any more, nothing on the controller opens the cluster, and the inventory is the user's."""
    assert site.secrets(BOOTSTRAP) == []
    files = [path for path in site.inventory.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["hosts.yml"]
    assert files[0].read_text(encoding="utf-8") == site.written
    for output in site.tmp.glob("output-*"):
        assert not SECRET.search(output.read_text(encoding="utf-8")), output


def test_plan_without_a_cluster(empty: Operations) -> None:
    before = empty.tasks
    ran = empty.done("plan")
    for name in FIRST:
        assert re.search(rf"^\+ {name} +join +there is no cluster yet  .*hosts\.yml:\d+$", ran.out, re.MULTILINE)
    assert "Kubespray's cluster runs on control1, worker1, worker2" in ran.out
    assert empty.tasks == before


def test_status_without_a_cluster(empty: Operations) -> None:
    ran = empty.done("status")
    assert f"NODES {empty.name}  there is no cluster yet  Kubespray: 2.31.0 installed  result: changes" in ran.out
    assert "+ 3 of the inventory would join (-v shows them)" in ran.out
    assert f"STATUS {empty.name}" not in ran.out


def test_without_kubespray_there_is_no_cluster(empty: Operations) -> None:
    ran = empty.does("install", kubespray=False)
    assert ran.status == 2
    assert "SLW-8001" in ran.out


def test_install(installed: Operations) -> None:
    assert installed.nodes() == dict.fromkeys(FIRST, f"v{OLD}")
    record = installed.record()
    assert record["hosts"].keys() == set(FIRST)
    assert record["first"] == {"kube_control_plane": "control1", "etcd": "control1"}
    assert record["kubespray"] == "2.31.0"
    tokens = installed.joined_with()
    assert len(tokens) >= len(FIRST) - 1
    assert len(set(tokens)) == 1
    assert installed.orders("token create") == []
    nothing_left(installed)


def test_changes_of_nodes_are_changes_to_fail_on(installed: Operations) -> None:
    """With nodes as recorded the same option ends well: it is the nodes that make the difference."""
    installed.done("plan", slipway_fail_on="changes")
    installed.write(*FIRST, "worker3", kube_version=OLD)
    for playbook in ("plan", "status"):
        ran = installed.does(playbook, env={"ANSIBLE_SHOW_CUSTOM_STATS": "1"}, slipway_fail_on="changes")
        assert ran.status == 2, ran.out
        assert "SLW-4901 the result of the nodes is 'changes'" in ran.out
        assert re.findall(r'"slipway_result": +"(\w+)"', ran.out) == ["changes"]
    installed.write(*FIRST, kube_version=OLD)


def test_what_the_api_does_not_tell_is_asked_before_anything_is_drained(installed: Operations) -> None:
    """A node that is ready, and whose host gives no answer to SSH; and an etcd without its tools."""
    installed.write(*FIRST, own={"worker2": {"ansible_port": 1}}, kube_version=OLD)
    before = installed.tasks
    ran = installed.does("remove", slipway_remove_nodes="worker2, control1")
    installed.write(*FIRST, kube_version=OLD)
    assert ran.status == 2, ran.out
    assert "SLW-8406 worker2 cannot be reached (no answer to SSH)" in ran.out
    assert "SLW-8408 control1: how etcd is, is not known: SLW-8510" in ran.out
    assert "SLW-8406 control1" not in ran.out
    assert installed.tasks == before
    assert "unschedulable" not in installed.get("/api/v1/nodes/worker2")["spec"]


def test_upgrade_that_failed_went_on_with_the_rest(upgraded: Operations) -> None:
    assert set(upgraded.nodes().values()) == {f"v{NEW}"}
    assert len(upgraded.orders("upgrade apply")) == 1
    assert [order["host"] for order in upgraded.orders("restart")][-3:] == list(FIRST)
    assert upgraded.record()["kubernetes"] == NEW
    assert upgraded.orders("token create") == []
    nothing_left(upgraded)


def test_second_install_has_nothing_to_do(upgraded: Operations) -> None:
    before = upgraded.tasks
    with counting(upgraded.hosts.values()) as new:
        ran = upgraded.done("install")
    assert upgraded.tasks == before
    assert "Kubespray has nothing to do" in ran.out
    assert (new["worker1"], new["worker2"]) == (0, 0)


def test_changed_variable_of_one_worker(upgraded: Operations) -> None:
    own = {"worker2": {"kubeadm_join_timeout": "90s"}}
    upgraded.write(*FIRST, own=own, kube_version=NEW)
    with upgraded.acted() as acted:
        ran = upgraded.done("install")
    assert re.search(r"^~ worker2 +converge +changed: kubeadm_join_timeout", ran.out, re.MULTILINE)
    assert "cluster" not in acted
    assert acted["scale"] == ["worker2"]
    assert {name for hosts in acted.values() for name in hosts} == {"worker2"}
    before = upgraded.tasks
    upgraded.done("install")
    assert upgraded.tasks == before


def test_labels_are_in_the_plan_and_no_matter_for_kubespray(upgraded: Operations) -> None:
    own = {"worker2": {"kubeadm_join_timeout": "90s"}}
    upgraded.write(*FIRST, own={**own, "worker1": {"node_labels": {"disk": "s s d"}}}, kube_version=NEW)
    before = upgraded.tasks
    refused = upgraded.does("install")
    assert (refused.status, upgraded.tasks) == (2, before)
    assert "SLW-8603" in refused.out
    for labels, told in (({"disk": "ssd"}, "label disk: ssd"), ({}, "label disk removed: no longer in the inventory")):
        upgraded.write(*FIRST, own={**own, "worker1": {"node_labels": labels}}, kube_version=NEW)
        for playbook in ("plan", "install"):
            ran = upgraded.done(playbook)
            assert re.search(rf"^~ worker1 +mark +{told}", ran.out, re.MULTILINE)
            assert "Kubespray has nothing to do" in ran.out
        assert "1 mark" not in upgraded.done("plan").out
    assert upgraded.tasks == before


def test_status_tells_of_nodes(upgraded: Operations) -> None:
    """By the API alone: what is as it should be is counted, what is not has a line and its reason."""
    upgraded.write(*FIRST, "worker3", own={"worker2": {"kubeadm_join_timeout": "80s"}}, kube_version=NEW)
    before = upgraded.tasks
    with cordoned(upgraded, "worker1"), counting(upgraded.hosts.values()) as new:
        ran = upgraded.done("status", env={"ANSIBLE_SHOW_CUSTOM_STATS": "1"})
    assert upgraded.tasks == before
    assert [new[name] for name in ("worker1", "worker2", "worker3")] == [0, 0, 0]
    told = [line for line in ran.out.splitlines() if re.match(r"NODES|[=!~+?] ", line)]
    begin = f"NODES {upgraded.name}  Kubernetes {NEW}  Kubespray 2.31.0  built by Slipway  4 nodes: 3 Ready, "
    assert re.match(begin + r"1 cordoned, 1 join, 1 converge  result: changes$", told[0])
    address = upgraded.hosts["worker2"].address
    assert re.match(rf"! worker1  worker +Ready      {NEW}    \S+ +cordoned$", told[1])
    assert re.match(rf"~ worker2  .* {address} .*converge: changed: kubeadm_join_timeout  .*hosts\.yml:\d+$", told[2])
    assert re.match(r"\+ worker3  worker .* join: in inventory, not in cluster  .*hosts\.yml:\d+$", told[3])
    assert told[4] == "= 1 in order (-v shows them)"
    assert f"STATUS {upgraded.name}  " in ran.out
    assert '"slipway_nodes_status"' in ran.out


def test_new_control_plane_host_is_not_for_scale(upgraded: Operations) -> None:
    upgraded.write(*FIRST, "worker3", kube_version=NEW)
    file = upgraded.inventory / "hosts.yml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["all"]["children"]["kube_control_plane"]["hosts"]["worker3"] = {}
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    before = upgraded.tasks
    ran = upgraded.does("scale")
    assert ran.status == 2
    assert "SLW-8303" in ran.out
    assert "ansible-playbook -i inventory slipway.cluster.install" in ran.out
    assert upgraded.tasks == before


def test_new_workers_join_together(grown: Operations) -> None:
    joins = sorted((o for o in grown.orders("join") if o["host"] in LATER), key=lambda order: order["began"])
    assert sorted(join["host"] for join in joins) == list(LATER)
    for one, other in pairwise(joins):
        assert other["began"] < one["ended"]
    tokens = grown.joined_with()[-len(LATER) :]
    assert len(set(tokens)) == 1
    assert set(tokens) != {grown.joined_with()[0]}, "the one of the installation"
    assert grown.orders("token create") == []
    assert grown.record()["hosts"].keys() == {*FIRST, *LATER}
    nothing_left(grown)


def test_addon_that_calls_fewer_nodes_unsafe_is_heard_first(grown: Operations) -> None:
    assert grown.get(RING)["spec"]["replicas"] == len(FIRST + LATER) - 1
    before = grown.tasks
    ran = grown.does("remove", slipway_remove_nodes="worker4")
    assert ran.status == 2
    said = "SLW-8413 add-on ring calls fewer nodes unsafe: StatefulSet ring/ring would go down from 4 to 3 replicas"
    assert said in ran.out
    assert "-e slipway_scale_down=ring" in ran.out
    assert grown.tasks == before
    assert "unschedulable" not in grown.get("/api/v1/nodes/worker4")["spec"]


def test_node_is_removed(grown: Operations) -> None:
    with counting(grown.hosts.values()) as new, grown.acted() as acted:
        grown.done("remove", slipway_remove_nodes="worker4", slipway_scale_down="ring")
    assert grown.get(RING)["spec"]["replicas"] == len(FIRST + LATER) - 2
    assert acted["remove_node"] == ["worker4"]
    assert {name for hosts in acted.values() for name in hosts} == {"worker4"}
    assert [new[name] for name in ("worker1", "worker2", "worker3")] == [0, 0, 0]
    assert grown.nodes().keys() == {*FIRST, "worker3"}
    assert grown.record()["hosts"].keys() == {*FIRST, "worker3"}
    assert [order["host"] for order in grown.orders("reset")] == ["worker4"]
    assert not (Path(grown.hosts["worker4"].folder) / "etc" / "kubernetes").exists()
    grown.write(*FIRST, "worker3", kube_version=NEW)


def test_consent_for_another_cluster(grown: Operations) -> None:
    before = grown.tasks
    ran = grown.does("remove", slipway_remove_cluster="another")
    assert ran.status == 2
    assert "SLW-8430" in ran.out
    assert grown.tasks == before
    assert grown.nodes().keys() == {*FIRST, "worker3"}


@pytest.mark.parametrize(
    ("playbook", "variables"),
    [("plan", {}), ("status", {}), ("addons", {}), ("remove", {"slipway_remove_addons": "team"})],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_no_kubespray_where_none_is_needed(grown: Operations, playbook: str, variables: dict[str, str]) -> None:
    addons = {"team": {"objects": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}]}}
    ran = grown.does(playbook, kubespray=False, slipway_addons=addons, **variables)
    assert ran.status == 0, ran.out
    assert ("not compared: SLW-8001" in ran.out) == (playbook == "plan")
    assert ("Kubespray 2.31.0 (none installed)" in ran.out) == (playbook == "status")


def test_removal_of_an_addon_reads_nothing_that_destroys(grown: Operations) -> None:
    ran = grown.done("remove", "--list-tasks", slipway_remove_addons="team")
    assert "Remove or disown add-ons" in ran.out
    assert not re.search("kubespray|reset|remove_node", ran.out.replace(str(COLLECTION), ""), re.IGNORECASE)


@pytest.fixture(scope="module")
def imaged(grown: Operations) -> Operations:
    """Workers out of an image: two join, and one of them takes the place of a worker."""
    grown.write(*FIRST, "worker3", kube_version=NEW, slipway_addons={"ring": ring()})
    grown.done("install")
    known = grown.record()
    variables = {**known["common"], **known["hosts"]["worker1"]["own"]}
    manifest = {
        "schema": 1,
        "name": "workers",
        "sealed": "2026-11-23T02:00:00Z",
        "kubespray": known["kubespray"],
        "kubernetes": f"v{NEW}",
        "container_runtime": {"name": "kwok", "version": "0.8.0"},
        "network_plugin": "calico",
        "architecture": "amd64",
        "variables": variables,
        "trust": [],
    }
    told = {**manifest, "digest": digest(manifest)}
    (grown.tmp / "image.json").write_text(json.dumps(told))
    lab = [sys.executable, "-m", "lab", "image-machine", "--name", grown.name]
    fault = "(['--fault', lab_image_fault] if lab_image_fault is defined else [])"
    boot = {
        "name": "Boot them",
        "ansible.builtin.command": {
            "argv": f"{{{{ {lab} + [item.user_data_file] + {fault} }}}}",
            "chdir": str(ROOT),
        },
        "async": 120,
        "poll": 0,
        "loop": "{{ slipway_batch }}",
        "environment": {"SLIPWAY_LAB_STATE": str(Path(grown.env["state_dir"]).parent), "PYTHONPATH": str(ROOT)},
    }
    end = {
        "name": "End them",
        "ansible.builtin.copy": {"dest": str(grown.tmp / "ended"), "content": "{{ slipway_batch | join(',') }}"},
    }
    (grown.tmp / "start.yml").write_text(yaml.safe_dump([boot]))
    (grown.tmp / "stop.yml").write_text(yaml.safe_dump([end]))
    return grown


def image_hosts(site: Operations, *more: str, **own: dict[str, Any]) -> None:
    common = {"slipway_node_source": "image", "slipway_image": str(site.tmp / "image.json")}
    images = {
        name: {**common, "ip": f"239.97.0.{number}", **own.get(name, {})}
        for number, name in enumerate((*IMAGES, *more), 7)
    }
    tasks: dict[str, Any] = {f"slipway_node_{what}": str(site.tmp / f"{what}.yml") for what in ("start", "stop")}
    site.write(*FIRST, "worker3", images=images, kube_version=NEW, slipway_addons={"ring": ring()}, **tasks)


def test_nodes_out_of_an_image_join_by_scale(imaged: Operations) -> None:
    image_hosts(imaged, image1={"kube_network_plugin": "flannel"})
    refused = imaged.does("scale")
    assert refused.status == 2
    assert "SLW-8715 image workers: it was made with other values of kube_network_plugin" in refused.out
    image_hosts(imaged, image1=MARKED)
    before, there = imaged.tasks, set(imaged.nodes())
    with counting(imaged.hosts.values()) as new:
        ran = imaged.done("scale")
    assert "image1, image2: out of an image, by a token, without SSH" in ran.out
    assert imaged.tasks == before
    assert [new[name] for name in (*FIRST[1:], "worker3")] == [0, 0, 0]
    assert imaged.nodes().keys() == there | set(IMAGES)
    assert imaged.record()["hosts"].keys() >= {*FIRST, "worker3", *IMAGES}
    assert len(set(imaged.joined_with()[-2:])) == 1
    node = imaged.get("/api/v1/nodes/image1")
    assert node["metadata"]["labels"]["disk"] == "ssd"
    assert [taint["key"] for taint in node["spec"]["taints"]] == ["dedicated"]
    nothing_left(imaged)
    again = imaged.done("install")
    assert "Kubespray has nothing to do" in again.out
    assert imaged.tasks == before


def test_worker_is_replaced_by_a_node_out_of_an_image(imaged: Operations) -> None:
    """The first attempt's machine never gets Ready: then nothing has happened to the old node."""
    image_hosts(imaged, "image3", image1=MARKED, image3={"slipway_replaces": "worker3"})
    before = imaged.tasks
    failed = imaged.does("replace", slipway_join_wait=8, lab_image_fault="never-ready")
    assert failed.status == 2
    assert re.search(r"SLW-873\d image3", re.sub(r"\s+", " ", failed.out)), failed.out
    there = set(imaged.nodes())
    old = imaged.get("/api/v1/nodes/worker3")
    assert "unschedulable" not in old["spec"]
    assert not (imaged.tmp / "ended").exists()
    with imaged.api() as api:
        api.need("PATCH", "/api/v1/nodes/image3", {"metadata": {"labels": {FAULT: None}}})
    with counting(imaged.hosts.values()) as new:
        imaged.done("replace")
    assert imaged.nodes().keys() == there - {"worker3"}
    assert imaged.record()["hosts"].keys() >= {*FIRST, *IMAGES, "image3"}
    assert "worker3" not in imaged.record()["hosts"]
    assert (imaged.tmp / "ended").read_text() == "worker3"
    assert [new[name] for name in (*FIRST[1:], "worker3")] == [0, 0, 0]
    assert imaged.tasks == before
    nothing_left(imaged)
    again = imaged.done("install")
    assert "image3 has replaced it: take it out of the inventory" in again.out
    assert imaged.tasks == before


def test_cluster_is_removed(grown: Operations) -> None:
    grown.write(*FIRST, "worker3", kube_version=NEW)
    with grown.acted() as acted:
        grown.done("remove", slipway_remove_cluster=grown.name)
    assert acted["reset"] == [*FIRST, "worker3"]
    assert not any((Path(host.folder) / "etc" / "kubernetes").exists() for host in grown.hosts.values())
    assert "kube-apiserver" not in grown.state.processes
