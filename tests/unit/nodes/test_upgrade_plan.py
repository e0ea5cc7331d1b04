# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan of an upgrade: control plane and etcd first, then those workers that are not there yet."""

from __future__ import annotations

from collections.abc import Mapping
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
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import Action, NodePlan, Wanted
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.upgrade import make
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.upgrade_path import Offer, Running
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_text import nodes_dict, nodes_lines

OLD, NEW = "1.34.7", "1.35.4"
OFFER = Offer("2.31.0", "1.33.0", (NEW, OLD))
GONE = Problem("SLW-8507", "release a is x/v1beta1, which is no longer served")


def host(name: str, *roles: str) -> Desired:
    return Desired(name, frozenset(roles), where=f"hosts.yml:{name}")


HOSTS = (
    host("cp1", CONTROL_PLANE, ETCD),
    host("cp2", CONTROL_PLANE),
    host("etcd1", ETCD),
    host("w1", WORKER),
    host("w2", WORKER),
)
RECORD = Record("prod", "2.31.0", OLD)


def nodes(**kubelets: str) -> dict[str, Actual]:
    """All at OLD but those named."""
    return {
        h.name: Actual(h.name, h.roles - {ETCD}, True, "", kubelets.get(h.name, OLD), (), False, "u")
        for h in HOSTS
        if h.is_node
    }


def plan(live: Mapping[str, Actual], *, server: str = OLD, record: Record | None = RECORD, **more: Any) -> NodePlan:
    wanted = Wanted("upgrade", "prod", HOSTS, "2.31.0", NEW, absent=frozenset(more.pop("absent", ())))
    return make(wanted, Running(server, live, kubespray="2.31.0"), record, OFFER, where="cluster.yml:4", **more)


def codes(found: NodePlan) -> list[str]:
    return [problem.code for problem in found.problems if problem.severity is Severity.ERROR]


def test_control_plane_and_etcd_go_first() -> None:
    found = plan(nodes())
    assert found.runs == {"upgrade_control_plane": ("cp1", "cp2", "etcd1"), "upgrade_workers": ("w1", "w2")}
    assert list(found.runs) == ["upgrade_control_plane", "upgrade_workers"]
    assert {n.name: n.action.value for n in found.nodes}["w1"] == "upgrade"
    assert found.reasons == (f"Kubernetes {OLD} -> {NEW}",)
    assert not codes(found)


def test_route_reflectors_go_with_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    both = (host("r1", REFLECTOR), host("r2", REFLECTOR, WORKER))
    monkeypatch.setattr("tests.unit.nodes.test_upgrade_plan.HOSTS", (*HOSTS, *both))
    assert plan(nodes()).runs["upgrade_workers"] == ("w1", "w2", "r1", "r2")
    assert plan(nodes(r1=NEW)).runs["upgrade_workers"] == ("w1", "w2", "r2")


def test_workers_that_are_there_are_not_touched_again() -> None:
    done = dict.fromkeys(("cp1", "cp2", "w1"), NEW)
    found = plan(nodes(**done), server=NEW)
    assert found.runs == {"upgrade_workers": ("w2",)}
    assert "3 nodes are there already" in found.reasons[0]


def test_etcd_alone_goes_along_until_the_control_plane_is_there() -> None:
    assert plan(nodes(cp1=NEW), server=NEW).runs["upgrade_control_plane"] == ("cp2", "etcd1")
    assert "upgrade_control_plane" not in plan(nodes(cp1=NEW, cp2=NEW), server=NEW).runs


def test_everybody_there() -> None:
    found = plan(nodes(cp1=NEW, cp2=NEW, w1=NEW, w2=NEW), server=NEW)
    assert not found.changes
    assert found.reasons == (f"Kubernetes {NEW} everywhere",)
    lines = list(nodes_lines(found, "prod"))
    assert "  Kubespray has nothing to do" in lines
    assert "= 5 unchanged (-v shows them)" in lines


def test_absent_nodes_stay() -> None:
    found = plan(nodes(), absent=["w1"])
    assert found.runs["upgrade_workers"] == ("w2",)
    assert {n.name: n.action for n in found.nodes}["w1"] is Action.ABSENT


def test_a_host_that_is_no_node_yet_is_not_upgraded() -> None:
    live = nodes()
    del live["w2"]
    found = plan(live)
    assert found.runs["upgrade_workers"] == ("w1",)
    (change,) = [n for n in found.nodes if n.name == "w2"]
    assert (change.action, change.reasons) == (
        Action.STRANGER,
        ("not in the cluster: slipway.cluster.scale adds it",),
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"record": None}, "SLW-8302"),
        ({"record": Record("stage", "2.31.0", OLD)}, "SLW-8312"),
        ({"server": "1.33.1"}, "SLW-8504"),
        ({"apis": [GONE]}, "SLW-8507"),
    ],
)
def test_what_keeps_it_from_beginning(change: dict[str, Any], code: str) -> None:
    assert code not in codes(plan(nodes()))
    assert code in codes(plan(nodes(), **change))


def test_what_is_gone_does_not_stop_a_run_that_goes_on() -> None:
    assert "SLW-8507" not in codes(plan(nodes(cp1=NEW), server=NEW, apis=[GONE]))


def test_as_text_and_data() -> None:
    live = nodes()
    live["w1"] = replace(live["w1"], cordoned=True)
    found = plan(live, apis=[replace(GONE, severity=Severity.WARNING)])
    lines = list(nodes_lines(found, "prod"))
    assert lines[0] == "NODES prod  5 nodes: 4 upgrade, 1 unchanged"
    assert f"~ w1     upgrade    kubelet {OLD} -> {NEW}  hosts.yml:w1" in lines
    assert lines[lines.index(f"~ w1     upgrade    kubelet {OLD} -> {NEW}  hosts.yml:w1") + 1] == "    cordoned"
    assert "  Kubespray's upgrade_cluster runs on w1, w2" in lines
    assert any(line.startswith("! SLW-8507") for line in lines)
    data = nodes_dict(found)
    assert data["runs"]["upgrade_workers"] == ["w1", "w2"]
    assert data["changes"] is True
    assert [p["code"] for p in data["problems"]] == ["SLW-8507"]
