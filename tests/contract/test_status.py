# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Status under few rights: what may not be listed is looked at one by one, and it is said."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from ansible_collections.slipway.cluster.plugins.module_utils.report.status_text import status_lines
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def bad(shared: Cluster) -> dict[str, Any]:
    ns = shared.ns("main")
    o.make_namespaces(shared, ns)
    objects = [o.config_map("a"), o.deployment("bad", "crash-loop")]
    addons = {"bad": {"namespace": ns, "timeout": 0, "objects": objects}}
    shared.ok(addons)
    return addons


def with_rights(cluster: Cluster, *verbs: str) -> Client:
    rights = [{"apiGroups": ["", "apps"], "resources": ["configmaps", "deployments"], "verbs": verbs}]
    everywhere = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list"]}]
    return o.limited(cluster, rights, everywhere, [cluster.ns("main")])


def test_what_is_not_ready_is_told_to_who_may_not_list_it(shared: Cluster, bad: dict[str, Any]) -> None:
    found = shared.engine(bad, "status", client=with_rights(shared, "get")).status()
    assert found.result == "error"
    lines = "\n".join(status_lines(found))
    assert f"not ready  Deployment {shared.ns('main')}/bad" in lines
    assert "limit: may not list deployments: looked at the recorded ones only" in lines


def test_who_may_look_at_nothing_is_not_told_that_all_is_well(shared: Cluster, bad: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match=r"403 Forbidden.*cannot get resource"):
        shared.engine(bad, "status", client=with_rights(shared, "list")).status()
