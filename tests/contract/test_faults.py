# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An API server in trouble is no reason to fail, and one add-on in trouble is none for its neighbours."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from tests.contract.fixtures import objects as o
from tests.contract.runner import Child, Job, control, proxied, rule
from tests.contract.support import ROOT, Cluster

pytestmark = pytest.mark.lab

SHOP = Path(__file__).parent / "charts" / "shop"
DISTURBED: dict[str, dict[str, Any]] = {
    "429": {"status": 429},
    "429 later": {"status": 429, "retry_after": 1},
    "500": {"status": 500},
    "503": {"status": 503},
    "reset before": {"reset": "before"},
    "reset after": {"reset": "after"},
}


def platform(cluster: Cluster, text: str = "first", delay: str = "0") -> dict[str, Any]:
    values = {
        "group": f"{cluster.name}.example.org",
        "text": text,
        "old": text == "first",
        "podAnnotations": {"lab.slipway/delay": delay},
    }
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}, "data": {"text": text}}
    return {
        "shop": {"chart": {"path": str(SHOP)}, "namespace": cluster.ns("shop"), "timeout": 60, "values": values},
        "notes": {"namespace": cluster.ns("notes"), "after": ["shop"], "objects": [note]},
    }


def get_there(cluster: Cluster, *kinds: str) -> int:
    """Install, upgrade and remove while a fifth of all calls goes wrong. How many did."""
    agent = f"disturbed {cluster.name}"
    client = Client(proxied(cluster.env), user_agent=agent, patience=30.0)
    with ExitStack() as stack:
        rules = [
            stack.enter_context(rule(cluster.env, user_agent=agent, share=0.2 / len(kinds), seed=at, **DISTURBED[kind]))
            for at, kind in enumerate(kinds, 1)
        ]
        cluster.ok(platform(cluster), client=client, lock_duration=30.0)
        cluster.ok(platform(cluster, "second"), client=client, lock_duration=30.0)
        assert {p.action for p in cluster.plan(platform(cluster, "second"), client=client).addons} == {Action.UNCHANGED}
        change_by_hand(cluster, client)
        report = cluster.remove("shop", "notes", client=client, crds={"shop": 0}, lock_duration=30.0)
        assert not report.failed, {n: r.reason for n, r in report.results.items()}
        fired = [r["fired"] for r in control(cluster.env, "GET", "/rules") if r["id"] in rules]
    assert cluster.get(f"/api/v1/namespaces/{cluster.ns('shop')}") is None
    # The counter-check: every kind of trouble really happened.
    assert all(fired)
    return sum(fired)


def change_by_hand(cluster: Cluster, client: Client) -> None:
    """What the disturbed client finds and takes back is what an undisturbed one finds."""
    addons = platform(cluster, "second")
    note = o.core("configmaps", cluster.ns("notes"), "note")
    web = o.apps("deployments", cluster.ns("shop"), "web")
    before = o.live(cluster, web)["spec"]
    cluster.patch(note, {"data": {"text": "theirs"}})
    o.kubectl(cluster, "-n", cluster.ns("shop"), "set", "env", "deployment/web", "DEBUG=1")
    calm, disturbed = (
        {
            (d.object, d.field, str(d.live), d.manager)
            for addon in cluster.plan(addons, **who).addons
            for d in addon.drift
        }
        for who in ({}, {"client": client})
    )
    assert disturbed == calm
    assert len(calm) == 2
    cluster.ok(addons, client=client, overwrite=["shop", "notes"], lock_duration=30.0)
    assert o.live(cluster, note)["data"] == {"text": "second"}
    assert o.live(cluster, web)["spec"] == before
    assert cluster.plan(addons).result == "unchanged"


def test_a_fifth_of_all_calls_goes_wrong(cluster: Cluster) -> None:
    assert get_there(cluster, "429", "500", "503", "reset before", "reset after") > 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", DISTURBED)
def test_a_fifth_of_all_calls_goes_wrong_in_the_same_way(cluster: Cluster, kind: str) -> None:
    assert get_there(cluster, kind) > 20


def test_patience_has_an_end(cluster: Cluster) -> None:
    """The counter-check of the one above: a server that does not come back is an error, in time."""
    agent = f"disturbed {cluster.name}"
    client = Client(proxied(cluster.env), user_agent=agent, patience=2.0)
    began = time.monotonic()
    with rule(cluster.env, user_agent=agent, status=500), pytest.raises(ApiError, match="500"):
        cluster.run(platform(cluster), client=client)
    assert time.monotonic() - began < 10


@pytest.mark.alone
def test_the_api_server_is_restarted_in_the_middle(cluster: Cluster) -> None:
    """While the run waits for a pod, it is killed, is away for a second, and comes back."""
    addons = platform(cluster, delay="4")
    one = Child(Job(cluster.env, str(cluster.cache), cluster.name, addons, options={"lock_duration": 30.0}))
    one.saw("waiting")
    lab = [sys.executable, "-m", "lab", "restart-apiserver", "--name", cluster.env["name"], "--kill", "--pause", "1"]
    subprocess.run(lab, cwd=ROOT, check=True, capture_output=True)
    assert one.wait(90) == 0, one.events
    assert {p.action for p in cluster.plan(addons).addons} == {Action.UNCHANGED}


def test_independent_branches_go_on_after_a_failure(cluster: Cluster) -> None:
    """Dependents are skipped, each with what it needed; mended, the next run does only what is left."""

    def one(name: str, *after: str, kind: str = "ConfigMap") -> dict[str, Any]:
        body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}
        return {"namespace": cluster.ns("a"), "after": list(after), "objects": [body]}

    def addons(label: str) -> dict[str, Any]:
        broken = one("broken")
        broken["objects"][0]["metadata"]["labels"] = {"label": label}
        return {
            "broken": broken,
            "needs-it": one("needs-it", "broken"),
            "needs-that": one("needs-that", "needs-it"),
            "free": one("free"),
            "after-free": one("after-free", "free"),
        }

    events: list[Event] = []
    report = cluster.run(addons("not a label!"), emit=events.append)
    outcomes = {name: (r.outcome.value, r.reason) for name, r in report.results.items()}
    assert outcomes["broken"][0] == "failed"
    assert "not a label!" in outcomes["broken"][1]
    assert outcomes["needs-it"] == ("skipped", "needs broken")
    assert outcomes["needs-that"] == ("skipped", "needs needs-it")
    assert outcomes["free"][0] == outcomes["after-free"][0] == "done"
    assert ("needs-it", "skipped") in [(e.addon, e.state) for e in events]
    assert cluster.get(f"/api/v1/namespaces/{cluster.ns('a')}/configmaps/needs-it") is None
    again: list[Event] = []
    cluster.ok(addons("fine"), emit=again.append)
    assert {e.addon for e in again if e.state == "ready"} == {"broken", "needs-it", "needs-that"}
