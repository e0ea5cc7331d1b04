# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A part of the manifest, by slipway_only, slipway_skip and Ansible's tags. The tests are one story."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

KINDS = "configmaps,deployments,clusterissuers"
MINE = "slipway.cluster/name=selection,!slipway.cluster/record"


@pytest.fixture
def there(kubectl: Callable[..., Any]) -> Callable[[], set[str]]:
    def names() -> set[str]:
        items = kubectl("get", KINDS, "-A", "-l", MINE)
        return {item["metadata"]["labels"]["slipway.cluster/addon"] for item in items}

    return names


def test_only_brought_what_it_needs_and_no_more(playbook: Any, there: Callable[[], set[str]]) -> None:
    assert there() == {"certs", "issuer"}
    run = playbook("plan", slipway_only="issuer")
    assert "selected with what they need: certs" in run.plan
    assert run.report["pulled_in"] == ["certs"]
    assert run.actions == {}
    assert run.report["dropped"] == []


def test_skip_refuses_what_others_need(playbook: Any, there: Callable[[], set[str]]) -> None:
    run = playbook("install", rc=2, slipway_skip="certs")
    assert "SLW-1208" in run.out
    assert "issuer" in run.out
    assert there() == {"certs", "issuer"}
    unknown = playbook("install", rc=2, slipway_only="portl")
    assert "SLW-1203" in unknown.out
    assert "portal" in unknown.out


def test_tags_name_add_ons(playbook: Any, there: Callable[[], set[str]]) -> None:
    planned = playbook("plan", "--tags", "portal")
    assert planned.actions == {"portal": "install"}
    assert planned.report["pulled_in"] == ["certs", "issuer"]
    run = playbook("install", "--tags", "portal")
    assert run.plan == planned.plan
    assert there() == {"certs", "issuer", "portal"}


def test_a_tag_of_something_else_selects_nothing(playbook: Any, there: Callable[[], set[str]]) -> None:
    run = playbook("install", "--tags", "etcd")
    assert run.report == {}
    assert "PLAN" not in run.out
    assert there() == {"certs", "issuer", "portal"}


def test_skip_leaves_out_what_nobody_needs(playbook: Any, there: Callable[[], set[str]]) -> None:
    run = playbook("install", slipway_skip="notes")
    assert run.actions == {"policy": "install"}
    assert there() == {"certs", "issuer", "portal", "policy"}
    skipped = playbook("plan", "--skip-tags", "notes")
    assert skipped.actions == {}
    rest = playbook("install")
    assert rest.actions == {"notes": "install"}


def test_all_and_addons_are_no_selection(playbook: Any) -> None:
    for tag in ("all", "addons"):
        run = playbook("plan", "--tags", tag)
        assert len(run.report["addons"]) == 5
        assert run.report["pulled_in"] == []
