# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether an image fits: each thing that speaks against it is found, and all of them at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_fit import Fitting, fits
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_image import Image, digest, read
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import Desired
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem, Severity

Json = dict[str, Any]
MANIFEST: Json = {
    "schema": 1,
    "name": "workers-7",
    "sealed": "2026-11-23T02:00:00Z",
    "kubespray": "2.31.0",
    "kubernetes": "v1.35.4",
    "container_runtime": {"name": "containerd", "version": "2.2.3"},
    "network_plugin": "calico",
    "architecture": "x86_64",
    "os": {"id": "debian", "version_id": "13"},
    "variables": {"kubelet_max_pods": "a1", "kube_proxy_mode": "b2", "ip": "c3"},
    "trust": ["SHA256:one"],
}
HOST = Desired(
    "w7", frozenset({"worker"}), "10.0.0.7", {"kubelet_max_pods": "a1", "kube_proxy_mode": "b2", "ip": "x"}, "i:7"
)
WANTED = Fitting("1.35.4", "2.31.0", frozenset({"containerd"}), "calico", "amd64")


def sealed(**changes: Any) -> str:
    body = {**MANIFEST, **changes}
    return json.dumps({**body, "digest": digest(body)})


def image(**changes: Any) -> Image:
    return read(sealed(**changes), "image.json")


def found(one: Image, wanted: Fitting = WANTED, host: Desired = HOST) -> list[Problem]:
    return fits(one, host, wanted)


def test_it_fits() -> None:
    assert found(image()) == []


@pytest.mark.parametrize(
    ("kubelet", "server", "said"),
    [
        ("v1.33.9", "1.35.4", "of another minor version than the API server, 1.35.4"),
        ("v1.34.9", "1.35.4", "of another minor version"),
        ("v1.36.0", "1.35.4", "of another minor version"),
        ("v1.35.5", "1.35.4", "newer than the API server"),
        ("latest", "1.35.4", "'latest' is no version"),
        ("v1.35.4", "", "'' is no version"),
    ],
)
def test_versions(kubelet: str, server: str, said: str) -> None:
    (problem,) = found(image(kubernetes=kubelet), replace(WANTED, server=server))
    assert problem.code == "SLW-8711"
    assert said in problem.message
    assert (problem.host, problem.where) == ("w7", "i:7")


def test_an_older_patch_fits() -> None:
    assert found(image(kubernetes="v1.35.1")) == []


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"container_runtime": {"name": "crio", "version": "1"}}, "SLW-8712", "crio, the cluster's is containerd"),
        ({"network_plugin": "cilium"}, "SLW-8713", "cilium, the cluster's is calico"),
        ({"architecture": "aarch64"}, "SLW-8714", "aarch64, the cluster's is x86_64"),
        ({"kubespray": "2.30.0"}, "SLW-8716", "2.30.0, the cluster's is 2.31.0"),
    ],
)
def test_other_things(changes: Json, code: str, said: str) -> None:
    (problem,) = found(image(**changes))
    assert problem.code == code
    assert said in problem.message
    unknown = Fitting("1.35.4")
    assert found(image(**changes), unknown) == [], "what is not known of the cluster is not compared"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"kubelet_max_pods": "zz", "kube_proxy_mode": "b2"}, "kubelet_max_pods"),
        ({"kubelet_max_pods": "a1"}, "kube_proxy_mode"),
        ({"kubelet_max_pods": "a1", "kube_proxy_mode": "b2", "new": "1"}, "new"),
        ({}, "kube_proxy_mode, kubelet_max_pods"),
    ],
)
def test_variables(variables: Json, named: str) -> None:
    (problem,) = found(image(variables=variables))
    assert problem.code == "SLW-8715"
    assert problem.message.endswith(f"other values of {named}")


def test_many_variables_are_counted() -> None:
    (problem,) = found(image(variables={**MANIFEST["variables"], **{f"v{n}": "1" for n in range(20)}}))
    assert problem.message.endswith("and 12 more")


def test_trust_is_a_warning() -> None:
    (problem,) = found(image(), replace(WANTED, trust=frozenset({"SHA256:one", "SHA256:two"})))
    assert (problem.code, problem.severity) == ("SLW-8717", Severity.WARNING)
    assert "SHA256:two" in problem.message
    assert "SHA256:one" not in problem.message


def test_everything_at_once() -> None:
    wrong = image(
        kubernetes="v1.33.0",
        container_runtime={"name": "crio", "version": ""},
        network_plugin="cilium",
        architecture="arm64",
        variables={},
        kubespray="2.29.0",
    )
    assert [problem.code for problem in found(wrong)] == [f"SLW-871{n}" for n in range(1, 7)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        sealed(schema=2),
        sealed().replace("calico", "cilium"),
        json.dumps({key: value for key, value in json.loads(sealed()).items() if key != "digest"}),
        sealed(container_runtime="containerd"),
        sealed(variables=[]),
    ],
)
def test_manifests_that_cannot_be_used(text: str) -> None:
    with pytest.raises(NodesError) as caught:
        read(text, "image.json")
    assert [problem.code for problem in caught.value.problems] == ["SLW-8710"]
    assert caught.value.problems[0].where == "image.json"
