# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An admission webhook that takes its time: within its timeout it is waited for, beyond it it is named, and what it
holds up is neither lost nor half recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons import applying
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from ansible_collections.slipway.cluster.plugins.module_utils.addons.schedule import Outcome
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster, by_name, eventually

pytestmark = pytest.mark.lab

TOO_LATE = {"seconds": 2.6}
"""The webhook's timeout is 2 s."""


@pytest.fixture(scope="module")
def path(shared: Cluster) -> Iterator[str]:
    """A webhook that is asked about every ConfigMap of one namespace; its path on the webhook server."""
    ns, name = shared.ns("main"), f"{shared.name}-late"
    o.make_namespaces(shared, ns, shared.ns("free"))
    hook = o.webhook(name, f"/{name}", shared.env, ["configmaps"], ["CREATE", "UPDATE", "DELETE"], namespaces=[ns])
    with o.there(shared, f"{o.WEBHOOKS}/{name}", hook):
        o.order(shared.env, f"/{name}", "deny")

        def asked() -> bool:
            try:
                shared.client().apply(o.core("configmaps", ns, "x"), o.config_map("x"), manager="test", dry_run=True)
            except ApiError as exc:
                return exc.status == 403
            return False

        # The API server takes a second to notice a new configuration.
        eventually(asked)
        yield f"/{name}"
        o.order(shared.env, f"/{name}", "allow")


def one(cluster: Cluster, name: str, where: str = "main", *after: str, **data: str) -> dict[str, Any]:
    maps = [o.config_map(f"{name}-{letter}", **data) for letter in "ab"]
    return {"namespace": cluster.ns(where), "after": list(after), "objects": maps}


def test_a_late_answer_within_the_webhook_s_time_is_waited_for(shared: Cluster, path: str) -> None:
    o.order(shared.env, path, "slow", seconds=1)
    wanted = {"within": one(shared, "within")}
    shared.ok(wanted)
    assert shared.plan(wanted).result == "unchanged"
    assert not shared.remove("within", addons=wanted).failed


def test_a_webhook_that_comes_back_while_it_is_tried_again_fails_nothing(shared: Cluster, path: str) -> None:
    o.order(shared.env, path, "slow", **TOO_LATE)
    wanted = {"back": one(shared, "back")}
    threading.Timer(1.0, o.order, (shared.env, path, "allow")).start()
    shared.ok(wanted)
    assert shared.plan(wanted).result == "unchanged"


def test_an_answer_beyond_the_webhook_s_time_is_named_and_holds_up_what_needs_it_only(
    shared: Cluster, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "_WEBHOOK_GRACE", 0.5)
    o.order(shared.env, path, "slow", **TOO_LATE)
    wanted = {
        "held": one(shared, "held"),
        "needs-it": one(shared, "needs-it", "free", "held"),
        "free": one(shared, "free", "free"),
    }
    results = shared.run(wanted).results
    assert {name: result.outcome for name, result in results.items()} == {
        "held": Outcome.FAILED,
        "needs-it": Outcome.SKIPPED,
        "free": Outcome.DONE,
    }
    named = f"{path[1:]}.lab.slipway"
    assert "SLW-4003" in results["held"].reason
    assert named in results["held"].reason
    assert o.recorded(shared)["held"].state.value == "pending"
    o.order(shared.env, path, "allow")
    shared.ok(wanted)
    assert by_name(shared.plan(wanted))["held"].action is Action.UNCHANGED

    # A plan tries what it would do: it says that it could not, and who did not answer.
    o.order(shared.env, path, "slow", **TOO_LATE)
    wanted["held"] = one(shared, "held", k="w")
    plan = by_name(shared.plan(wanted))["held"]
    assert plan.action is Action.UPGRADE
    assert not plan.problems
    assert all(named in item.unverified for item in plan.objects if item.id.kind == "ConfigMap")

    # And a removal: what could not go stays in the record.
    report = shared.remove("held", "needs-it", addons=wanted)
    assert report.results["needs-it"].outcome is Outcome.DONE
    assert report.results["held"].outcome is Outcome.FAILED
    assert named in report.results["held"].reason
    maps = {obj.name for obj in o.recorded(shared)["held"].objects if obj.kind == "ConfigMap"}
    assert maps == {"held-a", "held-b"}
    o.order(shared.env, path, "allow")
    assert not shared.remove("held", "free", addons=wanted).failed
    assert set(o.recorded(shared)) == {"back"}
