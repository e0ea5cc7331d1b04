# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``kill -9`` at every write of an install, an upgrade and a removal: the next run converges, nothing is done twice.

The writes of an undisturbed run are counted first. Then a run is held at each of them, killed before the API server
got the write, or after it did it and before the answer; the next run must find its way.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from tests.contract.runner import Child, Job, Transition, control, held, rule, transitions, writes_through_proxy
from tests.contract.support import ROOT, Cluster, eventually

pytestmark = pytest.mark.lab

SHOP = Path(__file__).parent / "charts" / "shop"
LEASE_SECONDS = 4.0
SLACK = 3.0
"""Seconds that a busy machine may add to what is promised in seconds."""
AT_ONCE = 4
"""Cases at the same time: most of one is waiting for the dead run's Lease to end."""
SIDES = ("before", "after")
OPERATIONS = ("install", "upgrade", "remove")


def manifest(cluster: Cluster, operation: str = "install") -> dict[str, Any]:
    """A chart with hooks, a CRD and its resource, a Deployment; and objects that depend on it."""
    upgraded = operation == "upgrade"
    text = "second" if upgraded else "first"
    values = {"group": f"{cluster.name}.example.org", "text": text, "old": not upgraded}
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}, "data": {"text": text}}
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "second" if upgraded else "first"}}
    return {
        "shop": {"chart": {"path": str(SHOP)}, "namespace": cluster.ns("shop"), "timeout": 30, "values": values},
        "notes": {"namespace": cluster.ns("notes"), "after": ["shop"], "timeout": 10, "objects": [note, extra]},
    }


def options(cluster: Cluster, operation: str) -> dict[str, Any]:
    if operation == "remove":
        return {"remove": ["shop", "notes"], "crds": {"shop": 0}, "lock_duration": LEASE_SECONDS}
    return {"lock_duration": LEASE_SECONDS}


@dataclass
class Ground:
    """The lab for this file: fresh clusters, cleaned up at the end."""

    env: dict[str, Any]
    cache: Path
    made: list[Cluster] = field(default_factory=list)

    def cluster(self) -> Cluster:
        one = Cluster(self.env, self.cache, name=f"k-{uuid.uuid4().hex[:8]}")
        self.made.append(one)
        return one

    def child(self, cluster: Cluster, operation: str, **more: Any) -> Child:
        chosen = {**options(cluster, operation), **more.pop("options", {})}
        addons = more.pop("addons", None) or manifest(cluster, operation)
        verb = "remove" if operation == "remove" else "install"
        return Child(Job(self.env, str(self.cache), cluster.name, addons, verb, chosen, **more))

    def prepare(self, operation: str) -> Cluster:
        """A cluster in the state in which ``operation`` begins."""
        cluster = self.cluster()
        if operation != "install":
            cluster.ok(manifest(cluster))
        return cluster

    def clean(self) -> None:
        kubectl = [self.env["bin"]["kubectl"], "--kubeconfig", self.env["kubeconfig"]]
        listed = subprocess.run([*kubectl, "get", "ns,crd", "-o", "name"], capture_output=True, text=True, check=True)
        names = [one.name for one in self.made]
        mine = [line for line in listed.stdout.split() if any(name in line for name in names)]
        if mine:
            subprocess.run([*kubectl, "delete", "--wait=false", *mine], capture_output=True, check=False)


@pytest.fixture(scope="module")
def ground(lab_env: dict[str, Any], cache: Path) -> Iterator[Ground]:
    one = Ground(lab_env, cache)
    yield one
    one.clean()


# --- what a cluster looks like after a run, and whether that is right -------------------------------------------------


def contents(cluster: Cluster) -> set[str]:
    """Every object of this ``slipway_name`` but what controllers make of them, names made comparable."""
    client = cluster.client()
    namespaces = [n["metadata"]["name"] for n in client.list("/api/v1/namespaces", metadata=True)]
    mine = [n for n in namespaces if n.startswith(cluster.name)]
    found = {f"Namespace {n}" for n in mine}
    kinds = {"configmaps": "/api/v1", "secrets": "/api/v1", "deployments": "/apis/apps/v1", "jobs": "/apis/batch/v1"}
    for namespace in mine:
        for plural, base in kinds.items():
            for item in client.list(f"{base}/namespaces/{namespace}/{plural}", metadata=True):
                name = item["metadata"]["name"]
                # Revisions of a release are looked at one by one elsewhere.
                if name != "kube-root-ca.crt" and "helm.sh" not in name.replace("sh.helm", "helm.sh"):
                    found.add(f"{plural} {namespace}/{name}")
    group = f"{cluster.name}.example.org"
    if client.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/offers.{group}"):
        found.add(f"crd offers.{group}")
        for item in client.list(f"/apis/{group}/v1/offers", metadata=True):
            found.add(f"offer {item['metadata']['namespace']}/{item['metadata']['name']}")
    return {line.replace(cluster.name, "NAME") for line in found}


def revisions(cluster: Cluster) -> list[tuple[int, str]]:
    items = cluster.client().list(
        f"/api/v1/namespaces/{cluster.ns('shop')}/secrets", {"labelSelector": "owner=helm"}, metadata=True
    )
    return sorted((int(i["metadata"]["labels"]["version"]), i["metadata"]["labels"]["status"]) for i in items)


def helm_list(cluster: Cluster) -> list[tuple[str, str]]:
    done = subprocess.run(
        [cluster.helm, "list", "--all", "-n", cluster.ns("shop"), "-o", "json", "--kubeconfig",
         cluster.env["kubeconfig"]] if cluster.helm_version == 3 else
        [cluster.helm, "list", "-n", cluster.ns("shop"), "-o", "json", "--kubeconfig", cluster.env["kubeconfig"]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [(one["name"], one["status"]) for one in json.loads(done.stdout)]


def hook_starts(cluster: Cluster, since: int) -> dict[str, int]:
    """How often each hook Job came into being, by the API server's own account."""
    found: dict[str, int] = {}
    with Path(cluster.env["audit_log"]).open(encoding="utf-8") as log:
        log.seek(since)
        for line in log:
            if cluster.name not in line or '"resource":"jobs"' not in line or "dryRun" in line:
                continue
            entry = json.loads(line)
            if (
                entry["verb"] in ("patch", "create")
                and (entry.get("responseStatus") or {}).get("code") == 201
                and entry["objectRef"]["namespace"] == cluster.ns("shop")
            ):
                name = entry["objectRef"]["name"]
                found[name] = found.get(name, 0) + 1
    return found


def lease_holder(cluster: Cluster) -> str:
    lease = cluster.get(f"/apis/coordination.k8s.io/v1/namespaces/{cluster.home}/leases/slipway-{cluster.name}")
    return str(((lease or {}).get("spec") or {}).get("holderIdentity") or "")


@dataclass(frozen=True)
class Expected:
    """What an undisturbed run of an operation left, and what it did on the way."""

    contents: set[str]
    hooks: dict[str, int]
    transitions: list[Transition]


def differences(cluster: Cluster, operation: str, expected: Expected, since: int) -> list[str]:
    """What is not as an undisturbed run leaves it. Empty: converged."""
    found = []
    now = eventually(lambda: contents(cluster) if operation != "remove" else contents(cluster) or {"nothing"}, 5)
    now.discard("nothing")
    found += [f"missing: {line}" for line in sorted(expected.contents - now)]
    found += [f"left over: {line}" for line in sorted(now - expected.contents)]
    if operation != "remove":
        actions = {p.name: p.action for p in cluster.plan(manifest(cluster, operation)).addons}
        found += [f"next plan: {n} {a.value}" for n, a in actions.items() if a is not Action.UNCHANGED]
        known = revisions(cluster)
        deployed = [number for number, status in known if status == "deployed"]
        if deployed != [max((n for n, _ in known), default=0)] or any(s.startswith("pending") for _, s in known):
            found.append(f"Helm revisions: {known}")
        if helm_list(cluster) != [("shop", "deployed")]:
            found.append(f"helm list: {helm_list(cluster)}")
    starts = hook_starts(cluster, since)
    if starts != expected.hooks:
        found.append(f"hooks started: {starts}, expected {expected.hooks}")
    if lease_holder(cluster):
        found.append(f"lock is still held by {lease_holder(cluster)}")
    return found


def end_of(path: str) -> int:
    return Path(path).stat().st_size


def next_run(cluster: Cluster, operation: str) -> list[str]:
    """The run after a death, straight to the API server. What went wrong; empty: nothing."""
    waited: list[float] = []

    def tell(event: Event) -> None:
        if event.state == "waiting" and not event.addon:
            waited.append(time.monotonic())
        elif waited and len(waited) == 1:
            waited.append(time.monotonic())

    verb = "remove" if operation == "remove" else "install"
    chosen = {**options(cluster, operation), "lock_wait": 15.0, "lock_duration": 10.0}
    report = cluster.run(manifest(cluster, operation), verb, emit=tell, **chosen)
    found = [f"{n}: {r.outcome.value}: {r.reason}" for n, r in report.results.items() if not r.done]
    if len(waited) > 1 and waited[1] - waited[0] > LEASE_SECONDS + SLACK:
        found.append(f"the lock of the dead run was waited for {waited[1] - waited[0]:.1f} s")
    return found


@pytest.fixture(scope="module")
def undisturbed(ground: Ground) -> Callable[[str], Expected]:
    """By operation; each is run once."""
    known: dict[str, Expected] = {}

    def run(operation: str) -> Expected:
        if operation not in known:
            cluster = ground.prepare(operation)
            since = end_of(cluster.env["audit_log"])
            child = ground.child(cluster, operation, options={"lock_duration": 30.0})
            assert child.wait() == 0, child.events
            calls = writes_through_proxy(ground.env, child.job.agent)
            assert all(call["status"] < 400 or call["status"] == 404 for call in calls), calls
            known[operation] = Expected(
                contents(cluster), hook_starts(cluster, since), transitions(calls, cluster.name)
            )
            assert not differences(cluster, operation, known[operation], since)
        return known[operation]

    return run


def kill_at(ground: Ground, operation: str, transition: Transition, side: str, expected: Expected) -> list[str]:
    """One case. What is wrong after the next run; empty: it converged."""
    cluster = ground.prepare(operation)
    since = end_of(cluster.env["audit_log"])
    agent = f"child {cluster.name} killed"
    with rule(
        ground.env, method=transition.method, path=transition.pattern(cluster.name), user_agent=agent,
        nth=transition.nth, hold=side,
    ):  # fmt: skip
        child = ground.child(cluster, operation, agent=agent)
        deadline = time.monotonic() + 40
        while not (call := held(ground.env, agent)) and child.process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.1)
        child.kill()
        if not call:
            return [f"{operation}, {side} {transition}: never held: {child.events}"]
        control(ground.env, "POST", "/release", {"id": call, "drop": True})
    problems = next_run(cluster, operation) or differences(cluster, operation, expected, since)
    return [f"{operation}, {side} {transition}: {problem}" for problem in problems]


def every_kind(expected: Expected) -> list[Transition]:
    """One transition of each kind: verb and kind of object; of records the first, the middle and the last."""
    kinds: dict[str, list[Transition]] = {}
    for one in expected.transitions:
        parts = one.path.split("/")
        kinds.setdefault(f"{one.method} {parts[-2]}" + (parts[-1] if "record" in parts[-1] else ""), []).append(one)
    chosen: list[Transition] = []
    for alike in kinds.values():
        chosen += dict.fromkeys((alike[0], alike[len(alike) // 2], alike[-1]) if len(alike) > 3 else alike[:1])
    return chosen


def run_cases(ground: Ground, operation: str, cases: list[tuple[Transition, str]], expected: Expected) -> list[str]:
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = list(pool.map(lambda case: kill_at(ground, operation, *case, expected), cases))
    return [problem for problems in found for problem in problems]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_each_kind_of_write(
    ground: Ground, undisturbed: Callable[[str], Expected], operation: str
) -> None:
    """Sides alternate; ``make test-long`` tries both at every single write."""
    expected = undisturbed(operation)
    cases = [(one, SIDES[at % 2]) for at, one in enumerate(every_kind(expected))]
    assert len(cases) >= 5
    assert not run_cases(ground, operation, cases, expected)


@pytest.mark.slow
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_every_write(
    ground: Ground, undisturbed: Callable[[str], Expected], operation: str, side: str
) -> None:
    expected = undisturbed(operation)
    assert not run_cases(ground, operation, [(one, side) for one in expected.transitions], expected)
