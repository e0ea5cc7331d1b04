# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The nodes that are waited for are those that were named, each by its whole name and its condition."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.arrival import until_ready
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from tests.unit.nodes.objects import node


class Api:
    """One state of the cluster after the other, a pause each, the last one for ever."""

    def __init__(self, *states: list[dict[str, Any]]) -> None:
        self._states = list(states)
        self.now = 0.0
        self.said: list[str] = []
        self.asked: list[str] = []

    def list(self, path: str) -> list[dict[str, Any]]:
        self.asked.append(path)
        return self._states[0]

    def get(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        return next((one for one in self._states[0] if path == f"/api/v1/nodes/{one['metadata']['name']}"), None)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if len(self._states) > 1:
            self._states.pop(0)

    def wait(self, *names: str, timeout: float = 5) -> None:
        client: Any = self
        until_ready(client, names, timeout=timeout, say=self.said.append, clock=lambda: self.now, sleep=self.sleep)


def test_others_may_be_in_any_state() -> None:
    api = Api([node("w1"), node("w2", ready=False)])
    api.wait("w1")
    assert (api.now, api.said) == (0, ["  w1 is Ready"])


def test_of_a_large_cluster_few_nodes_are_asked_for_by_name() -> None:
    api = Api([node(f"w{number}") for number in range(100)])
    api.wait("w7", "w8")
    assert api.asked == ["/api/v1/nodes/w7", "/api/v1/nodes/w8"]
    api.wait(*(f"w{number}" for number in range(50)))
    assert api.asked[2:] == ["/api/v1/nodes"]


def test_who_is_ready_is_told_once_and_not_asked_again() -> None:
    api = Api([node("w1"), node("w2", ready=False)], [node("w1"), node("w2")])
    api.wait("w1", "w2")
    assert api.said == ["  w1 is Ready", "  w2 is Ready"]
    assert api.asked[2:] == ["/api/v1/nodes/w2"]


def test_as_many_nodes_as_wanted_are_not_the_wanted_ones() -> None:
    api = Api([node("w1"), node("w2")])
    with pytest.raises(NodesError, match="w3 has not joined the cluster"):
        api.wait("w1", "w3")


def test_a_name_that_begins_alike_is_another_node() -> None:
    api = Api([node("w10")], [node("w10"), node("w1")])
    api.wait("w1")
    assert api.now == 1
    assert api.said == ["  w1 is Ready"]


def test_all_that_are_late_are_named_with_their_reason() -> None:
    api = Api([node("w1"), node("w2", ready=False)])
    with pytest.raises(NodesError) as caught:
        api.wait("w1", "w2", "w3")
    assert [(p.code, p.host) for p in caught.value.problems] == [("SLW-8308", "w2"), ("SLW-8308", "w3")]
    assert "w2 is not Ready after 5 s: NodeStatusUnknown" in str(caught.value)
    assert api.now == 5
