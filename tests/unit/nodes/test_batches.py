# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Batches: no percentage of any number of nodes is none, and none is left out or taken twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.batches import batch_size, batches
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError


@pytest.mark.parametrize(
    ("given", "total", "size"),
    [("20%", 3, 1), ("20%", 6, 2), ("1%", 500, 5), ("1%", 2, 1), ("100%", 7, 7), ("300%", 7, 7), (1, 9, 1),
     ("3", 9, 3), (50, 9, 9), (" 25% ", 9, 3), ("33%", 3, 1), ("34%", 3, 2)],
)  # fmt: skip
def test_sizes(given: object, total: int, size: int) -> None:
    assert batch_size(given, total, variable="slipway_drain_batch") == size


@pytest.mark.parametrize("given", ["0%", 0, "0", "", "-1", "1.5", "20 %", "half", None, True, 1.5, "%"])
def test_what_is_no_size(given: object) -> None:
    with pytest.raises(NodesError, match="SLW-8420 slipway_drain_batch is"):
        batch_size(given, 3, variable="slipway_drain_batch")


@given(
    st.lists(st.text(), max_size=60, unique=True), st.one_of(st.integers(1, 99), st.integers(1, 300).map("{}%".format))
)
def test_everybody_once_and_in_order(names: list[str], size: object) -> None:
    found = batches(names, size, variable="v") if names else []
    assert [name for batch in found for name in batch] == names
    assert all(found)
