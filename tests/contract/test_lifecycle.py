# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The life of add-ons on a real API server: installed in order, unchanged, changed, removed."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from tests.contract.support import CHARTS, Cluster, by_name, snapshot

pytestmark = pytest.mark.lab


def platform(cluster: Cluster) -> dict[str, Any]:
    def chart(name: str, **more: Any) -> dict[str, Any]:
        return {"chart": {"path": str(CHARTS / name)}, "namespace": cluster.ns(name), "timeout": 40, **more}

    return {
        "storage": chart("storage"),
        "database": chart("database", after=["storage"]),
        "portal": chart("portal", after=["database"]),
        "settings": {
            "namespace": cluster.ns("settings"),
            "after": ["portal"],
            "objects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}],
        },
    }


@pytest.mark.alone
@pytest.mark.parametrize("cluster", [3, 4], indirect=True)
def test_install_no_op_change_remove(cluster: Cluster) -> None:
    addons = platform(cluster)
    before = snapshot(cluster.client())
    events: list[Event] = []
    cluster.ok(addons, emit=events.append)
    ready = [e.addon for e in events if e.state == "ready"]
    assert ready == ["storage", "database", "portal", "settings"]

    client = cluster.client()
    again = cluster.engine(addons, client=client).plan()
    assert [p.action for p in again.addons] == [Action.UNCHANGED] * 4
    assert again.helm_processes == 0

    addons["settings"]["objects"][0]["data"]["k"] = "w"
    plan = by_name(cluster.plan(addons))
    assert {n: p.action for n, p in plan.items() if p.changes} == {"settings": Action.UPGRADE}
    changed = [f for o in plan["settings"].objects for f in o.fields]
    assert [(f.path, f.before, f.after) for f in changed] == [("data.k", "v", "w")]
    cluster.ok(addons)

    names = list(addons)
    report = cluster.remove(*names, pvcs=names, kept=names)
    assert not report.failed
    assert not any(report.kept.values())
    # What earlier tests left may still be going; nothing may have come.
    assert snapshot(cluster.client()) - before == set()
