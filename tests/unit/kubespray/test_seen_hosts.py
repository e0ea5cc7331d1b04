# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which hosts are judged, and which of them the cluster knows."""

from __future__ import annotations

from typing import Any

from ansible_collections.slipway.cluster.plugins.plugin_utils.preflight import RESULT, seen_hosts

GROUPS = {"all": ["cp1", "w1", "e1", "db"], "kube_control_plane": ["cp1"], "kube_node": ["w1"], "etcd": ["cp1", "e1"]}


def seen(members: list[str], **values: dict[str, Any]) -> dict[str, bool | None]:
    looked: dict[str, Any] = {RESULT: {"facts": {}, "skew": 1}}
    everything = {name: looked | values.get(name, {}) for name in GROUPS["all"]}
    return {host.name: host.member for host in seen_hosts(GROUPS, everything.__getitem__, members)}


def test_before_there_is_a_cluster_nobody_knows() -> None:
    assert seen([]) == {"cp1": None, "w1": None, "e1": None, "db": None}


def test_nodes_are_known_by_their_names_and_etcd_hosts_are_not() -> None:
    assert seen(["cp1"]) == {"cp1": True, "w1": False, "e1": None, "db": None}
    assert seen(["cp1", "other"], w1={"kube_override_hostname": "other"})["w1"] is True


def test_a_host_that_was_not_looked_at_is_not_judged() -> None:
    assert "w1" not in seen([], w1={RESULT: None})
    assert "w1" not in seen([], w1={RESULT: {"skipped": True}})


def test_roles_and_clock_come_along() -> None:
    (host,) = [
        host for host in seen_hosts(GROUPS, lambda name: {RESULT: {"facts": {}, "skew": -3}}, []) if host.name == "cp1"
    ]
    assert (host.roles, host.skew) == ({"all", "kube_control_plane", "etcd"}, -3)
