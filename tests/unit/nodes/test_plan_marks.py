# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Labels, taints and annotations that change are a part of the plan of nodes, and told before anything begins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.marks_wanted import read_marks
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import NodePlan, make
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan_marks import marked
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_text import nodes_dict, nodes_lines
from tests.unit.nodes.test_plan import CLUSTER, actions, live, recorded, wanted, worker


def node(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": "u", "resourceVersion": "1", "labels": labels}, "spec": {}}


def plan(*hosts: Any, operation: str = "install", absent: Collection[str] = (), **labels: dict[str, str]) -> NodePlan:
    nodes = [node(host.name) for host in CLUSTER]
    marks = {host.name: read_marks(labels.get(host.name), None, None, host=host.name)[0] for host in hosts}
    asked = wanted(*hosts, operation=operation, absent=frozenset(absent))
    return marked(make(asked, live(*CLUSTER), recorded(*CLUSTER)), nodes, marks)


def test_nothing_is_wanted() -> None:
    found = plan(*CLUSTER)
    assert not found.marks
    assert set(actions(found).values()) == {"unchanged"}


def test_a_label_alone_is_no_matter_for_kubespray() -> None:
    found = plan(*CLUSTER, w1={"disk": "ssd"})
    assert (found.marks, found.changes, actions(found)["w1"]) == (True, False, "mark")
    text = "\n".join(nodes_lines(found, "prod"))
    assert "1 mark" in text
    assert "label disk: ssd" in text
    assert "Kubespray has nothing to do" in text
    assert nodes_dict(found)["marks"] is True


def test_a_node_with_other_changes_gets_a_note() -> None:
    changed = worker(1)
    other = type(changed)(changed.name, changed.roles, changed.address, {"cidr": "b"}, changed.where)
    found = plan(CLUSTER[0], other, CLUSTER[2], w1={"disk": "ssd"})
    assert actions(found)["w1"] == "converge"
    assert next(one.notes for one in found.nodes if one.name == "w1") == ("label disk: ssd",)


def test_nodes_that_are_not_there_yet_and_absent_ones_are_left_alone() -> None:
    assert not plan(*CLUSTER, worker(3), w3={"disk": "ssd"}).marks
    nodes = [node(host.name) for host in CLUSTER]
    marks = {"w1": read_marks({"disk": "ssd"}, None, None, host="w1")[0]}
    absent = make(wanted(*CLUSTER, absent=frozenset({"w1"})), live(*CLUSTER), recorded(*CLUSTER))
    assert not marked(absent, nodes, marks).marks


def test_scale_writes_the_labels_that_it_has_planned_and_no_others() -> None:
    """Of a worker whose variables have changed as well, which is none of its business."""
    changed = replace(worker(1), variables={"cidr": "b"})
    labels = {"w1": {"disk": "ssd"}, "w2": {"disk": "ssd"}, "w3": {"disk": "ssd"}}
    found = plan(CLUSTER[0], changed, CLUSTER[2], worker(3), operation="scale", absent={"w2"}, **labels)
    assert actions(found) == {"cp1": "unchanged", "w1": "mark", "w2": "absent", "w3": "join"}
    assert found.marking == ("w1", "w3")
    assert nodes_dict(found)["marking"] == ["w1", "w3"]
    alone = plan(CLUSTER[0], changed, CLUSTER[2], operation="scale", absent={"w2"}, **labels)
    assert (alone.runs, alone.marking) == ({}, ("w1",))


def test_nobody_is_marked_where_all_is_as_wanted() -> None:
    assert plan(*CLUSTER).marking == ()


def test_what_is_visited_is_marked_even_if_nothing_differs_yet() -> None:
    changed = replace(CLUSTER[0], variables={"cidr": "b"})
    assert plan(changed, *CLUSTER[1:], absent={"w2"}).marking == ("cp1", "w1")
