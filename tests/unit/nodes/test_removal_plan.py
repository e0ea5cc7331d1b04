# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The plan of removing nodes, or the cluster: what was named, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import (
    CONTROL_PLANE,
    ETCD,
    WORKER,
    Actual,
    Desired,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import NodePlan, Wanted
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.removal import (
    Unseen,
    of_cluster,
    of_nodes,
)
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_text import nodes_lines

HOSTS = (
    Desired("cp1", frozenset({CONTROL_PLANE, ETCD}), where="hosts.yml:3"),
    Desired("w1", frozenset({WORKER}), where="hosts.yml:4"),
    Desired("w2", frozenset({WORKER}), where="hosts.yml:5"),
)
LIVE = {h.name: Actual(h.name, h.roles - {ETCD}, True, "", "1.35.4", (), False, "u") for h in HOSTS}
SEEN = Unseen()
RECORD = Record("prod", "2.31.0", "1.35.4").with_hosts(HOSTS)


def wanted(operation: str, **more: Any) -> Wanted:
    return Wanted(operation, "prod", HOSTS, "2.31.0", **more)


def actions(plan: NodePlan) -> dict[str, str]:
    return {node.name: node.action.value for node in plan.nodes}


def test_named_nodes_go_and_no_other() -> None:
    plan = of_nodes(wanted("remove"), ["w2"], LIVE, RECORD, (), ())
    assert plan.runs == {"remove_node": ("w2",)}
    assert actions(plan) == {"cp1": "unchanged", "w1": "unchanged", "w2": "remove"}
    assert "- w2   remove     slipway_remove_nodes names it  hosts.yml:5" in list(nodes_lines(plan, "prod"))
    plan.check()


def test_an_unreachable_host_is_left_as_it_is() -> None:
    plan = of_nodes(wanted("remove"), ["w1", "w2"], LIVE, RECORD, {"w2"}, ())
    reasons = {node.name: node.reasons[0] for node in plan.nodes if node.reasons}
    assert reasons["w1"] == "slipway_remove_nodes names it"
    assert reasons["w2"].endswith("; its host is left as it is")
    assert plan.runs == {"remove_node": ("w1", "w2")}


def test_nodes_that_nobody_knows_are_nobodys() -> None:
    assert of_nodes(wanted("remove"), ["w9"], LIVE, RECORD, (), ()).runs == {}


def test_guards_keep_it_from_beginning() -> None:
    guard = Problem("SLW-8405", "w1 is the last worker")
    plan = of_nodes(wanted("remove"), ["w1"], LIVE, RECORD, (), [guard])
    with pytest.raises(NodesError, match="SLW-8405"):
        plan.check()


def test_nodes_of_another_cluster_stay() -> None:
    """Names of nodes are alike everywhere: a context that leads elsewhere would drain there, and reset hosts here."""
    guard = Problem("SLW-8405", "w1 is the last worker")
    plan = of_nodes(wanted("remove"), ["w1"], LIVE, Record("stage"), (), [guard])
    assert [problem.code for problem in plan.problems] == ["SLW-8312", "SLW-8405"]
    with pytest.raises(NodesError, match="SLW-8312 the cluster's record calls it 'stage', and the inventory 'prod'"):
        plan.check()


def test_without_a_cluster_there_is_no_node_to_remove() -> None:
    plan = of_nodes(wanted("remove"), ["w1"], None, RECORD, (), ())
    assert plan.runs == {}
    with pytest.raises(NodesError, match="SLW-8301"):
        plan.check()


def test_the_cluster_goes_by_its_name() -> None:
    plan = of_cluster(wanted("remove_cluster"), LIVE, RECORD, "prod", SEEN)
    plan.check()
    assert plan.runs == {"reset": ("cp1", "w1", "w2")}
    assert set(actions(plan).values()) == {"remove"}
    assert plan.reasons == ("the cluster is removed",)


@pytest.mark.parametrize(
    ("record", "consent", "message"),
    [
        (RECORD, "", "SLW-8430 slipway_remove_cluster is not given"),
        (RECORD, "true", "SLW-8430 slipway_remove_cluster is 'true', and this cluster is called 'prod'"),
        (RECORD, "prod2", "SLW-8430 slipway_remove_cluster is 'prod2', and this cluster is called 'prod'"),
        (Record("stage"), "prod", "SLW-8312 the cluster's record calls it 'stage', and the inventory 'prod'"),
    ],
)
def test_consent_for_another_cluster(record: Record, consent: str, message: str) -> None:
    plan = of_cluster(wanted("remove_cluster"), LIVE, record, consent, SEEN)
    with pytest.raises(NodesError, match=message):
        plan.check()


def test_absent_hosts_and_strangers_are_left() -> None:
    live = {**LIVE, "else1": Actual("else1", frozenset({WORKER}), True, "", "1.35.4", (), False, "u")}
    plan = of_cluster(wanted("remove_cluster", absent=frozenset({"w2"})), live, RECORD, "prod", SEEN)
    assert plan.runs == {"reset": ("cp1", "w1")}
    assert actions(plan) == {"cp1": "remove", "w1": "remove", "w2": "absent", "else1": "stranger"}


def test_what_a_dead_cluster_left_goes_too() -> None:
    plan = of_cluster(wanted("remove_cluster"), None, None, "prod", SEEN)
    plan.check()
    assert plan.runs == {"reset": ("cp1", "w1", "w2")}
    assert plan.reasons == ("what is left of the cluster is removed",)
    assert any(line.startswith("! SLW-8431 no API could be asked: ") for line in nodes_lines(plan, "prod"))


def test_a_cluster_whose_api_is_silent_stays() -> None:
    """A short outage, or a wrong address: what it has outside would be nobody's."""
    plan = of_cluster(wanted("remove_cluster"), None, None, "prod", Unseen(silent="connection refused"))
    with pytest.raises(NodesError, match=r"SLW-8311 .*connection refused.*-e slipway_remove_external=false") as caught:
        plan.check()
    assert len(caught.value.problems) == 1
    # What was asked says more.
    of_cluster(wanted("remove_cluster"), LIVE, RECORD, "prod", Unseen(silent="cp1 shows none, and cp2 one")).check()


def test_a_cluster_whose_api_is_silent_goes_by_consent_or_when_an_earlier_run_has_seen_to_it() -> None:
    left = of_cluster(wanted("remove_cluster"), None, None, "prod", Unseen(silent="refused", leaves=True))
    left.check()
    assert [problem.code for problem in left.problems] == ["SLW-8431"]
    done = of_cluster(wanted("remove_cluster"), None, None, "prod", Unseen(silent="refused", cleared=True))
    done.check()
    assert not done.problems
    assert done.reasons[1:] == ("what it had outside of itself is gone: an earlier run took it away",)
