# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Options that are lists of names."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.plugin_utils.options import names


@pytest.mark.parametrize("value", ["a,b", "a, b", ["a", "b"], '["a", "b"]'])
def test_names(value: object) -> None:
    assert names({"x": value}, "x") == ("a", "b")


@pytest.mark.parametrize("value", [3, ["a", 3], "a,,b", {"a": 1}])
def test_what_is_none_is_told_what_it_should_be(value: object) -> None:
    with pytest.raises(EngineError, match=r"slipway_x is .*give names of clusters, separated by commas"):
        names({"x": value}, "x", "names of clusters")
