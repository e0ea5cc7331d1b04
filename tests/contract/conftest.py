# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: the lab that ``make test`` names, or one of our own when a single test is run by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.fixtures import objects as o
from tests.contract.support import ROOT, Cluster


def _told(name: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "lab", "env", "--name", name], cwd=ROOT, capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def lab_env() -> Iterator[dict[str, Any]]:
    named = os.environ.get("SLIPWAY_LAB_ENV")
    if named:
        yield json.loads(Path(named).read_text(encoding="utf-8"))
        return
    name = f"pytest-{os.getpid()}"
    subprocess.run([sys.executable, "-m", "lab", "up", "--name", name], cwd=ROOT, check=True)
    try:
        yield _told(name)
    finally:
        subprocess.run([sys.executable, "-m", "lab", "down", "--name", name], cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slipway-cache")


@pytest.fixture(params=[4], ids=lambda version: f"helm{version}")
def cluster(request: pytest.FixtureRequest, lab_env: dict[str, Any], cache: Path) -> Iterator[Cluster]:
    """A ``slipway_name`` of its own; whatever a test leaves behind is removed. Both Helms:
    ``@pytest.mark.parametrize("cluster", [3, 4], indirect=True)``."""
    one = Cluster(lab_env, cache, helm_version=request.param)
    yield one
    _clean(one)


@pytest.fixture(scope="module")
def shared(lab_env: dict[str, Any], cache: Path) -> Iterator[Cluster]:
    """One ``slipway_name`` for all tests of a file, its records' namespace included."""
    one = Cluster(lab_env, cache)
    o.make_namespaces(one, one.home)
    yield one
    _clean(one)


@pytest.fixture
def home(cluster: Cluster) -> None:
    """The records' namespace was there before, so that no removal waits for it to go."""
    o.make_namespaces(cluster, cluster.home)


@pytest.fixture
def main(cluster: Cluster) -> None:
    o.make_namespaces(cluster, cluster.ns("main"))


def _clean(cluster: Cluster) -> None:
    """Everything that carries this test's name, finalizers and all; not by the engine, which is under test."""
    kubectl = [cluster.env["bin"]["kubectl"], "--kubeconfig", cluster.env["kubeconfig"]]
    selector = f"slipway.cluster/name={cluster.name}"
    kinds = (
        "validatingwebhookconfigurations,mutatingwebhookconfigurations,apiservices,crd,clusterroles,clusterrolebindings,"
        "storageclasses,ingressclasses"
    )
    subprocess.run([*kubectl, "delete", kinds, "-l", selector, "--wait=false"], capture_output=True, check=False)
    listed = subprocess.run([*kubectl, "get", "ns", "-o", "name"], capture_output=True, text=True, check=True)
    mine = [line for line in listed.stdout.split() if line.startswith(f"namespace/{cluster.name}")]
    if mine:
        subprocess.run([*kubectl, "delete", "--wait=false", *mine], capture_output=True, check=False)
