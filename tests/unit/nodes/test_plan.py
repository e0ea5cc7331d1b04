# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a run does with nodes follows from inventory, API and record, each with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import (
    CONTROL_PLANE,
    ETCD,
    REFLECTOR,
    WORKER,
    Actual,
    Desired,
    actual,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import Action, NodePlan, Wanted, make
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Severity
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_text import nodes_dict, nodes_lines

FIRST = Desired("cp1", frozenset({CONTROL_PLANE, ETCD}), "10.0.0.1", {"cidr": "a", "own": "1"}, "hosts.yml:3")


def worker(number: int, **more: Any) -> Desired:
    return Desired(f"w{number}", frozenset({WORKER}), f"10.0.1.{number}", {"cidr": "a"}, f"hosts.yml:{number}", **more)


def live(*hosts: Desired, **more: Any) -> dict[str, Actual]:
    return {
        h.name: replace(Actual(h.name, h.roles, True, "", "1.35.4", (h.address,), False, "u"), **more) for h in hosts
    }


def recorded(*hosts: Desired, **more: Any) -> Record:
    return replace(Record("prod", "2.31.0", "1.35.4").with_hosts(hosts), **more)


def wanted(*hosts: Desired, **more: Any) -> Wanted:
    return replace(Wanted("install", "prod", hosts, "2.31.0", "1.35.4", inventory="inventories/prod"), **more)


def actions(plan: NodePlan) -> dict[str, str]:
    return {node.name: node.action.value for node in plan.nodes}


def codes(plan: NodePlan) -> list[str]:
    return [problem.code for problem in plan.problems if problem.severity is Severity.ERROR]


CLUSTER = (FIRST, worker(1), worker(2))


def test_nothing_differs() -> None:
    plan = make(wanted(*CLUSTER), live(*CLUSTER), recorded(*CLUSTER))
    assert set(actions(plan).values()) == {"unchanged"}
    assert not plan.runs
    assert not plan.changes
    assert "= 3 unchanged (-v shows them)" in list(nodes_lines(plan, "prod"))


def test_without_a_cluster_all_hosts_are_built() -> None:
    plan = make(wanted(*CLUSTER), None, None)
    assert plan.runs == {"cluster": ("cp1", "w1", "w2")}
    assert plan.creates


def test_absent_hosts_are_no_part_of_a_new_cluster() -> None:
    hosts = (*CLUSTER, worker(3, source="image"), worker(4, source="image"))
    plan = make(wanted(*hosts, absent=frozenset({"w1", "w4"})), None, None)
    assert plan.runs == {"cluster": ("cp1", "w2"), "join": ("w3",)}
    assert [n.reasons for n in plan.nodes if n.action is Action.ABSENT] == [("slipway_absent_nodes names it",)] * 2
    assert plan.marking == ("cp1", "w2", "w3")


@pytest.mark.parametrize("operation", ["scale", "upgrade", "remove"])
def test_without_a_cluster_there_is_nothing_to_scale(operation: str) -> None:
    plan = make(wanted(*CLUSTER, operation=operation), None, None)
    with pytest.raises(NodesError, match=f"SLW-8301 there is no cluster to {operation}"):
        plan.check()


@pytest.mark.parametrize("operation", ["install", "scale"])
def test_a_new_worker_goes_by_scale_and_nobody_else_is_visited(operation: str) -> None:
    plan = make(wanted(*CLUSTER, worker(3), operation=operation), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"scale": ("w3",)}
    (change,) = [node for node in plan.nodes if node.action is Action.JOIN]
    assert (change.name, change.reasons, change.where) == ("w3", ("in inventory, not in cluster",), "hosts.yml:3")


def test_dead_workers_are_told_and_not_visited() -> None:
    dead = live(*CLUSTER)
    dead["w2"] = replace(dead["w2"], ready=False, reason="NodeStatusUnknown")
    plan = make(wanted(*CLUSTER, worker(3)), dead, recorded(*CLUSTER))
    assert plan.runs == {"scale": ("w3",)}
    assert "    not ready: NodeStatusUnknown" in list(nodes_lines(plan, "prod"))


def test_a_new_control_plane_host_is_no_matter_for_scale() -> None:
    second = Desired("cp2", frozenset({CONTROL_PLANE}), "10.0.0.2", {}, "hosts.yml:9")
    plan = make(wanted(*CLUSTER, second, operation="scale"), live(*CLUSTER), recorded(*CLUSTER))
    assert codes(plan) == ["SLW-8303"]
    assert "ansible-playbook -i inventories/prod slipway.cluster.install" in plan.problems[0].remedy
    plan = make(wanted(*CLUSTER, second), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"cluster": ("cp1", "w1", "w2", "cp2")}


def test_a_changed_variable_of_one_worker_concerns_that_worker() -> None:
    changed = replace(worker(2), variables={"cidr": "a", "kubelet_max_pods": "x"})
    plan = make(wanted(FIRST, worker(1), changed), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"scale": ("w2",)}
    assert [n.reasons for n in plan.nodes if n.name == "w2"] == [("changed: kubelet_max_pods",)]


def test_a_changed_variable_of_the_control_plane_concerns_all() -> None:
    changed = replace(FIRST, variables={"cidr": "b", "own": "1"})
    plan = make(wanted(changed, worker(1), worker(2)), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"cluster": ("cp1", "w1", "w2")}
    assert actions(plan) == {"cp1": "converge", "w1": "unchanged", "w2": "unchanged"}


def test_scale_leaves_changed_variables_to_install() -> None:
    changed = replace(FIRST, variables={"cidr": "b", "own": "1"})
    plan = make(wanted(changed, worker(1), worker(3), operation="scale"), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"scale": ("w3",)}
    assert not codes(plan)


@pytest.mark.parametrize("more", [{}, {"converge": True}])
def test_scale_says_what_it_leaves_to_install(more: dict[str, Any]) -> None:
    changed = replace(worker(2), variables={"cidr": "b"})
    plan = make(wanted(FIRST, worker(1), changed, operation="scale", **more), live(*CLUSTER), recorded(*CLUSTER))
    assert not plan.changes
    assert set(actions(plan).values()) == {"unchanged"}
    (note,) = next(node.notes for node in plan.nodes if node.name == "w2")
    assert note.startswith("changed: cidr")
    assert note.endswith("left to slipway.cluster.install")
    assert note in "\n".join(nodes_lines(plan, "prod"))


def test_a_variable_that_is_dropped_is_a_change() -> None:
    plan = make(wanted(replace(FIRST, variables={}), worker(1)), live(*CLUSTER), recorded(*CLUSTER))
    assert [n.reasons for n in plan.nodes if n.name == "cp1"] == [("changed: cidr, own",)]


def test_roles_and_addresses() -> None:
    both = replace(worker(1), roles=frozenset({WORKER, ETCD}), address="10.9.9.9")
    plan = make(wanted(FIRST, both, worker(2)), live(*CLUSTER), recorded(*CLUSTER))
    assert [n.reasons for n in plan.nodes if n.name == "w1"] == [
        ("roles worker -> etcd+worker", "address 10.0.1.1 -> 10.9.9.9")
    ]
    assert plan.runs == {"cluster": ("cp1", "w1", "w2")}


def test_another_kubernetes_is_an_upgrade_and_no_install() -> None:
    plan = make(wanted(*CLUSTER, kubernetes="1.36.1"), live(*CLUSTER), recorded(*CLUSTER))
    assert codes(plan) == ["SLW-8305"]
    assert "slipway.cluster.upgrade" in plan.problems[0].remedy
    told = make(wanted(*CLUSTER, kubernetes="1.36.1", operation="plan"), live(*CLUSTER), recorded(*CLUSTER))
    assert not codes(told)
    assert any("SLW-8305" in line for line in nodes_lines(told, "prod"))


def test_another_kubespray_with_the_same_kubernetes_converges_all() -> None:
    plan = make(wanted(*CLUSTER, kubespray="2.31.1"), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"cluster": ("cp1", "w1", "w2")}
    assert plan.reasons == ("Kubespray 2.31.0 -> 2.31.1",)
    scaled = make(wanted(*CLUSTER, kubespray="2.31.1", operation="scale"), live(*CLUSTER), recorded(*CLUSTER))
    assert not scaled.runs


def test_a_cluster_of_somebody_else_is_not_touched_without_a_word() -> None:
    plan = make(wanted(*CLUSTER, worker(3)), live(*CLUSTER), None)
    assert codes(plan) == ["SLW-8302"]
    assert "-e slipway_adopt_cluster=prod" in plan.problems[0].remedy
    plan = make(wanted(*CLUSTER, worker(3), adopt=True), live(*CLUSTER), None)
    assert not codes(plan)
    assert plan.adopts
    assert plan.runs == {"scale": ("w3",)}
    assert actions(plan) == {"cp1": "adopt", "w1": "adopt", "w2": "adopt", "w3": "join"}


def test_a_cluster_of_another_name_is_another_cluster() -> None:
    plan = make(wanted(*CLUSTER), live(*CLUSTER), replace(recorded(*CLUSTER), name="staging"))
    assert codes(plan) == ["SLW-8312"]
    assert "calls it 'staging'" in plan.problems[0].message


def test_a_node_whose_run_died_is_joined_again() -> None:
    """The API knows it, the record does not: nobody knows how far Kubespray came."""
    plan = make(wanted(*CLUSTER), live(*CLUSTER), recorded(FIRST, worker(1)))
    assert plan.runs == {"scale": ("w2",)}
    assert [n.reasons for n in plan.nodes if n.name == "w2"] == [("in inventory, not in the record",)]


def test_a_node_that_is_gone_from_the_cluster_is_joined_again() -> None:
    plan = make(wanted(*CLUSTER), live(FIRST, worker(1)), recorded(*CLUSTER))
    assert plan.runs == {"scale": ("w2",)}
    assert [n.reasons for n in plan.nodes if n.name == "w2"] == [("recorded, and gone from the cluster",)]


def test_an_etcd_host_is_no_node_and_is_not_missed() -> None:
    etcd = Desired("e1", frozenset({ETCD}), "10.0.2.1")
    plan = make(wanted(*CLUSTER, etcd), live(*CLUSTER), recorded(*CLUSTER, etcd))
    assert not plan.runs


def test_a_route_reflector_is_a_node_that_scale_does_not_make() -> None:
    reflector = replace(worker(9), roles=frozenset({REFLECTOR}))
    plan = make(wanted(*CLUSTER, reflector), live(*CLUSTER), recorded(*CLUSTER))
    assert actions(plan)["w9"] == "join"
    assert plan.runs == {"cluster": ("cp1", "w1", "w2", "w9")}
    plan = make(wanted(*CLUSTER, reflector, operation="scale"), live(*CLUSTER), recorded(*CLUSTER))
    assert codes(plan) == ["SLW-8303"]
    assert "w9 is to be route-reflector" in plan.problems[0].message
    everybody = (*CLUSTER, reflector)
    assert not make(wanted(*everybody), live(*everybody), recorded(*everybody)).runs


def test_the_api_knows_route_reflectors_by_their_taint() -> None:
    taint = {"key": "node-role.kubernetes.io/calico-rr", "effect": "NoSchedule"}
    assert actual({"metadata": {"name": "r1"}, "spec": {"taints": [taint]}}).roles == {REFLECTOR}


def test_strangers_are_told_and_left() -> None:
    plan = make(wanted(FIRST, worker(1)), live(*CLUSTER, worker(9)), recorded(*CLUSTER))
    assert not plan.runs
    reasons = {node.name: node.reasons[0] for node in plan.nodes if node.action is Action.STRANGER}
    assert reasons == {
        "w2": "in cluster, not in inventory any more",
        "w9": "in cluster, never in inventory: somebody else's",
    }
    assert any("slipway_remove_nodes=w2" in line for line in nodes_lines(plan, "prod"))


def test_absent_hosts_are_left_alone_even_when_all_converge() -> None:
    plan = make(wanted(*CLUSTER, converge=True, absent=frozenset({"w2"})), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"cluster": ("cp1", "w1")}
    assert actions(plan)["w2"] == "absent"


def test_versions_that_lag_are_noted() -> None:
    lagging = live(*CLUSTER)
    lagging["w1"] = replace(lagging["w1"], kubelet="1.34.2", cordoned=True)
    plan = make(wanted(*CLUSTER), lagging, recorded(*CLUSTER))
    assert [n.notes for n in plan.nodes if n.name == "w1"] == [("cordoned", "kubelet 1.34.2, the cluster has 1.35.4")]


def test_the_plan_as_data_says_what_the_text_says() -> None:
    plan = make(wanted(*CLUSTER, worker(3)), live(*CLUSTER), recorded(*CLUSTER))
    data = nodes_dict(plan)
    assert data["runs"] == {"scale": ["w3"]}
    assert data["changes"] is True
    assert [node["action"] for node in data["nodes"]] == ["unchanged"] * 3 + ["join"]
    text = "\n".join(nodes_lines(plan, "prod"))
    assert "NODES prod  4 nodes: 1 join, 3 unchanged" in text
    assert "Kubespray's scale runs on w3" in text


def test_a_node_of_the_api() -> None:
    found = actual(
        {
            "metadata": {"name": "cp1", "uid": "u", "labels": {"node-role.kubernetes.io/control-plane": ""}},
            "spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]},
            "status": {
                "conditions": [{"type": "Ready", "status": "False", "reason": "KubeletNotReady"}],
                "nodeInfo": {"kubeletVersion": "v1.35.4"},
                "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "cp1"}],
            },
        }
    )
    assert found == Actual(
        "cp1", frozenset({CONTROL_PLANE}), False, "KubeletNotReady", "1.35.4", ("10.0.0.1",), False, "u"
    )


def test_a_cluster_of_ours_without_a_host_in_its_record_is_built_on() -> None:
    plan = make(wanted(*CLUSTER), live(*CLUSTER), Record("prod"))
    assert plan.runs == {"cluster": ("cp1", "w1", "w2")}
    assert not plan.adopts
    assert not codes(plan)


@pytest.mark.parametrize("operation", ["install", "scale"])
def test_nodes_out_of_an_image_are_none_of_kubesprays_while_they_join(operation: str) -> None:
    hosts = (*CLUSTER, worker(3), worker(4, source="image"))
    plan = make(wanted(*hosts, operation=operation), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"scale": ("w3",), "join": ("w4",)}
    lines = list(nodes_lines(plan, "prod"))
    assert "  w4: out of an image, by a token, without SSH" in lines
    assert "  Kubespray's scale runs on w3" in lines
    # From then on it is a node like others.
    changed = replace(hosts[-1], variables={"cidr": "b"})
    assert make(wanted(*hosts[:-1], changed), live(*hosts), recorded(*hosts)).runs == {"scale": ("w4",)}


def test_a_new_cluster_gets_its_nodes_out_of_an_image_at_the_end() -> None:
    hosts = (FIRST, worker(1), worker(2, source="image"))
    assert list(make(wanted(*hosts), None, None).runs.items()) == [("cluster", ("cp1", "w1")), ("join", ("w2",))]


def test_only_the_new_one_joins_when_all_hosts_converge() -> None:
    hosts = (*CLUSTER, worker(3, source="image"))
    plan = make(wanted(*hosts, kubespray="2.32.0"), live(*CLUSTER), recorded(*CLUSTER))
    assert plan.runs == {"cluster": ("cp1", "w1", "w2"), "join": ("w3",)}


def test_with_nodes_out_of_an_image_alone_kubespray_has_nothing_to_do() -> None:
    plan = make(wanted(*CLUSTER, worker(3, source="image")), live(*CLUSTER), recorded(*CLUSTER))
    assert "  Kubespray has nothing to do" in list(nodes_lines(plan, "prod"))


@pytest.mark.parametrize(
    "host", [replace(FIRST, source="image"), worker(1, source="picture")], ids=["control plane", "unknown"]
)
def test_sources_that_cannot_be(host: Desired) -> None:
    for known in (live(*CLUSTER), None):
        plan = make(wanted(worker(2), host), known, recorded(*CLUSTER) if known else None)
        assert codes(plan) == ["SLW-8315"]
