# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The guards of a removal about pods and volumes: each obstacle, alone and beside a node that has none."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.guards_pods import budget_warnings, pod_problems
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.placement import quantity, requests
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity
from tests.unit.nodes.objects import budget, claim, local_volume, mounts, node, pod

Json = dict[str, Any]


def check(
    pods: list[Json], *, nodes: list[Json] | None = None, leaving: tuple[str, ...] = ("w1",), **more: Any
) -> list[Problem]:
    given: Json = {"volumes": [], "claims": [], "budgets": [], "consented": frozenset(), "unreachable": frozenset()}
    every = [node("w1"), node("w2")] if nodes is None else nodes
    return pod_problems(leaving, nodes=every, pods=pods, where="", **{**given, **more})


def affinity(key: str, operator: str, *values: str) -> Json:
    term = {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


def apart(key: str = "kubernetes.io/hostname") -> Json:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": "x"}}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_pods_with_a_place_are_no_problem() -> None:
    stay = [
        pod("daemon", "w1", owner="DaemonSet", nodeSelector={"kubernetes.io/hostname": "w1"}),
        pod(
            "mirror", "w1", owner="Node", annotations={"kubernetes.io/config.mirror": "x"}, nodeSelector={"no": "where"}
        ),
        pod("finished", "w1", owner="", phase="Succeeded", nodeSelector={"no": "where"}),
        pod("elsewhere", "w2", nodeSelector={"no": "where"}),
    ]
    assert check([*stay, pod("moves", "w1", cpu="1")]) == []


OBSTACLES = [
    ({"nodeSelector": {"disk": "ssd"}}, {}, "nodeSelector"),
    ({"affinity": affinity("disk", "In", "ssd", "nvme")}, {}, "node affinity"),
    ({"affinity": affinity("kubernetes.io/hostname", "NotIn", "w2")}, {}, "node affinity"),
    ({"affinity": affinity("disk", "Exists")}, {}, "node affinity"),
    ({"affinity": affinity("kubernetes.io/hostname", "DoesNotExist")}, {}, "node affinity"),
    ({"affinity": affinity("cores", "Gt", "8")}, {"labels": {"cores": "8"}}, "node affinity"),
    ({"affinity": affinity("cores", "Lt", "8")}, {}, "node affinity"),
    ({}, {"taints": [{"key": "dedicated", "value": "b", "effect": "NoSchedule"}]}, "taint dedicated"),
    ({"tolerations": [{"key": "dedicated", "value": "a"}]},
     {"taints": [{"key": "dedicated", "value": "b", "effect": "NoExecute"}]}, "taint dedicated"),
    ({"tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}]},
     {"taints": [{"key": "dedicated", "effect": "NoSchedule"}]}, "taint dedicated"),
    ({}, {"unschedulable": True}, "cordoned"),
    ({}, {"ready": False}, "not ready"),
    ({"cpu": "5"}, {}, "without room for its cpu"),
    ({"affinity": apart()}, {}, "anti-affinity"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "other", "said"), OBSTACLES)
def test_pod_with_nowhere_to_go(spec: Json, other: Json, said: str) -> None:
    neighbour = [pod("other", "w2")]
    (found,) = check([pod("p", "w1", **spec), *neighbour], nodes=[node("w1"), node("w2", **other)])
    assert (found.code, found.severity, found.host) == ("SLW-8412", Severity.ERROR, "w1")
    assert found.message.startswith("pod a/p on w1 has nowhere to go: 1 ")
    assert said in found.message


FITS = [
    ({"nodeSelector": {"disk": "ssd"}}, {"labels": {"disk": "ssd"}}),
    ({"affinity": affinity("disk", "In", "ssd", "nvme")}, {"labels": {"disk": "nvme"}}),
    ({"affinity": affinity("kubernetes.io/hostname", "NotIn", "w1")}, {}),
    ({"affinity": affinity("disk", "Exists")}, {"labels": {"disk": ""}}),
    ({"affinity": affinity("disk", "DoesNotExist")}, {}),
    ({"affinity": affinity("cores", "Gt", "8")}, {"labels": {"cores": "9"}}),
    ({"affinity": affinity("cores", "Lt", "8")}, {"labels": {"cores": "7"}}),
    ({}, {"taints": [{"key": "dedicated", "value": "b", "effect": "PreferNoSchedule"}]}),
    ({"tolerations": [{"key": "dedicated", "value": "b"}]},
     {"taints": [{"key": "dedicated", "value": "b", "effect": "NoExecute"}]}),
    ({"tolerations": [{"operator": "Exists"}]}, {"taints": [{"key": "dedicated", "effect": "NoSchedule"}]}),
    ({"cpu": "4"}, {}),
    ({"affinity": apart("zone")}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "other"), FITS)
def test_pod_with_a_node_that_fits(spec: Json, other: Json) -> None:
    assert check([pod("p", "w1", **spec), pod("other", "w2")], nodes=[node("w1"), node("w2", **other)]) == []


def test_no_node_left() -> None:
    (found,) = check([pod("p", "w1")], nodes=[node("w1")])
    assert "no node is left" in found.message


def test_pods_that_only_fit_alone_are_a_warning() -> None:
    found = check([pod("p1", "w1", cpu="3"), pod("p2", "w1", cpu="3")])
    assert [(p.code, p.severity) for p in found] == [("SLW-8412", Severity.WARNING)]
    pods = [pod(f"p{n}", "w1", affinity=apart()) for n in range(2)]
    found = check(pods)
    assert [(p.code, p.severity) for p in found] == [("SLW-8412", Severity.WARNING)]
    assert check(pods, nodes=[node("w1"), node("w2"), node("w3")]) == []


def test_bare_pod_needs_consent() -> None:
    (found,) = check([pod("p", "w1", owner="")])
    assert found.code == "SLW-8411"
    assert "slipway_remove_node_data=w1" in found.remedy
    assert check([pod("p", "w1", owner="")], consented=frozenset({"w1"})) == []


def test_local_volume_needs_consent_and_its_pod_is_not_told_of_twice() -> None:
    pods = [pod("db", "w1", owner="StatefulSet", volumes=mounts("data"))]
    more = {"volumes": [local_volume("pv1", "w1", "data"), local_volume("pv2", "w2", "data2")],
            "claims": [claim("data", "pv1"), claim("data2", "pv2")]}  # fmt: skip
    (found,) = check(pods, **more)
    assert (found.code, found.message) == ("SLW-8410", "volume pv1 of the claim a/data is on w1 alone")
    assert check(pods, **more, consented=frozenset({"w1"})) == []
    (found,) = check([], **more)
    assert found.code == "SLW-8410"
    assert check([], volumes=[local_volume("pv1", "w1")]) == []


def test_volume_of_two_nodes_is_lost_when_both_go() -> None:
    volume = local_volume("pv1", "w1", "data")
    term = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]
    term["matchExpressions"][0]["values"] = ["w1", "w2"]
    nodes = [node("w1"), node("w2"), node("w3")]
    assert check([], nodes=nodes, volumes=[volume]) == []
    assert [p.code for p in check([], nodes=nodes, leaving=("w1", "w2"), volumes=[volume])] == ["SLW-8410"]


def test_pod_with_volume_elsewhere_goes_where_that_is() -> None:
    """The volume stays on w3, which is cordoned: the pod cannot follow."""
    nodes = [node("w1"), node("w2"), node("w3", unschedulable=True)]
    (found,) = check(
        [pod("p", "w1", volumes=mounts("data"))],
        nodes=nodes,
        volumes=[local_volume("pv1", "w3", "data")],
        claims=[claim("data", "pv1")],
    )
    assert "1 cordoned, 1 where its volume pv1 is not" in found.message


def test_budget_that_lets_nobody_go() -> None:
    (never,) = check([pod("p", "w1"), pod("q", "w1")], budgets=[budget("b", allowed=0, healthy=2, expected=2)])
    assert (never.code, never.severity) == ("SLW-8414", Severity.ERROR)
    assert "PodDisruptionBudget a/b lets no pod go now (2 of 2 healthy, 2 wanted)" in never.message
    (now,) = check([pod("p", "w1")], budgets=[budget("b", allowed=0, healthy=1, expected=2)])
    assert now.severity is Severity.WARNING
    for other in (
        budget("b", allowed=1, healthy=2, expected=2),
        budget("b", allowed=0, healthy=2, expected=2, selector={"matchLabels": {"app": "y"}}),
    ):
        assert check([pod("p", "w1")], budgets=[other]) == []
    alone = [budget("b", allowed=0, healthy=2, expected=2)]
    assert check([pod("d", "w1", owner="DaemonSet")], budgets=alone) == []
    assert check([pod("p", "w1")], budgets=alone, unreachable=frozenset({"w1"})) == []


def test_pod_under_two_budgets_cannot_be_evicted() -> None:
    two = [budget(name, allowed=1, healthy=2, expected=2, selector={}) for name in ("b", "c")]
    (found,) = check([pod("p", "w1")], budgets=two)
    assert (found.code, found.severity) == ("SLW-8414", Severity.ERROR)
    assert "several PodDisruptionBudgets (b, c)" in found.message


def test_quantities() -> None:
    given = {"500m": 0.5, "2": 2, "1.5Gi": 1.5 * 2**30, "1e3": 1000, "128M": 128e6, "1Ki": 1024, "5E": 5e18}
    assert {text: quantity(text) for text in given} == given


def test_requests_count_init_containers_and_overhead() -> None:
    one = pod("p", "w1", cpu="1", initContainers=[{"resources": {"requests": {"cpu": "3"}}}], overhead={"cpu": "100m"})
    assert requests(one) == {"pods": 1, "cpu": pytest.approx(3.1)}


def test_budgets_that_hold_up_an_upgrade_are_warnings() -> None:
    tight = [budget("b", allowed=0, healthy=1, expected=1)]
    pods = [pod("p", "w1"), pod("d", "w2", owner="DaemonSet")]
    (found,) = budget_warnings({"w1", "w2"}, pods, tight)
    assert (found.code, found.severity, found.host) == ("SLW-8414", Severity.WARNING, "w1")
    assert budget_warnings({"w2"}, pods, tight) == []
