# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Values against the chart's own schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Finding, Position
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.chart import load_chart
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.schema import validate_values

Make = Callable[..., Addon]
CHARTS = Path(__file__).parent / "charts"
HERE = Position("group_vars/all/addons.yml", 7, 3)


@pytest.fixture
def check(addon: Make) -> Callable[..., list[Finding]]:
    def run(values: dict[str, Any], **other: Any) -> list[Finding]:
        return validate_values(addon("full", values, **other), load_chart(str(CHARTS / "full")))

    return run


def test_defaults_are_accepted(check: Callable[..., list[Finding]]) -> None:
    assert check({}) == []


def test_refused_values_are_found_where_they_were_written(check: Callable[..., list[Finding]]) -> None:
    origins = {("replicas",): HERE, ("nested",): Position("site.yml", 2, 1)}
    values = {"replicas": 0, "nested": {"a": "x"}, "mode": "slow"}
    found = {f.path[3:]: f for f in check(values, origins=origins, position=Position("addons.yml", 1))}
    assert {f.code for f in found.values()} == {"SLW-1310"}
    assert found[("replicas",)].position == HERE
    assert found[("nested", "a")].position == Position("site.yml", 2, 1)
    assert found[("mode",)].position == Position("addons.yml", 1)
    assert found[("replicas",)].path == ("slipway_addons", "sample", "values", "replicas")
    assert "'slow'" in found[("mode",)].message


def test_unknown_keys_of_a_closed_part_get_the_nearest_name(check: Callable[..., list[Finding]]) -> None:
    (found,) = check({"auth": {"tokn": "x"}})
    assert found.path[3:] == ("auth", "tokn")
    assert found.advice == "did you mean token?"


def test_sub_charts_are_checked_under_their_key_and_only_when_on(check: Callable[..., list[Finding]]) -> None:
    (found,) = check({"sub": {"own": 5}})
    assert found.path[3:] == ("sub", "own")
    assert check({"sub": {"own": 5, "enabled": False}}) == []


@pytest.mark.parametrize("secret", [("password",), ("nested", "a"), ("mode",)])
def test_secrets_are_in_no_message(check: Callable[..., list[Finding]], secret: tuple[str, ...]) -> None:
    values = {"password": "s3cr3t", "nested": {"a": "s3cr3t"}, "mode": "s3cr3t"}
    found = [f for f in check(values, secret_paths=frozenset([secret])) if f.path[3:] == secret]
    assert len(found) == 1
    assert "s3cr3t" not in str(found[0])
    assert "hidden" in found[0].message


def test_a_refused_value_does_not_show_secrets_below_it(check: Callable[..., list[Finding]]) -> None:
    (found,) = check({"nested": ["s3cr3t"]}, secret_paths=frozenset([("nested", 0)]))
    assert "s3cr3t" not in str(found)


@pytest.mark.parametrize("schema", [b"{", b'{"type": 5}', b'{"$ref": "https://charts.example.com/other.json"}'])
def test_schemas_that_cannot_be_used_here_are_left_to_helm(addon: Make, schema: bytes) -> None:
    chart = load_chart(str(CHARTS / "gated"))
    chart.schema = schema
    assert validate_values(addon("gated", {"a": 1}), chart) == []
