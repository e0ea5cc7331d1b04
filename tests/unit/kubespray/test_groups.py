# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Groups of an inventory: each finding with an inventory that has it, and one that has not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.groups import Inventory, check_groups
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity

GOOD = {
    "all": ["cp1", "cp2", "cp3", "w1", "w2"],
    "kube_control_plane": ["cp1", "cp2", "cp3"],
    "etcd": ["cp1", "cp2", "cp3"],
    "kube_node": ["w1", "w2"],
    "k8s_cluster": ["cp1", "cp2", "cp3", "w1", "w2"],
}


def found(changes: dict[str, list[str] | None] | None = None, **options: Any) -> list[Problem]:
    groups = {name: hosts for name, hosts in {**GOOD, **(changes or {})}.items() if hosts is not None}
    everybody = list(dict.fromkeys(host for hosts in groups.values() for host in hosts))
    former = options.pop("former", {})
    where = options.pop("where", lambda name: "")
    return check_groups(Inventory(groups, everybody, where, former), **options)


def codes(*arguments: Any, **options: Any) -> list[str]:
    return [problem.code for problem in found(*arguments, **options)]


def test_nothing_is_found_in_a_good_inventory() -> None:
    assert found() == []
    assert found(former={"kube_control_plane": "cp1", "etcd": "cp1"}) == []
    assert found({"all": ["localhost", *GOOD["all"]]}) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"k8s_cluster": None}, "SLW-8010"),
        ({"k8s_cluster": ["cp1", "cp2", "cp3", "w1"]}, "SLW-8010"),
        ({"kube_control_plane": []}, "SLW-8011"),
        ({"kube_control_plane": None}, "SLW-8011"),
        ({"kube_node": []}, "SLW-8012"),
        ({"etcd": None}, "SLW-8013"),
        ({"etcd": ["cp1", "cp2"]}, "SLW-8014"),
        ({"kube-master": ["cp1"]}, "SLW-8015"),
        ({"kube-node": ["w1"]}, "SLW-8015"),
        ({"kube_contol_plane": ["cp1"]}, "SLW-8015"),
        ({"k8s-cluster": ["cp1"]}, "SLW-8015"),
        ({"all": [*GOOD["all"], "db1"]}, "SLW-8016"),
        ({"w1": ["w1"]}, "SLW-8017"),
        ({"bastion": ["cp1"]}, "SLW-8019"),
        ({"no_floating": ["bastion"]}, "SLW-8019"),
    ],
)
def test_each_fault_is_found_once(changes: dict[str, list[str] | None], code: str) -> None:
    assert codes(changes) == [code]


@pytest.mark.parametrize("name", ["Worker1", "worker_1", "-w", "w-", "w..1", "w" * 254])
def test_names_that_no_node_can_have(name: str) -> None:
    changed = {"kube_node": [name], "k8s_cluster": ["cp1", "cp2", "cp3", name], "all": ["cp1", "cp2", "cp3", name]}
    assert codes(changed) == ["SLW-8017"]


@pytest.mark.parametrize("name", ["w-1", "w1.example.com", "1w"])
def test_names_that_a_node_can_have(name: str) -> None:
    assert codes({"kube_node": [name], "k8s_cluster": ["cp1", "cp2", "cp3", name], "all": [name]}) == []


def test_etcd_may_be_the_business_of_kubeadm() -> None:
    assert codes({"etcd": []}, etcd_by_kubeadm=True) == []


def test_own_groups_are_left_alone() -> None:
    assert codes({"monitoring": ["w1"], "rack_a": ["w2"], "etc": ["w1"], "kube_nodes_ssd": ["w1"]}) == []


@pytest.mark.parametrize("group", ["kube_control_plane", "etcd"])
def test_another_first_host_is_found(group: str) -> None:
    (problem,) = found(former={group: "cp2"})
    assert (problem.code, problem.severity) == ("SLW-8018", Severity.ERROR)
    assert problem.message == f"the first host of {group} was cp2 and is cp1 now"


def test_a_group_that_has_gone_is_not_compared() -> None:
    assert codes({"etcd": []}, former={"etcd": "cp1"}, etcd_by_kubeadm=True) == []


def test_all_is_found_at_once_and_places_are_named() -> None:
    problems = found(
        {"k8s_cluster": None, "etcd": ["cp1", "cp2"], "kube-master": ["cp1"]},
        where=lambda name: f"hosts.yml:{len(name)}",
    )
    assert [(p.code, p.where) for p in problems] == [
        ("SLW-8014", "group etcd"),
        ("SLW-8010", "group k8s_cluster"),
        ("SLW-8015", "hosts.yml:11"),
    ]


def test_many_hosts_make_a_short_line() -> None:
    (problem,) = found({"all": [*GOOD["all"], *(f"db{number}" for number in range(40))]})
    assert problem.message.startswith("db0, db1, db2, db3, db4 and 35 more are in none")
