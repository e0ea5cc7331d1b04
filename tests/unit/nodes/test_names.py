# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts whose nodes are called otherwise: what the API says is told in the names of hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import WORKER, Desired, by_name
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.names import Names, problems_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import Action, Wanted, make
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record, dump, load

W1 = Desired("w1", frozenset({WORKER}), override="node-w1")
W2 = Desired("w2", frozenset({WORKER}))
RECORD = Record("p", "2.31.0", "1.35.4").with_hosts([W1, W2])


def node(name: str) -> dict[str, object]:
    return {"metadata": {"name": name}, "status": {"nodeInfo": {"kubeletVersion": "v1.35.4"}}}


def test_a_node_that_is_there_by_its_own_name_does_not_join_again() -> None:
    nodes = Names.of([W1, W2], RECORD).nodes([node("node-w1"), node("w2")])
    plan = make(Wanted("install", "p", [W1, W2], "2.31.0"), by_name(nodes), RECORD)
    assert {one.name: one.action for one in plan.nodes} == {"w1": Action.UNCHANGED, "w2": Action.UNCHANGED}
    assert not plan.runs


def test_a_host_that_the_inventory_lost_is_still_one() -> None:
    nodes = Names.of([W2], load(dump(RECORD))).nodes([node("node-w1"), node("w2")])
    plan = make(Wanted("install", "p", [W2], "2.31.0"), by_name(nodes), RECORD)
    assert [(one.name, one.action) for one in plan.nodes] == [("w2", Action.UNCHANGED), ("w1", Action.STRANGER)]
    assert plan.nodes[1].reasons == ("in cluster, not in inventory any more",)
    assert RECORD.node("w1") == "node-w1"
    assert RECORD.node("w2") == "w2"
    assert RECORD.node("unknown") == "unknown"


def test_somebody_elses_node_is_not_taken_for_a_host() -> None:
    names = Names.of([W1, W2], None)
    assert [names.host(one) for one in ("node-w1", "w2", "w1", "other")] == ["w1", "w2", "node/w1", "other"]
    assert Names.of([W2], None).host("w1") == "w1"
    # Each by the name of the other.
    crossed = Names.of([replace(W1, override="w2"), replace(W2, override="w1")], None)
    assert (crossed.host("w1"), crossed.host("w2")) == ("w2", "w1")


def test_pods_and_versions_by_hosts() -> None:
    names = Names.of([W1], None)
    pods = [{"spec": {"nodeName": "node-w1", "containers": []}}, {"spec": {}}, {}]
    assert names.pods(pods) == [{"spec": {"nodeName": "w1", "containers": []}}, {"spec": {}}, {}]
    assert names.keys({"node-w1": "1.35.4", "cp1": "1.35.3"}) == {"w1": "1.35.4", "cp1": "1.35.3"}
    assert pods[0] == {"spec": {"nodeName": "node-w1", "containers": []}}


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ([W1, W2], ""),
        ([replace(W1, override="{{ ansible_hostname }}")], "would be called '{{ ansible_hostname }}'"),
        ([replace(W1, override="Node-W1")], "would be called 'Node-W1'"),
        ([W1, replace(W2, override="node-w1")], "is not the only one that would be the node node-w1"),
        ([W1, replace(W2, override="w3")], "is the node w2, and would be w3 now: Kubernetes renames no node"),
        ([replace(W1, override="")], "is the node node-w1, and would be w1 now"),
        ([replace(W1, override="other", roles=frozenset({"etcd"}))], ""),
    ],
)
def test_names_that_cannot_be(hosts: list[Desired], said: str) -> None:
    found = problems_of(hosts, RECORD)
    assert [one.code for one in found] == ["SLW-8317"] * len(found)
    assert bool(found) is bool(said)
    assert all(said in one.message for one in found)


def test_any_name_is_one_for_a_new_host() -> None:
    assert problems_of([W1, replace(W2, override="w3")], None) == []
