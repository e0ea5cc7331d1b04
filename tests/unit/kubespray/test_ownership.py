# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Add-ons with two owners."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.ownership import (
    SWITCHES,
    Wanted,
    check_ownership,
)


def codes(values: dict[str, object], *addons: Wanted, version: str = "2.31.0") -> list[str]:
    where = dict.fromkeys(values, "all.yml:1:1")
    return [problem.code for problem in check_ownership(values, addons, version, where)]


def addon(name: str, *names: str) -> Wanted:
    return Wanted(name, frozenset({name, *names}), "addons.yml:3:1")


@pytest.mark.parametrize("switch", sorted(SWITCHES))
def test_every_switch_has_its_counterpart(switch: str) -> None:
    one = addon("mine", min(SWITCHES[switch]))
    assert "SLW-8021" in codes({switch: True}, one, version="2.32.0")
    assert "SLW-8021" not in codes({switch: True}, addon("other"), version="2.32.0")
    assert codes({switch: False}, one) == []


def test_the_same_under_another_name_is_found_by_entry_chart_and_capability() -> None:
    for name in ("metrics-server", "metrics-api"):
        assert codes({"metrics_server_enabled": True}, addon("numbers", name)) == ["SLW-8021"]


def test_both_places_are_told() -> None:
    (problem,) = check_ownership(
        {"argocd_enabled": True}, [addon("argo-cd")], "2.31.0", {"argocd_enabled": "all.yml:9:1"}
    )
    assert problem.where == "all.yml:9:1"
    assert "argo-cd in slipway_addons" in problem.message
    (problem,) = check_ownership({"argocd_enabled": True}, [addon("argo-cd")], "2.31.0", {})
    assert problem.where == "addons.yml:3:1"


def test_text_that_is_not_empty_switches_on_as_in_kubespray() -> None:
    assert codes({"metallb_enabled": "false"}, addon("metallb")) == ["SLW-8021"]


@pytest.mark.parametrize(
    ("version", "deletes"), [("2.31.0", True), ("2.30.1", True), ("2.32.0", False), ("3.0.0", False)]
)
def test_cert_manager_is_deleted_by_versions_that_do(version: str, deletes: bool) -> None:
    assert ("SLW-8022" in codes({"cert_manager_enabled": True}, version=version)) is deletes


def test_an_own_addon_of_kubespray_is_a_hint_where_the_user_set_it() -> None:
    assert codes({"metallb_enabled": True}) == ["SLW-8023"]
    assert check_ownership({"metallb_enabled": True}, [], "2.31.0", {}) == []


def test_a_network_may_have_one_owner() -> None:
    assert codes({"kube_network_plugin": "cilium"}, addon("cilium")) == ["SLW-8021"]
    assert codes({"kube_network_plugin": "cni"}, addon("cilium")) == []
    assert codes({"kube_network_plugin": "calico"}, addon("cilium")) == []
