# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The guards of a removal about hosts, roles and etcd: each finds what it is for, and nothing in a sound removal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.etcd_quorum import (
    Known,
    Member,
    in_order,
    members_of,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.guards import (
    Removal,
    Seen,
    Statement,
    check_removal,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity
from tests.unit.nodes.objects import budget, node, pod

GROUPS = {
    "kube_control_plane": ["cp1", "cp2", "cp3"],
    "etcd": ["cp1", "cp2", "cp3", "e4", "e5"],
    "kube_node": ["worker1", "worker2", "worker10"],
    "k8s_cluster": ["cp1", "cp2", "cp3", "worker1", "worker2", "worker10"],
}
NODES = [
    *(node(name, control_plane=True) for name in GROUPS["kube_control_plane"]),
    *(node(name) for name in GROUPS["kube_node"]),
]
ETCD = [Member(name, healthy=True) for name in GROUPS["etcd"]]


def etcd(*down: str) -> list[Member]:
    return [Member(name, healthy=name not in down) for name in GROUPS["etcd"]]


def check(*names: str, **more: Any) -> list[Problem]:
    asked = {key: frozenset(more.pop(key)) for key in ("unreachable", "data") if key in more}
    seen = Seen(
        unreachable=frozenset(more.pop("silent", ())), **{"groups": GROUPS, "nodes": NODES, "etcd": ETCD, **more}
    )
    return check_removal(Removal(names, **asked), seen)


def codes(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.host) for problem in problems]


@pytest.mark.parametrize("names", [("worker1",), ("worker1", "worker2"), ("e4", "e5"), ("cp3", "e5"), ("cp2", "cp3")])
def test_sound_removals_have_no_problem(names: tuple[str, ...]) -> None:
    assert check(*names) == []


@pytest.mark.parametrize(
    ("name", "said", "remedy"),
    [
        ("workr2", "no host is called that", "did you mean 'worker2'?"),
        ("worker", "no host is called that", "worker1, worker10, worker2 only begin with it"),
        ("worker*", "a pattern", "one by one"),
        ("worker1:worker2", "a pattern", "one by one"),
        ("worker[1:2]", "a pattern", "one by one"),
        ("kube_node", "a group", "one by one"),
        ("all", "a group", "one by one"),
        ("WORKER1", "no host is called that", "the inventory has"),
        ("", "no host is called that", "the inventory has"),
    ],
)
def test_only_exact_names_of_hosts(name: str, said: str, remedy: str) -> None:
    (found,) = check(name)
    assert found.code == "SLW-8401"
    assert said in found.message
    assert remedy in found.remedy


def test_node_that_the_inventory_does_not_have() -> None:
    (found,) = check("theirs", nodes=[*NODES, node("theirs")])
    assert found.code == "SLW-8401"
    assert "a node of the cluster that the inventory does not have" in found.message


def test_no_name_at_all() -> None:
    assert codes(check()) == [("SLW-8401", "")]


def test_consents_name_nodes_that_go() -> None:
    found = check("worker1", data=["worker2"], unreachable=["wroker1"])
    assert codes(found) == [("SLW-8401", ""), ("SLW-8402", "worker2")]
    assert "did you mean 'worker1'?" in found[0].remedy


def test_host_that_never_joined() -> None:
    without = [one for one in NODES if one["metadata"]["name"] != "worker2"]
    assert codes(check("worker2", nodes=without)) == [("SLW-8403", "worker2")]
    assert check("worker2", nodes=without, recorded=frozenset({"worker2"})) == []


def test_first_of_the_control_plane_and_of_etcd() -> None:
    assert codes(check("cp1")) == [("SLW-8404", "cp1"), ("SLW-8404", "cp1"), ("SLW-8409", "")]
    apart = {**GROUPS, "etcd": ["e4", "e5", "cp1"]}
    three = [Member(name, healthy=True) for name in apart["etcd"]]
    assert codes(check("e4", groups=apart, etcd=three))[0] == ("SLW-8404", "e4")


def test_last_of_a_role() -> None:
    found = check("worker1", "worker2", "worker10")
    assert [problem.code for problem in found] == ["SLW-8405"]
    assert "no worker would be left" in found[0].message
    one = {"kube_control_plane": ["cp1"], "etcd": ["cp1"], "kube_node": ["worker1", "worker2"]}
    found = check("cp1", groups=one, etcd=ETCD[:1])
    assert [p.message for p in found if p.code == "SLW-8405"] == [
        "cp1: no control plane node would be left",
        "cp1: no etcd member would be left",
    ]


def test_route_reflectors_are_nodes_and_one_stays() -> None:
    more = {"groups": {**GROUPS, "calico_rr": ["r1", "r2"]}, "nodes": [*NODES, node("r1"), node("r2")]}
    assert check("r1", **more) == []
    found = check("r1", "r2", **more)
    assert [problem.message for problem in found] == ["r1, r2: no route reflector would be left"]
    assert codes(check("r1", **{**more, "nodes": NODES}))[0] == ("SLW-8403", "r1")


def test_what_would_be_left_is_ready() -> None:
    nodes = [node(n, ready=n != "worker10") if n.startswith("worker") else node(n, control_plane=True) for n in
             ["cp1", "cp2", "cp3", "worker1", "worker2", "worker10"]]  # fmt: skip
    found = check("worker1", "worker2", nodes=nodes)
    assert [problem.code for problem in found] == ["SLW-8405"]
    assert "none is ready (worker10)" in found[0].message
    assert check("worker1", nodes=nodes) == []


def test_unreachable_by_word_only() -> None:
    nodes = [one if one["metadata"]["name"] != "worker2" else node("worker2", ready=False) for one in NODES]
    assert codes(check("worker2", nodes=nodes)) == [("SLW-8406", "worker2")]
    assert check("worker2", nodes=nodes, unreachable=["worker2"]) == []
    assert codes(check("worker2", unreachable=["worker2"])) == [("SLW-8407", "worker2")]
    assert codes(check("e4", "e5", unreachable=[])) == []
    (found,) = check_removal(Removal(("worker2",)), Seen(GROUPS, NODES, etcd=ETCD, unreachable=frozenset({"worker2"})))
    assert found.code == "SLW-8406"
    assert "no answer to SSH" in found.message
    assert "power it off" in found.remedy
    # Where both fit there is a way out.
    assert check("worker2", unreachable=["worker2"], silent=["worker2"]) == []


def test_budgets_hold_where_a_kubelet_lives() -> None:
    """Whatever SSH says: these pods are evicted like any others."""
    pods = [pod("d", "worker2")]
    budgets = [budget("d", allowed=0, healthy=1, expected=1)]
    more = {"unreachable": ["worker2"], "silent": ["worker2"], "pods": pods, "budgets": budgets}
    assert codes(check("worker2", **more)) == [("SLW-8414", "worker2")]
    nodes = [one if one["metadata"]["name"] != "worker2" else node("worker2", ready=False) for one in NODES]
    assert check("worker2", nodes=nodes, **more) == []


@pytest.mark.parametrize(
    ("names", "down", "code"),
    [
        (("e4", "e5"), (), ""),
        (("e4", "e5"), ("e4", "e5"), ""),
        (("e5",), ("e5",), "SLW-8409"),
        (("e4", "e5"), ("cp1", "cp2"), "SLW-8408"),
        (("e4",), ("cp1", "cp2"), "SLW-8408"),
        (("e4",), ("cp1", "cp2", "e4"), "SLW-8408"),
        (("e4", "e5"), ("cp1",), ""),
        (("e4", "e5", "cp3"), ("cp1",), "SLW-8408"),
    ],
)
def test_quorum_of_etcd(names: tuple[str, ...], down: tuple[str, ...], code: str) -> None:
    found = check(*names, etcd=etcd(*down))
    assert [problem.code for problem in found] == ([code] if code else [])
    assert all(p.severity is Severity.WARNING for p in found if p.code == "SLW-8409")


def test_quorum_of_an_even_number() -> None:
    """Two of four cannot agree to anything, although two of three could go on."""
    groups = {**GROUPS, "etcd": ["cp1", "cp2", "cp3", "e4"]}
    four = [Member(name, healthy=name in ("cp1", "cp2")) for name in groups["etcd"]]
    found = check("e4", groups=groups, etcd=four)
    assert [problem.code for problem in found] == ["SLW-8408"]
    assert "2 healthy of 4 members and needs 3 to agree" in found[0].message


def test_members_that_are_down_go_first() -> None:
    groups = {**GROUPS, "etcd": ["cp1", "cp2", "e4"]}
    three = [Member(name, healthy=name != "e4") for name in groups["etcd"]]
    assert check("cp2", "e4", groups=groups, etcd=three) == []
    assert in_order(["cp2", "e4"], three) == ["e4", "cp2"]


def test_quorum_that_nobody_could_ask_for() -> None:
    assert [problem.code for problem in check("e4", "e5", etcd=None)] == ["SLW-8408"]
    assert check("worker1", etcd=None) == []


def test_statements_of_addons() -> None:
    (found,) = check("worker1", statements=[Statement("ceph", "StatefulSet a/ceph would go down from 4 to 3 replicas")])
    assert found.code == "SLW-8413"
    assert "from 4 to 3 replicas" in found.message
    assert "slipway_scale_down=ceph" in found.remedy


def test_addons_that_could_not_be_asked() -> None:
    (found,) = check("worker1", unheard="SLW-2102 no answer from https://charts.example.com")
    assert found.code == "SLW-8413"
    assert "SLW-2102 no answer from https://charts.example.com" in found.message


def test_all_problems_at_once() -> None:
    found = check("cp1", "workr1", "worker1", "worker2", "worker10", data=["cp3"], etcd=etcd("cp2", "cp3"))
    assert {problem.code for problem in found} == {"SLW-8401", "SLW-8402", "SLW-8404", "SLW-8405", "SLW-8408"}


def member(name: str, *urls: str, healthy: bool = True, learner: bool = False) -> dict[str, Any]:
    """As etcd tells it."""
    return {"name": name, "client_urls": list(urls), "peer_urls": [], "healthy": healthy, "learner": learner}


def placed(*hosts: Known) -> dict[str, Known]:
    """The hosts db1, db2, … in the order of the group."""
    return {f"db{number}": replace(one, place=f"etcd{number}") for number, one in enumerate(hosts, 1)}


def test_members_are_known_by_their_addresses() -> None:
    found = [
        member("etcd1", "https://10.0.0.1:2379"),
        member("etcd2", "https://[fd00::2]:2379", healthy=False),
        member("cp3", "https://10.0.0.9:2379"),
        member("new", "https://10.0.0.4:2379", learner=True),
    ]
    known = placed(Known(["e1.example.com", "10.0.0.1"]), Known(["fd00::2"]))
    assert members_of(found, known) == [Member("db1", True), Member("db2", False), Member("cp3", True)]


URLS = [f"https://10.0.0.{number}:2379" for number in (1, 2, 3)]
THREE = [member(f"etcd{number}", url, healthy=number != 3) for number, url in enumerate(URLS, 1)]


@pytest.mark.parametrize(
    ("found", "known", "names"),
    [
        # By a name of DNS, and by Kubespray's names.
        (THREE, [Known(["db1.example.com"])] * 3, ["db1", "db2", "db3"]),
        # One address for all of them, with ports of their own, is nobody's.
        (THREE, [Known(["10.0.0.1"])] * 3, ["db1", "db2", "db3"]),
        (THREE, [Known(), Known(name="etcd3"), Known(name="etcd2")], ["db1", "db3", "db2"]),
        # An address says more than a name.
        (THREE, [Known(["10.0.0.2"]), Known(name="etcd1"), Known()], ["db2", "db1", "etcd3"]),
        # The first or second of four is gone, and its place is another's now.
        ([member(f"etcd{n}") for n in (1, 3, 4)], [Known()] * 3, ["etcd1", "etcd3", "etcd4"]),
        ([member("etcd2", URLS[0]), member("etcd3")], [Known(["10.0.0.1"]), Known()], ["db1", "etcd3"]),
        ([member("etcd2", URLS[0]), member("etcd1")], [Known(["10.0.0.1"]), Known()], ["db1", "etcd1"]),
    ],
)
def test_members_are_known_by_their_names(found: list[dict[str, Any]], known: list[Known], names: list[str]) -> None:
    assert [one.name for one in members_of(found, placed(*known))] == names


def test_quorum_is_not_guessed_for_a_host_whose_member_nobody_knows() -> None:
    groups = {**GROUPS, "etcd": ["db1", "db2", "db3"]}
    three = [Member("db1", True), Member("e-17", True), Member("e-18", False)]
    (found,) = check("db2", groups=groups, etcd=three)
    assert (found.code, found.host) == ("SLW-8408", "db2")
    assert found.message == "db2: no member of etcd has its address or name, and no host is e-17, e-18"
    assert "etcd_member_name" in found.remedy
    # An earlier run has taken its member out.
    assert check("db2", groups=groups, etcd=[Member("db1", True), Member("db3", True)]) == []


def test_why_nobody_could_ask_etcd_is_told() -> None:
    (found,) = check("e4", etcd=None, etcd_unheard="SLW-8510 there is no etcdctl in /usr/local/bin")
    assert found.message == "e4: how etcd is, is not known: SLW-8510 there is no etcdctl in /usr/local/bin"
