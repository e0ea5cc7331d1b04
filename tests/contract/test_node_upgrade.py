# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What an upgrade looks at, on a real API server: versions of our releases' objects, and what others ask for."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_removals import Used
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.api_usage import (
    asked_for,
    asked_of,
    used_by_releases,
)
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster

pytestmark = pytest.mark.lab


def test_versions_that_our_releases_use(cluster: Cluster, home: None) -> None:
    cluster.ok({"a": {"namespace": cluster.ns("a"), "objects": [o.config_map("c"), o.deployment("d")]}})
    found = used_by_releases(cluster.client(), name=cluster.name, namespace=cluster.home)
    ns = cluster.ns("a")
    assert {
        Used("v1", "ConfigMap", f"add-on a: ConfigMap {ns}/c"),
        Used("apps/v1", "Deployment", f"add-on a: Deployment {ns}/d"),
    } <= set(found)
    assert used_by_releases(cluster.client(), name="nobody", namespace=cluster.home) == []


def test_count_of_deprecated_apis_is_read(cluster: Cluster) -> None:
    client = cluster.client()
    # Deprecated since 1.19, without a version that it ends with.
    client.list("/api/v1/componentstatuses")
    text = client.text("/metrics") or ""
    line = next(line for line in text.splitlines() if 'resource="componentstatuses"' in line and "deprecated" in line)
    assert asked_for(line) == []
    assert [one.resource for one in asked_for(line.replace('removed_release=""', 'removed_release="1.99"'))] == [
        "componentstatuses.v1"
    ]
    assert all(one.minor > 0 for one in asked_of(client))
