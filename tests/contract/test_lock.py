# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Two runs on one cluster: one works, the other says who does and waits or refuses; a dead one is followed."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import LockError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.lock import Lock
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import StoppedError
from tests.contract.runner import Child, Job, proxied, rule
from tests.contract.support import CHARTS, Cluster, writes_in

pytestmark = pytest.mark.lab

HOUR = 3600.0


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def slow_job(name: str, seconds: float) -> dict[str, Any]:
    pod = {
        "metadata": {"annotations": {"lab.slipway/delay": str(seconds)}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": name, "image": "example.org/job:1"}]},
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": pod}}


def slow(cluster: Cluster, seconds: float) -> dict[str, Any]:
    """One add-on that is waited for, and one after it: there are writes to come."""
    return {
        "first": {"namespace": cluster.ns("a"), "timeout": 60, "objects": [slow_job("job", seconds)]},
        "second": {"namespace": cluster.ns("a"), "after": ["first"], "objects": [config("second", k="v")]},
    }


def other(cluster: Cluster) -> dict[str, Any]:
    return {**slow(cluster, 0.5), "third": {"namespace": cluster.ns("a"), "objects": [config("third", k="v")]}}


def child(cluster: Cluster, addons: dict[str, Any], *, lock_duration: float = 30.0, **more: Any) -> Child:
    options = {"lock_duration": lock_duration, **more.pop("options", {})}
    return Child(Job(cluster.env, str(cluster.cache), cluster.name, addons, options=options, **more))


def lease_path(cluster: Cluster) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{cluster.home}/leases/slipway"


def lease(cluster: Cluster) -> dict[str, Any]:
    found = cluster.get(lease_path(cluster))
    return dict((found or {}).get("spec") or {})


def moments(cluster: Cluster, agent: str) -> list[datetime]:
    """When the API server got the writes of one user agent, the lock's and its namespace's left out."""
    found = []
    for line in Path(cluster.env["audit_log"]).read_text(encoding="utf-8").splitlines():
        if agent not in line or cluster.name not in line:
            continue
        entry = json.loads(line)
        uri = entry["requestURI"]
        writes = entry["verb"] in ("create", "update", "patch", "delete") and "dryRun" not in uri
        if writes and "/leases" not in uri and not uri.split("?")[0].endswith(cluster.home):
            found.append(datetime.fromisoformat(entry["requestReceivedTimestamp"]))
    return sorted(found)


def test_the_second_run_says_who_works_and_refuses(cluster: Cluster) -> None:
    one = child(cluster, slow(cluster, 4))
    one.saw("waiting")
    client = Client(cluster.access, user_agent=f"second {cluster.name}")
    with pytest.raises(LockError) as refused:
        cluster.run(other(cluster), client=client)
    held = lease(cluster)
    assert refused.value.code == "SLW-6001"
    assert f"pid {one.process.pid} " in refused.value.message
    assert held["holderIdentity"] in refused.value.message
    assert held["acquireTime"][:19] in refused.value.message
    assert "(install)" in refused.value.message
    assert not writes_in(cluster.env["audit_log"], f"second {cluster.name}")
    assert one.wait() == 0
    # The counter-check: nobody works any more, and the same run is let in.
    cluster.ok(other(cluster))


def test_the_second_run_waits_for_its_turn(cluster: Cluster) -> None:
    one = child(cluster, slow(cluster, 3))
    one.saw("waiting")
    events: list[Event] = []
    client = Client(cluster.access, user_agent=f"second {cluster.name}")
    cluster.ok(other(cluster), client=client, emit=events.append, lock_wait=30)
    assert one.wait() == 0
    told = [e.detail for e in events if e.state == "waiting" and not e.addon]
    assert len(told) == 1
    assert f"pid {one.process.pid} " in told[0]
    first, second = moments(cluster, one.job.agent), moments(cluster, f"second {cluster.name}")
    assert first
    assert second
    assert first[-1] < second[0]


def test_waiting_has_an_end(cluster: Cluster) -> None:
    one = child(cluster, slow(cluster, 6))
    one.saw("waiting")
    began = time.monotonic()
    with pytest.raises(LockError, match="SLW-6001"):
        cluster.run(other(cluster), lock_wait=2)
    assert 2 <= time.monotonic() - began < 5
    one.kill()


def test_a_dead_run_is_followed_when_its_lease_ends(cluster: Cluster) -> None:
    one = child(cluster, slow(cluster, 20), lock_duration=3.0)
    one.saw("waiting")
    one.kill()
    died = time.monotonic()
    with pytest.raises(LockError, match=r"ends in [0-3] s"):
        cluster.run(other(cluster))
    report = cluster.run(other(cluster), lock_wait=20, emit=lambda e: None)
    assert not report.failed
    # It waited for the Lease (at most 3 s), not for what the dead run wanted to wait for.
    assert time.monotonic() - died < 15
    assert not lease(cluster).get("holderIdentity")


@pytest.mark.parametrize("skew", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_clocks_of_controllers_do_not_matter(cluster: Cluster, skew: float) -> None:
    """Neither does a clock that is ahead end another's claim, nor one that is behind wait an hour longer."""
    one = child(cluster, slow(cluster, 20), lock_duration=4.0)
    one.saw("waiting")
    two = child(cluster, other(cluster), lock_duration=4.0, skew=skew)
    assert two.wait() == 2
    assert any("SLW-6001" in detail and f"pid {one.process.pid} " in detail for _, _, detail in two.events)
    renewed = datetime.fromisoformat(lease(cluster)["renewTime"])
    assert abs((datetime.now(UTC) - renewed).total_seconds()) < 5
    one.kill()
    three = child(cluster, other(cluster), lock_duration=4.0, skew=skew, options={"lock_wait": 20.0})
    assert three.wait() == 0, three.events


def test_a_clock_of_its_own_would_end_the_claim_of_others(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter-check of the one above: without the server's time a clock that is ahead takes the lock."""
    one = child(cluster, slow(cluster, 20))
    one.saw("waiting")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + HOUR)
    monkeypatch.setattr(Client, "_learn_clock", lambda *_: None)
    taken = Lock(cluster.client(), namespace=cluster.home, operation="install", duration=5.0,
                 alive=lambda: True)  # fmt: skip
    taken.acquire(0, lambda holder: None)
    taken.release()
    one.kill()


def steal(cluster: Cluster) -> None:
    """What another run does once the Lease has ended, here while its holder is alive."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "thief@elsewhere pid 1 #0", "leaseDurationSeconds": 60, "renewTime": now}
    cluster.patch(lease_path(cluster), {"spec": {**spec, "acquireTime": now}}, manager="thief")


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "counter-check"])
def test_a_run_whose_lock_was_taken_over_stops_before_its_next_write(cluster: Cluster, guarded: bool) -> None:
    one = child(cluster, slow(cluster, 4), lock_duration=3.0, guarded=guarded)
    one.saw("waiting")
    before = len(moments(cluster, one.job.agent))
    steal(cluster)
    began = time.monotonic()
    code = one.wait()
    after = len(moments(cluster, one.job.agent))
    if not guarded:
        assert after > before
        return
    assert code == 1
    assert after == before
    assert time.monotonic() - began < 4
    assert any("SLW-6103" in detail for _, _, detail in one.events)
    assert lease(cluster)["holderIdentity"].startswith("thief")


def test_an_answer_that_got_lost_is_not_another_run(cluster: Cluster) -> None:
    """The API server took the Lease, the renewal and the digest key, and the connection broke before it said so."""
    addons = slow(cluster, 3)
    agent = f"child {cluster.name} lost"
    with (
        rule(cluster.env, method="POST", path="/leases", user_agent=agent, nth=1, reset="after"),
        rule(cluster.env, method="PUT", path="/leases", user_agent=agent, nth=1, reset="after"),
        rule(cluster.env, method="POST", path="/secrets", user_agent=agent, nth=1, reset="after"),
    ):
        one = child(cluster, addons, agent=agent, lock_duration=3.0)
        assert one.wait() == 0, one.events
    assert not lease(cluster).get("holderIdentity")


def test_a_server_that_is_away_for_longer_than_the_lease_stops_the_run(cluster: Cluster) -> None:
    agent = f"child {cluster.name} away"
    one = child(cluster, slow(cluster, 3), agent=agent, lock_duration=2.0)
    one.saw("waiting")
    before = len(moments(cluster, agent))
    with rule(cluster.env, path="/leases", user_agent=agent, status=503):
        assert one.wait() == 1, one.events
    assert any("SLW-6103 the lock could not be renewed" in detail for _, _, detail in one.events)
    assert len(moments(cluster, agent)) == before


def test_a_run_that_nobody_waits_for_takes_no_lock(cluster: Cluster) -> None:
    """It died while it planned: not even the lock's namespace is made. Alive, the same run makes it."""
    for alive in (False, True):
        engine = cluster.engine(slow(cluster, 0))
        engine._alive = lambda alive=alive: alive
        plan = engine.plan()
        if alive:
            assert not engine.execute(plan).failed
        else:
            with pytest.raises(StoppedError, match="SLW-6103"):
                engine.execute(plan)
        there = cluster.get(f"/api/v1/namespaces/{cluster.home}")
        assert (there is not None) == alive


def test_the_identity_names_user_host_and_process(cluster: Cluster) -> None:
    lock = Lock(cluster.client(), namespace=cluster.home, operation="install", duration=5.0,
                alive=lambda: True)  # fmt: skip
    assert f" pid {os.getpid()} #" in lock.identity
    assert "@" in lock.identity


def test_a_new_namespace_that_two_add_ons_share_is_created_once(cluster: Cluster) -> None:
    """T45: independent of each other, at the same time, by one run; and by two charts at that."""
    shared = cluster.ns("shared")
    addons = {
        f"part{i}": {"namespace": shared, "timeout": 30, "objects": [config(f"part{i}", k="v")]} for i in range(4)
    }
    addons["portal"] = {"chart": {"path": str(CHARTS / "portal")}, "namespace": shared, "timeout": 30}
    agent = f"shared {cluster.name}"
    events: list[Event] = []
    cluster.ok(addons, client=Client(cluster.access, user_agent=agent), emit=events.append)
    created = [
        line
        for line in Path(cluster.env["audit_log"]).read_text(encoding="utf-8").splitlines()
        if agent in line and f'"resource":"namespaces","name":"{shared}"' in line and '"code":201' in line
    ]
    assert len(created) == 1
    assert not any(p.changes for p in cluster.plan(addons).addons)
    # All five at once: each began before another had ended.
    states = [e.state for e in events if e.state in ("started", "ready")]
    assert states[:2] == ["started", "started"]


def test_proxy_and_server_are_the_same_cluster(cluster: Cluster) -> None:
    """The premise of this file: what a child does through the proxy is seen directly."""
    path = "/api/v1/namespaces/kube-system"
    seen = Client(proxied(cluster.env)).get(path)
    assert seen is not None
    assert seen["metadata"]["uid"] == (cluster.get(path) or {})["metadata"]["uid"]
