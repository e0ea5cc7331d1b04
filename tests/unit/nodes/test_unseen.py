# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A cluster whose API does not answer is one all the same: Kubespray acts on its hosts, and nothing is begun anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.unseen import make
from ansible_collections.slipway.cluster.plugins.module_utils.report.nodes_text import nodes_dict, nodes_lines
from ansible_collections.slipway.cluster.plugins.plugin_utils.node_planner import NO_ANSWER, Planner
from tests.unit.nodes.test_plan import CLUSTER, actions, codes, wanted, worker


def test_all_hosts_converge_and_there_is_a_cluster() -> None:
    plan = make(wanted(*CLUSTER, converge=True))
    assert plan.runs == {"cluster": ("cp1", "w1", "w2")}
    assert (plan.creates, plan.answers) == (False, False)
    assert set(actions(plan).values()) == {"converge"}
    text = "\n".join(nodes_lines(plan, "prod"))
    assert "! cluster  its API does not answer" in text
    assert "there is no cluster" not in text
    assert nodes_dict(plan)["answers"] is False


def test_absent_hosts_are_left_alone() -> None:
    plan = make(wanted(*CLUSTER, converge=True, absent=frozenset({"w1"})))
    assert plan.runs == {"cluster": ("cp1", "w2")}
    assert actions(plan)["w1"] == "absent"
    assert plan.marking == ("cp1", "w2")


def test_a_node_out_of_an_image_does_not_join_again() -> None:
    plan = make(wanted(*CLUSTER, worker(3, source="image"), converge=True))
    assert plan.runs == {"cluster": ("cp1", "w1", "w2")}
    assert actions(plan)["w3"] == "absent"
    assert "nobody can tell whether it has joined" in "\n".join(nodes_lines(plan, "prod"))


def test_a_node_that_may_have_been_replaced_does_not_come_back() -> None:
    plan = make(wanted(*CLUSTER, worker(11, source="image", replaces="w1"), converge=True))
    assert plan.runs == {"cluster": ("cp1", "w2")}
    assert "nobody can tell whether w11 has replaced it" in "\n".join(nodes_lines(plan, "prod"))


def test_sources_that_cannot_be_are_told() -> None:
    assert codes(make(wanted(*CLUSTER, worker(3, source="picture"), converge=True))) == ["SLW-8315"]


class Away(Planner):
    """Of a cluster whose API does not answer."""

    def __init__(self, operation: str, **args: Any) -> None:
        action = SimpleNamespace(_task=SimpleNamespace(args={"operation": operation, "name": "prod", **args}))
        lock = SimpleNamespace(cluster_is_there=lambda: True, half_built=False)
        super().__init__(action, {}, lock, masker=Masker(), alive=lambda: True)  # type: ignore[arg-type]

    @property
    def by_host(self) -> bool:
        return True

    @contextmanager
    def client(self, rights: str, patience: float = 60.0) -> Iterator[Any]:
        raise KubeError(NO_ANSWER, "connection refused")
        yield


@pytest.mark.parametrize("operation", ["install", "plan"])
def test_no_answer_is_not_no_cluster(operation: str) -> None:
    seen = Away(operation, converge=True)._look([])
    assert (seen.live, bool(seen.silent)) == (None, True)


@pytest.mark.parametrize(
    ("operation", "args"),
    [("install", {}), *((one, {"converge": True}) for one in ("scale", "upgrade", "replace", "remove"))],
)
def test_whoever_needs_the_nodes_is_told_that_the_api_does_not_answer(operation: str, args: Mapping[str, Any]) -> None:
    with pytest.raises(NodesError, match=r"SLW-8311 .*slipway\.cluster\.install -e slipway_converge=true"):
        Away(operation, **args)._look([])
