# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The same with Helm 3: installed, seen by its commands, changed, rolled back by it, and mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

NEW_HOST = {"slipway_addons__new": {"portal": {"values": {"host": "portal.second.example.com"}}}}


@pytest.fixture
def helm(host: Any, lab: dict[str, Any]) -> Callable[..., str]:
    def call(*args: str) -> str:
        words = [lab["bin"]["helm3"], "--kubeconfig", lab["kubeconfig"], *args]
        told: str = host.check_output(" ".join(["%s"] * len(words)), *words)
        return told

    return call


def test_it_is_helm_3(helm: Callable[..., str]) -> None:
    assert helm("version", "--short").startswith("v3.")


def test_helm_3_lists_what_we_installed(helm: Callable[..., str]) -> None:
    listed = {r["name"]: r for r in json.loads(helm("list", "-A", "-o", "json")) if r["namespace"].startswith("helm3-")}
    assert set(listed) == {"certs", "issuer", "storage", "database", "portal"}
    assert {r["status"] for r in listed.values()} == {"deployed"}
    assert {r["revision"] for r in listed.values()} == {"1"}
    assert json.loads(helm("get", "values", "portal", "-n", "helm3-portal", "-o", "json")) == {
        "host": "portal.first.example.com"
    }
    assert "kind: Ingress" in helm("get", "manifest", "portal", "-n", "helm3-portal")


def test_change_and_rollback_by_helm_are_seen(
    playbook: Any, helm: Callable[..., str], kubectl: Callable[..., Any]
) -> None:
    def host_name() -> str:
        found: str = kubectl("get", "ingress", "portal", "-n", "helm3-portal")["spec"]["rules"][0]["host"]
        return found

    assert playbook("install", **NEW_HOST).actions == {"portal": "upgrade"}
    assert host_name() == "portal.second.example.com"
    history = json.loads(helm("history", "portal", "-n", "helm3-portal", "-o", "json"))
    assert [(r["revision"], r["status"]) for r in history] == [(1, "superseded"), (2, "deployed")]

    helm("rollback", "portal", "1", "-n", "helm3-portal")
    assert host_name() == "portal.first.example.com"
    # somebody else's write is reported, and undone only by decision
    planned = playbook("plan", **NEW_HOST)
    assert planned.report["result"] == "drift"
    assert "release portal  revision 2 -> 3  by helm" in planned.plan
    assert "host: portal.second.example.com… -> host: portal.first.example.com…  by helm" in planned.plan
    assert "decide: -e slipway_overwrite=portal | -e slipway_keep=portal" in planned.plan
    assert playbook("install", slipway_overwrite="portal", **NEW_HOST).report["result"] == "changes"
    assert host_name() == "portal.second.example.com"
    again = playbook("install", **NEW_HOST)
    assert (again.report["result"], again.report["helm_processes"]) == ("unchanged", 0)


def test_removed_releases_are_gone_for_helm_3_too(playbook: Any, helm: Callable[..., str]) -> None:
    run = playbook("remove", slipway_remove_addons="portal,settings")
    assert [e.addon for e in run.events if e.state == "removed"]
    left = {
        r["name"] for r in json.loads(helm("list", "-A", "-a", "-o", "json")) if r["namespace"].startswith("helm3-")
    }
    assert left == {"certs", "issuer", "storage", "database"}
