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
    """Answers one list after the other, the last one for ever; its clock goes on by the pauses."""

    def __init__(self, *lists: list[dict[str, Any]]) -> None:
        self._lists = list(lists)
        self.now = 0.0
        self.said: list[str] = []

    def list(self, path: str) -> list[dict[str, Any]]:
        return self._lists.pop(0) if len(self._lists) > 1 else self._lists[0]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, *names: str, timeout: float = 5) -> set[str]:
        client: Any = self
        found = until_ready(
            client, names, timeout=timeout, say=self.said.append, clock=lambda: self.now, sleep=self.sleep
        )
        return set(found)


def test_others_may_be_in_any_state() -> None:
    api = Api([node("w1"), node("w2", ready=False)])
    assert api.wait("w1") == {"w1", "w2"}
    assert api.now == 0


def test_as_many_nodes_as_wanted_are_not_the_wanted_ones() -> None:
    api = Api([node("w1"), node("w2")])
    with pytest.raises(NodesError, match="w3 has not joined the cluster"):
        api.wait("w1", "w3")


def test_a_name_that_begins_alike_is_another_node() -> None:
    api = Api([node("w10")], [node("w10"), node("w1")])
    assert api.wait("w1") == {"w10", "w1"}
    assert api.now == 1
    assert api.said == ["  w1 is Ready"]


def test_all_that_are_late_are_named_with_their_reason() -> None:
    api = Api([node("w1"), node("w2", ready=False)])
    with pytest.raises(NodesError) as caught:
        api.wait("w1", "w2", "w3")
    assert [(p.code, p.host) for p in caught.value.problems] == [("SLW-8308", "w2"), ("SLW-8308", "w3")]
    assert "w2 is not Ready after 5 s: NodeStatusUnknown" in str(caught.value)
    assert api.now == 5
