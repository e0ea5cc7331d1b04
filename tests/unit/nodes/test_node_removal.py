# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A cluster is removed by its name alone, and only the one that the inventory means."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import CONTROL_PLANE, WORKER, Desired
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.plan import Wanted
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.removal import of_cluster, of_nodes

HOSTS = (Desired("cp1", frozenset({CONTROL_PLANE})), Desired("w1", frozenset({WORKER})))
WANTED = Wanted("remove_cluster", "prod", HOSTS, "2.31.0")


@pytest.mark.parametrize("given", ["", "true", "Prod", "prod "])
def test_consent_that_is_not_the_name(given: str) -> None:
    plan = of_cluster(WANTED, {}, Record("prod"), given)
    assert [problem.code for problem in plan.problems] == ["SLW-8430"]


def test_cluster_that_was_built_under_another_name() -> None:
    plan = of_cluster(WANTED, {}, Record("staging"), "prod")
    assert [problem.code for problem in plan.problems] == ["SLW-8312"]


@pytest.mark.parametrize("record", [Record("prod"), None])
def test_consent_by_name(record: Record | None) -> None:
    plan = of_cluster(WANTED, {}, record, "prod")
    assert not plan.problems
    assert plan.runs == {"reset": ("cp1", "w1")}


def test_no_nodes_are_removed_where_there_is_no_cluster() -> None:
    plan = of_nodes(WANTED, ["w1"], None, (), ())
    assert [problem.code for problem in plan.problems] == ["SLW-8301"]
    assert not plan.runs
