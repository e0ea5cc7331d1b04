# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Workers are replaced in batches: the new one first; what cannot be is told at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes import plan as nodes_plan
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import Desired
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import NodePlan
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.replacement import make, pairs_of
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_text import nodes_dict, nodes_lines
from tests.unit.nodes.test_plan import CLUSTER, FIRST, actions, codes, live, recorded, wanted, worker


def new(number: int, old: str) -> Desired:
    return worker(number, source="image", replaces=old)


def plan(*hosts: Desired, there: tuple[Desired, ...] = CLUSTER, size: object = 1, **more: Any) -> NodePlan:
    return make(wanted(*hosts, operation="replace"), live(*there), recorded(*there, **more), size)


def test_each_batch_joins_before_it_removes() -> None:
    found = plan(*CLUSTER, new(11, "w1"), new(12, "w2"))
    assert found.runs == {"join": ("w11", "w12"), "replace": ("w1", "w2")}
    assert found.batches == ({"join": ("w11",), "remove": ("w1",)}, {"join": ("w12",), "remove": ("w2",)})
    assert actions(found) == {"cp1": "unchanged", "w1": "remove", "w2": "remove", "w11": "join", "w12": "join"}
    lines = "\n".join(nodes_lines(found, "prod"))
    assert "2 nodes are replaced, in 2 batches" in lines
    assert "w1, w2: drained and removed, each batch when what takes its place is Ready" in lines
    assert "Kubespray has nothing to do" in lines
    assert nodes_dict(found)["batches"][0] == {"join": ["w11"], "remove": ["w1"]}


def test_batches_are_as_large_as_asked_for() -> None:
    assert len(plan(*CLUSTER, new(11, "w1"), new(12, "w2"), size="100%").batches) == 1


def test_a_run_that_died_after_the_joining_only_removes() -> None:
    hosts = (*CLUSTER, new(11, "w1"))
    found = plan(*hosts, there=hosts)
    assert found.runs == {"replace": ("w1",)}
    assert actions(found)["w11"] == "unchanged"
    # It has joined, and nobody has recorded it yet.
    unrecorded = make(wanted(*hosts, operation="replace"), live(*hosts), recorded(*CLUSTER), 1)
    assert unrecorded.runs == {"join": ("w11",), "replace": ("w1",)}


@pytest.mark.parametrize("absent", ["w1", "w11"])
def test_what_is_left_out_is_neither_replaced_nor_takes_a_place(absent: str) -> None:
    hosts = (*CLUSTER, new(11, "w1"), new(12, "w2"))
    asked = wanted(*hosts, operation="replace", absent=frozenset({absent}))
    found = make(asked, live(*CLUSTER), recorded(*CLUSTER), 2)
    assert found.runs == {"join": ("w12",), "replace": ("w2",)}
    assert found.batches == ({"join": ("w12",), "remove": ("w2",)},)
    assert actions(found)[absent] == "absent"
    assert "slipway_absent_nodes names" in "\n".join(nodes_lines(found, "prod"))
    assert not {"w1", "w11"} & set(found.marking)
    assert pairs_of(asked, live(*CLUSTER)) == {"w12": "w2"}


def test_old_nodes_are_not_marked() -> None:
    assert plan(*CLUSTER, new(11, "w1")).marking == ("w11",)


def test_what_is_replaced_does_not_come_back() -> None:
    hosts = (*CLUSTER, new(11, "w1"))
    there = (FIRST, worker(2), hosts[-1])
    done = plan(*hosts, there=there)
    assert not done.changes
    for operation in ("install", "scale"):
        found = nodes_plan.make(wanted(*hosts, operation=operation), live(*there), recorded(*there))
        assert not found.changes
        assert actions(found)["w1"] == "absent"
        assert "w11 has replaced it: take it out of the inventory" in "\n".join(nodes_lines(found, "prod"))


@pytest.mark.parametrize(
    "hosts",
    [
        (*CLUSTER, replace(new(11, "w1"), source="kubespray")),
        (*CLUSTER, new(11, "cp1")),
        (*CLUSTER, new(11, "w11")),
        (*CLUSTER, new(11, "w1"), new(12, "w1")),
        (FIRST, worker(2), new(11, "w1")),
    ],
    ids=["no image", "control plane", "itself", "two for one", "not in the inventory"],
)
def test_what_cannot_be(hosts: tuple[Desired, ...]) -> None:
    assert set(codes(plan(*hosts))) == {"SLW-8316"}


def test_only_a_cluster_of_ours() -> None:
    hosts = (*CLUSTER, new(11, "w1"))
    assert codes(make(wanted(*hosts), None, None, 1)) == ["SLW-8301"]
    assert codes(make(wanted(*hosts), live(*CLUSTER), None, 1)) == ["SLW-8302"]
    assert codes(plan(*hosts, name="other")) == ["SLW-8312"]
