# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When a host may leave the cluster to become an image."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.action.node_leave import changed, must_be_drained
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import WORKER, Actual, Desired
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError


def node(*, cordoned: bool) -> Actual:
    return Actual("worker9", frozenset({WORKER}), True, "", "1.35.4", ("10.0.0.19",), cordoned, "uid")


def test_a_node_that_was_not_drained_stays() -> None:
    with pytest.raises(NodesError, match="SLW-8752"):
        must_be_drained(node(cordoned=False))
    must_be_drained(node(cordoned=True))


def test_a_host_that_was_prepared_with_other_variables_is_told_with_their_names() -> None:
    host = Desired("worker9", frozenset({WORKER}), "10.0.0.19", {"a": "1", "b": "2"}, "hosts.yml:9")
    assert changed(host, {"a": "1", "b": "2"}, "2.31.0", "2.31.0") == []
    (problem,) = changed(host, {"a": "0", "c": "3"}, "2.30.0", "2.31.0")
    assert problem.code == "SLW-8754"
    assert problem.message.endswith(": Kubespray (2.30.0, now 2.31.0), a, b, c")
