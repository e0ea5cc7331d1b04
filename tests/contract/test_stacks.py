# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Each stack that ships, to its end: a project, nothing that the preflight finds, a cluster with its add-ons."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.kubespray.operations import COLLECTION, operations
from tests.contract.stacks import OF_THE_MACHINE, Given, Project, chart_of, stand_in
from tests.unit.kubespray import real

pytestmark = pytest.mark.lab

STACKS = [
    Given("single_node", ("control1",)),
    Given("three_nodes", ("control1", "control2", "control3")),
    Given(
        "ha_storage_monitoring",
        ("control1", "control2", "control3", "worker1", "worker2"),
        {"retention": "2w", "metrics_size": "30Gi", "logs_size": "15Gi"},
    ),
    Given(
        "air_gapped",
        ("control1",),
        {"registry": "registry.example.com:5000", "files_url": "https://files.example.com"},
    ),
]
VERSION = "1.35.4"
# What the images of the catalog come from.
REGISTRIES = {"docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io"}


def parameters() -> Iterator[Any]:
    """The one of five hosts takes as long as all others."""
    for given in STACKS:
        yield pytest.param(given, id=given.stack, marks=[pytest.mark.slow] if len(given.hosts) > 3 else [])


@pytest.fixture(scope="module", params=parameters())
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project, its hosts, and charts for its add-ons in a repository of their own."""
    given: Given = request.param
    tmp = tmp_path_factory.mktemp("stack")
    with operations(f"{given.stack.replace('_', '-')}-{os.getpid()}", tmp, *given.machines) as site:
        one = Project(site, given)
        stand_in(site.folder / "repo", tmp / "charts", one.includes)
        repository = site.env["repo_url"]
        done = one.new(**({"charts_url": repository} if given.stack == "air_gapped" else {}))
        assert done.status == 0, done.out
        one.write_lab(**one.layer(repository))
        yield one


@pytest.fixture(scope="module")
def installed(project: Project) -> Project:
    before = project.made()
    project.done("install")
    assert project.made() == before, "the inventory is the user's"
    return project


def test_preflight_finds_nothing(project: Project) -> None:
    told = project.folder / "report.json"
    ran = project.done("preflight", slipway_preflight_json_file=str(told))
    report = json.loads(told.read_text(encoding="utf-8"))
    assert report["findings"] == [], ran.out
    assert report["hosts"] == sorted(project.given.hosts)


def test_preflight_with_kubespray_itself_finds_nothing(project: Project, cache: Path) -> None:
    """What a run of it needs besides is not here, and no matter of a stack."""
    told = project.folder / "kubespray.json"
    ran = project.done(
        "preflight",
        env={"ANSIBLE_COLLECTIONS_PATH": f"{COLLECTION}:{real.installed().parents[2]}"},
        slipway_preflight_json_file=str(told),
        slipway_preflight_severity=OF_THE_MACHINE | dict.fromkeys(["SLW-8005", "SLW-8006"], "ignore"),
        slipway_cache_dir=str(cache),
    )
    report = json.loads(told.read_text(encoding="utf-8"))
    assert (report["kubespray"], report["findings"]) == (real.VERSION, []), ran.out


def test_all_nodes_are_there_in_their_roles(installed: Project) -> None:
    hosts = installed.given.hosts
    assert installed.site.nodes() == dict.fromkeys(hosts, f"v{VERSION}")
    nodes = {node["metadata"]["name"]: node for node in installed.site.get("/api/v1/nodes")["items"]}
    for name, node in nodes.items():
        ready = [one["status"] for one in node["status"]["conditions"] if one["type"] == "Ready"]
        assert ready == ["True"], name
        marked = "node-role.kubernetes.io/control-plane" in node["metadata"]["labels"]
        assert marked == name.startswith("control"), name
    kept_free = {name for name, node in nodes.items() if node["spec"].get("taints")}
    # Only where there are others for the work.
    assert kept_free == ({"control1", "control2", "control3"} if len(hosts) == 5 else set())


def test_the_cluster_is_as_its_file_says(installed: Project) -> None:
    said = installed.says("cluster")
    file = installed.root("control1") / "etc/kubernetes/kubeadm-config.yaml"
    (config,) = (
        one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one["kind"] == "ClusterConfiguration"
    )
    assert config["kubernetesVersion"] == f"v{said['kube_version']}"
    assert config["networking"] == {
        "serviceSubnet": said["kube_service_addresses"],
        "podSubnet": said["kube_pods_subnet"],
    }
    for name in installed.given.hosts:
        plugin = installed.root(name) / "etc/cni/net.d/plugin"
        assert plugin.read_text(encoding="utf-8").strip() == said["kube_network_plugin"]


def test_all_add_ons_are_there_with_what_was_answered(installed: Project) -> None:
    releases = installed.releases()
    assert sorted(installed.uses[name] for name in releases) == installed.includes
    for name, release in releases.items():
        chart = release["chart"]["metadata"]
        assert release["info"]["status"] == "deployed", name
        assert (chart["name"], chart["version"]) == chart_of(installed.uses[name])
    if installed.given.stack == "ha_storage_monitoring":
        prometheus = releases["monitoring"]["config"]["prometheus"]["prometheusSpec"]
        claim = prometheus["storageSpec"]["volumeClaimTemplate"]["spec"]
        loki = releases["loki"]["config"]
        assert prometheus["retention"] == loki["loki"]["limits_config"]["retention_period"] == "2w"
        assert claim == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "30Gi"}}}
        assert loki["singleBinary"]["persistence"]["size"] == "15Gi"


def test_a_second_install_does_nothing(installed: Project) -> None:
    before = (installed.site.tasks, installed.releases(), installed.workloads())
    ran = installed.done("install")
    assert "Kubespray has nothing to do" in ran.out
    assert f"{len(installed.includes)} add-ons: {len(installed.includes)} unchanged" in ran.out
    assert (installed.site.tasks, installed.releases(), installed.workloads()) == before
    assert re.search(r"changed=[1-9]", ran.out) is None, ran.out


def test_what_hosts_pull_comes_from_the_registry_that_was_named(installed: Project) -> None:
    """And from where it comes by itself where none was."""
    registry = installed.given.answers.get("registry")
    file = installed.root("control1") / "etc/kubernetes/kubeadm-config.yaml"
    assert f"imageRepository: {registry or 'registry.k8s.io'}\n" in file.read_text(encoding="utf-8")
    for name in installed.given.hosts:
        folder = installed.root(name) / "etc/containerd/certs.d"
        told = {
            path.parent.name: tomllib.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/hosts.toml")
        }
        assert set(told) == (REGISTRIES if registry else set())
        for content in told.values():
            mirror = f"https://{registry}"
            assert content["server"] == mirror
            assert content["host"].keys() == {mirror}
            assert content["host"][mirror]["capabilities"] == ["pull", "resolve"]
