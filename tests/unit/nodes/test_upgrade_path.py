# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The way of an upgrade: one minor at a time, what Kubespray can, skews, APIs that go, and what a dead one has left."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_removals import REMOVED, Used, gone_in
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_servers import versions_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_usage import Asked, asked_for, used_by_record
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import by_name
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem, Severity
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.upgrade_path import (
    Left,
    Offer,
    Running,
    api_problems,
    check_path,
    left,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.versions import Version, parse
from tests.unit.nodes.objects import node

OFFER = Offer("2.31.0", "1.33.0", ("1.35.4", "1.35.0", "1.34.7", "1.34.10", "1.33.0", "1.33.11"))


def running(server: str, *kubelets: str, **more: Any) -> Running:
    nodes = []
    for number, version in enumerate(kubelets):
        one = node(f"n{number}", control_plane=number == 0)
        one["status"]["nodeInfo"]["kubeletVersion"] = f"v{version}"
        nodes.append(one)
    return Running(server, by_name(nodes), **more)


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def check(server: str, target: str, *kubelets: str, **more: Any) -> list[Problem]:
    return check_path(
        running(server, *(kubelets or (server.removeprefix("v"),)), **more), target, OFFER, where="x.yml:1"
    )


@pytest.mark.parametrize(
    ("server", "target"),
    [("v1.34.7", "1.35.4"), ("1.34.7", "v1.35.4"), ("v1.35.0", "1.35.4"), ("v1.35.4", "1.35.4"), ("v1.34.7", "1.34.10"),
     ("v1.34.7+vendor.1", "1.35.0"), ("v1.32.9", "1.33.11")],
)  # fmt: skip
def test_ways_that_are_open(server: str, target: str) -> None:
    assert check(server, target, server.removeprefix("v").partition("+")[0]) == []


@pytest.mark.parametrize(
    ("server", "target", "code", "said", "remedy"),
    [
        ("v1.34.7", "latest", "SLW-8501", "'latest'", "1.35.4"),
        ("v1.34.7", "1.35", "SLW-8501", "'1.35'", "1.35.4"),
        ("v1.34.7", "1.35.9", "SLW-8502", "does not know Kubernetes 1.35.9", "it knows 1.35.4"),
        ("v1.35.4", "1.36.0", "SLW-8502", "does not know Kubernetes 1.36.0", "it knows 1.33.0 to 1.35.4"),
        ("v1.31.0", "1.32.5", "SLW-8502", "takes Kubernetes from 1.33.0", "older Kubespray"),
        ("v1.35.4", "1.34.10", "SLW-8503", "does not go back", "kube_version: 1.35.4"),
        ("v1.35.4", "1.35.0", "SLW-8503", "does not go back", "kube_version: 1.35.4"),
        ("v1.33.0", "1.35.4", "SLW-8504", "2 minor versions", "go by 1.34.10"),
        ("v1.32.0", "1.35.4", "SLW-8504", "3 minor versions", "go by 1.33.11, then 1.34.10"),
        ("v1.31.0", "1.33.11", "SLW-8504", "2 minor versions", "go by 1.32 (with an older Kubespray)"),
        ("gitless", "1.35.4", "SLW-8501", "'gitless'", ""),
    ],
)
def test_ways_that_are_closed(server: str, target: str, code: str, said: str, remedy: str) -> None:
    (found,) = check(server, target, server.removeprefix("v") if server.startswith("v1") else "1.35.0")
    assert (found.code, found.severity) == (code, Severity.ERROR)
    assert said in found.message
    assert remedy in found.remedy


@given(st.integers(20, 45), st.integers(20, 45))
def test_no_minor_is_ever_left_out(old: int, new: int) -> None:
    offer = Offer("2.31.0", "1.0.0", [f"1.{minor}.1" for minor in range(20, 46)])
    found = check_path(running(f"v1.{old}.1"), f"1.{new}.1", offer)
    assert codes(found) == (["SLW-8503"] if new < old else ["SLW-8504"] if new > old + 1 else [])


def test_skew_of_kubelets() -> None:
    assert check("v1.34.7", "1.35.4", "1.34.7", "1.32.1") == []
    (found,) = check("v1.34.7", "1.35.4", "1.34.7", "1.31.9", "1.32.0")
    assert (found.code, found.host) == ("SLW-8505", "n1")
    (found,) = check("v1.34.7", "1.34.10", "1.34.7", "1.35.0")
    assert (found.code, found.host) == ("SLW-8505", "n1")
    assert "newer than the API server" in found.message


def test_control_plane_is_where_its_last_member_is() -> None:
    servers = {"n0": "v1.34.10", "n1": "v1.33.11"}
    assert codes(check("v1.34.10", "1.35.4", "1.34.10", servers=servers)) == ["SLW-8504"]
    assert check("v1.34.10", "1.34.10", "1.34.10", servers=servers) == []
    assert codes(check("v1.33.11", "1.33.11", "1.33.11", servers=servers)) == ["SLW-8503"]
    apart = {"n0": "v1.35.4", "n1": "v1.33.11"}
    assert "SLW-8506" in codes(check("v1.35.4", "1.35.4", "1.33.11", servers=apart))


def test_versions_of_kubespray_one_by_one() -> None:
    for before, number in (("2.30.0", 0), ("2.31.0", 0), ("", 0), ("2.29.1", 1), ("2.32.0", 1)):
        found = check("v1.35.0", "1.35.4", kubespray=before)
        assert codes(found) == ["SLW-8508"] * number
        assert all(problem.severity is Severity.WARNING for problem in found)


def test_apis_that_go() -> None:
    used = [
        Used("policy/v1beta1", "PodDisruptionBudget", "add-on loki: PodDisruptionBudget a/b"),
        Used("networking.k8s.io/v1beta1", "ServiceCIDR", "add-on net: ServiceCIDR /x"),
        Used("policy/v1", "PodDisruptionBudget", "add-on new"),
    ]
    assert codes(api_problems(used, [], "1.24.0")) == []
    (found,) = api_problems(used, [], "1.25.0")
    assert (found.code, found.severity) == ("SLW-8507", Severity.ERROR)
    assert found.message.startswith("add-on loki: PodDisruptionBudget a/b is policy/v1beta1")
    assert "use policy/v1" in found.remedy
    assert len(api_problems(used, [], "1.37.0")) == 2
    (found,) = api_problems([], [Asked("widgets.v1beta1.example", 36), Asked("x.v1", 40)], "1.36.2")
    assert (found.code, found.severity) == ("SLW-8507", Severity.WARNING)


def test_table_of_apis() -> None:
    assert all(16 <= removed.minor <= 45 for removed in REMOVED.values())
    assert all("beta" in version or "alpha" in version for version, _kind in REMOVED)
    one = Used("batch/v1beta1", "CronJob", "a")
    assert [removed.instead for _used, removed in gone_in([one, one], 36)] == ["batch/v1"]


def test_used_by_a_record() -> None:
    item = {"group": "", "version": "v1", "kind": "Secret", "namespace": "a", "name": "s"}
    other = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "a", "name": "d"}
    assert used_by_record({"addon": "x", "objects": [item, other]}) == [
        Used("v1", "Secret", "add-on x: Secret a/s"),
        Used("apps/v1", "Deployment", "add-on x: Deployment a/d"),
    ]


def test_metric_of_the_api_server() -> None:
    name = "apiserver_requested_deprecated_apis"
    claims = 'group="resource.k8s.io",removed_release="1.38",resource="resourceclaims",subresource="",version="v1beta1"'
    old = 'group="",removed_release="",resource="componentstatuses",subresource="",version="v1"'
    text = f"# TYPE {name} gauge\n{name}{{{claims}}} 1\n{name}{{{old}}} 1\n"
    assert asked_for(text) == [Asked("resourceclaims.v1beta1.resource.k8s.io", 38)]


def test_what_is_left() -> None:
    now = running("v1.35.4", "1.35.4", "1.34.7", "1.35.4", "1.34.7", "1.34.7", "1.34.7")
    order = [f"n{number}" for number in range(6)] + ["not-there"]
    found = left(now, "1.35.4", order, "40%")
    assert found == Left((), (("n1", "n3"), ("n4", "n5")), ("n0", "n2"))
    assert not left(now, "v1.34.7", ["n1", "n3"], 1)
    behind = running("v1.35.4", "1.35.4", "1.35.4", servers={"n0": "v1.34.7"})
    assert left(behind, "1.35.4", ["n0", "n1"], "20%") == Left(("n0",), (), ("n1",))
    with pytest.raises(NodesError, match="SLW-8420"):
        left(now, "1.35.4", order, "0%")


def test_versions_are_numbers() -> None:
    row = ["1.9.0", "1.10.0-alpha.2", "1.10.0-alpha.10", "1.10.0-beta.1", "1.10.0-rc.1", "1.10.0", "1.10.1", "2.0.0"]
    assert sorted([*row[4:], *row[:4]], key=lambda text: parse(text) or Version(0, 0, 0)) == row
    assert str(parse("v1.36.0-rc.1+x")) == "1.36.0-rc.1"
    assert [parse(text) for text in ("", "1", "1.2", "v1.2.x", "1.2.3.4")] == [None] * 5


def test_versions_of_api_servers_by_their_images() -> None:
    def static_pod(name: str, image: str) -> dict[str, Any]:
        return {"spec": {"nodeName": name, "containers": [{"image": image}]}}

    pods = [
        static_pod("cp1", "registry.k8s.io/kube-apiserver:v1.35.4"),
        static_pod("cp2", "127.0.0.1:5000/k8s/kube-apiserver:v1.34.7@sha256:abc"),
        static_pod("cp3", "127.0.0.1:5000/kube-apiserver@sha256:abc"),
        static_pod("cp4", "kube-apiserver"),
    ]
    assert versions_of(pods) == {"cp1": "v1.35.4", "cp2": "v1.34.7"}
