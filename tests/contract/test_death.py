# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``kill -9`` at every write of an install, an upgrade and a removal: the next run converges, nothing is done twice.

The writes of an undisturbed run are counted first. Then a run is held at each of them, killed before the API server
got the write, or after it did it and before the answer; the next run must find its way.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from tests.contract.runner import (
    RECORDED_WRITES,
    Child,
    Job,
    Playbook,
    Transition,
    control,
    fired,
    held,
    rule,
    transitions,
    writes_through_proxy,
)
from tests.contract.support import Cluster, eventually

pytestmark = pytest.mark.lab

SHOP = Path(__file__).parent / "charts" / "shop"
LEASE_SECONDS = 4.0
SLACK = 3.0
"""Seconds that a busy machine may add to what is promised in seconds."""
GOING = 20.0
"""Seconds that a namespace may take to go."""
AT_ONCE = 6
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
    lease = cluster.get(f"/apis/coordination.k8s.io/v1/namespaces/{cluster.home}/leases/slipway")
    return str(((lease or {}).get("spec") or {}).get("holderIdentity") or "")


def locked_after(cluster: Cluster, seconds: float) -> str:
    """Who holds the lock, if its Lease goes on for longer than ``seconds`` from now."""
    lease = cluster.get(f"/apis/coordination.k8s.io/v1/namespaces/{cluster.home}/leases/slipway")
    spec = (lease or {}).get("spec") or {}
    if not spec.get("holderIdentity"):
        return ""
    passed = (datetime.now(UTC) - datetime.fromisoformat(spec["renewTime"])).total_seconds()
    return str(spec["holderIdentity"]) if spec["leaseDurationSeconds"] - passed > seconds else ""


@dataclass(frozen=True)
class Expected:
    """What an undisturbed run of an operation left, and what it did on the way."""

    contents: set[str]
    hooks: dict[str, int]
    transitions: list[Transition]


def differences(cluster: Cluster, operation: str, expected: Expected, since: int) -> list[str]:
    """What is not as an undisturbed run leaves it. Empty: converged."""
    found = []
    now = contents(cluster)
    deadline = time.monotonic() + GOING
    while operation == "remove" and now != expected.contents and time.monotonic() < deadline:
        # A run that died after its very last write leaves a namespace that is on its way out.
        time.sleep(0.5)
        now = contents(cluster)
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
    # A death after the last write leaves nothing to do, so that nobody takes the lock over: it just ends.
    if holder := locked_after(cluster, LEASE_SECONDS):
        found.append(f"lock is still held by {holder}")
    return found


def end_of(path: str) -> int:
    return Path(path).stat().st_size


def next_run(cluster: Cluster, operation: str) -> list[str]:
    """The run after a death, straight to the API server. What went wrong; empty: nothing."""
    waited: list[float] = []

    def tell(event: Event) -> None:
        if (event.state == "waiting" and not event.addon) or (waited and len(waited) == 1):
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
    ) as order:  # fmt: skip
        child = ground.child(cluster, operation, agent=agent)
        deadline = time.monotonic() + 40
        while not fired(ground.env, order) and child.process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        call = eventually(lambda: held(ground.env, agent), 10) if fired(ground.env, order) else 0
        child.kill()
        if not call:
            return [f"{operation}, {side} {transition}: never held: {child.events}"]
        control(ground.env, "POST", "/release", {"id": call, "drop": True})
    problems = next_run(cluster, operation) or differences(cluster, operation, expected, since)
    return [f"{operation}, {side} {transition}: {problem}" for problem in problems]


def kind_of(one: Transition, operation: str) -> str:
    """Verb and kind of object. What is written into a record is another thing in each operation."""
    plural, name = one.path.split("/")[-2:]
    special = f" record of {operation}" if name.startswith("slipway.") else " release" if "helm" in name else ""
    home = " home" if one.path.endswith("{name}-home") else ""
    return f"{one.method} {plural}{special}{home}"


def every_kind(expected: Expected, operation: str, known: set[str]) -> list[Transition]:
    """One transition of each kind that is not ``known`` yet; of the records the first, one in between, the last."""
    kinds: dict[str, list[Transition]] = {}
    for one in expected.transitions:
        kinds.setdefault(kind_of(one, operation), []).append(one)
    chosen: list[Transition] = []
    for kind, alike in kinds.items():
        if kind not in known:
            chosen += dict.fromkeys((alike[0], alike[len(alike) // 2], alike[-1]) if "record" in kind else alike[:1])
    known.update(kinds)
    return chosen


def run_cases(ground: Ground, cases: list[tuple[str, Transition, str, Expected]]) -> list[str]:
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = list(pool.map(lambda case: kill_at(ground, *case), cases))
    return [problem for problems in found for problem in problems]


def test_killed_at_each_kind_of_write(ground: Ground, undisturbed: Callable[[str], Expected]) -> None:
    """Each kind of write of all three operations once, sides alternating; ``make test-long`` tries all on both."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(undisturbed, OPERATIONS))
    known: set[str] = set()
    cases = [(o, one) for o in OPERATIONS for one in every_kind(undisturbed(o), o, known)]
    assert len(cases) >= 20
    assert {"PATCH deployments", "DELETE namespaces", "PATCH secrets release", "DELETE jobs"} <= known
    problems = run_cases(ground, [(o, one, SIDES[at % 2], undisturbed(o)) for at, (o, one) in enumerate(cases)])
    assert not problems, "\n".join(problems)


def test_what_is_looked_for_would_be_found(ground: Ground, undisturbed: Callable[[str], Expected]) -> None:
    """The counter-check: each kind of harm that a death could do is told from a converged cluster."""
    expected = undisturbed("install")
    cluster = ground.cluster()
    since = end_of(cluster.env["audit_log"])
    cluster.ok(manifest(cluster))
    assert not differences(cluster, "install", expected, since)
    shop, client = f"/api/v1/namespaces/{cluster.ns('shop')}", cluster.client()
    client.delete(f"{shop}/configmaps/config")
    stray = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray"}}
    client.write("POST", f"{shop}/configmaps", stray)
    secret = dict(client.get(f"{shop}/secrets/sh.helm.release.v1.shop.v1") or {})
    labels = {**secret["metadata"]["labels"], "version": "2"}
    secret["metadata"] = {"name": "sh.helm.release.v1.shop.v2", "labels": labels}
    client.write("POST", f"{shop}/secrets", secret)
    hook = f"/apis/batch/v1/namespaces/{cluster.ns('shop')}/jobs/prepare"
    client.delete(hook)
    eventually(lambda: client.get(hook) is None)
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "again", "image": "example.org/again:1"}]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "prepare"}, "spec": {"template": template}}
    client.apply(hook, job, manager="somebody")
    lease = f"/apis/coordination.k8s.io/v1/namespaces/{cluster.home}/leases/slipway"
    cluster.patch(lease, {"spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 60}})
    found = "\n".join(differences(cluster, "install", expected, since))
    for wanted in (
        "missing: configmaps NAME-shop/config",
        "left over: configmaps NAME-shop/stray",
        "next plan: shop",
        "Helm revisions: [(1, 'deployed'), (2, 'deployed')]",
        "hooks started: {'prepare': 2",
        "lock is still held by somebody",
    ):
        assert wanted in found


# --- ansible-playbook itself, killed in three ways (DESIGN 11.8) ------------------------------------------------------


def slow_manifest(cluster: Cluster, delay: str) -> dict[str, Any]:
    """Long enough in its wait to be killed there, with writes to come."""
    addons = manifest(cluster)
    addons["shop"]["values"]["podAnnotations"] = {"lab.slipway/delay": delay}
    return addons


def processes_of(mark: str) -> list[int]:
    """Everything that runs with ``mark`` on its command line: ansible-playbook, its workers, Helm."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in path.read_text(encoding="utf-8", errors="replace"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def api_writes(cluster: Cluster, since: int) -> list[str]:
    """What a run of the collection wrote, the lock included."""
    with Path(cluster.env["audit_log"]).open(encoding="utf-8") as log:
        log.seek(since)
        entries = [json.loads(line) for line in log if cluster.name in line and '"userAgent":"slipway (' in line]
    return [
        f"{e['verb']} {e['requestURI']}"
        for e in entries
        if e["verb"] in ("create", "update", "patch", "delete") and "dryRun" not in e["requestURI"]
    ]


@pytest.mark.parametrize("victim", ["main pid", "process group", "pid namespace"])
def test_ansible_playbook_is_killed(ground: Ground, tmp_path: Path, victim: str) -> None:
    """While it waits for a pod. Whoever is left stops writing, renewing included, and is gone within two seconds."""
    cluster = ground.cluster()
    playbook = Playbook(cluster, tmp_path, slow_manifest(cluster, "8"), extra={"slipway_lock_duration": 3})
    since = end_of(cluster.env["audit_log"])
    command = playbook.command("addons")
    if victim == "pid namespace":
        unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
            # Without root: the same, as root of a user namespace.
            unshare[1:1] = ["--user", "--map-root-user"]
        command = [*unshare, *command]
    main = subprocess.Popen(
        command, env=playbook.environment(), cwd=tmp_path, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    web = f"/apis/apps/v1/namespaces/{cluster.ns('shop')}/deployments/web"
    eventually(lambda: cluster.get(web), 60)
    time.sleep(1.0)
    mark = str(playbook.folder / "hosts.yml")
    assert len(processes_of(mark)) > 1
    if victim == "process group":
        os.killpg(main.pid, signal.SIGKILL)
    else:
        main.kill()
    main.wait(10)
    killed = time.monotonic()
    eventually(lambda: not processes_of(mark), 10)
    gone = time.monotonic() - killed
    assert gone < 2.0 + 1.0, f"the last process ended {gone:.1f} s after the kill"
    before = api_writes(cluster, since)
    assert before
    time.sleep(1.5)
    assert api_writes(cluster, since) == before
    assert lease_holder(cluster)
    assert cluster.get(f"/api/v1/namespaces/{cluster.ns('notes')}") is None
    report = cluster.run(slow_manifest(cluster, "8"), lock_wait=15.0)
    assert not report.failed
    assert hook_starts(cluster, since) == {"prepare": 1, "check": 1}


def test_ansible_playbook_that_lives_goes_on_writing(ground: Ground, tmp_path: Path) -> None:
    """The counter-check of the one above: unharmed, the same run goes on to its end."""
    cluster = ground.cluster()
    playbook = Playbook(cluster, tmp_path, slow_manifest(cluster, "3"), extra={"slipway_lock_duration": 3})
    since = end_of(cluster.env["audit_log"])
    main = subprocess.Popen(
        playbook.command("addons"), env=playbook.environment(), cwd=tmp_path, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    eventually(lambda: cluster.get(f"/apis/apps/v1/namespaces/{cluster.ns('shop')}/deployments/web"), 60)
    time.sleep(0.5)
    before = api_writes(cluster, since)
    assert main.wait(60) == 0
    assert len(api_writes(cluster, since)) > len(before)
    assert not lease_holder(cluster)


def test_a_write_that_was_under_way_is_the_last(ground: Ground, tmp_path: Path) -> None:
    """Main pid killed while its worker's write is held; let go, that write happens and no other."""
    cluster = ground.cluster()
    playbook = Playbook(cluster, tmp_path, manifest(cluster), proxy=True, extra={"slipway_lock_duration": 3})
    agent = "slipway (install)"
    path = RECORDED_WRITES + f".*/{cluster.ns('shop')}/deployments/web"
    with rule(ground.env, method="PATCH", path=path, hold="before"):
        main = subprocess.Popen(
            playbook.command("addons"), env=playbook.environment(), cwd=tmp_path, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        call = eventually(lambda: held(ground.env, agent), 60)
        main.kill()
        main.wait(10)
        time.sleep(1.0)
        before = [c for c in writes_through_proxy(ground.env, agent) if cluster.name in c["path"]]
        control(ground.env, "POST", "/release", {"id": call})
        eventually(lambda: not processes_of(str(playbook.folder / "hosts.yml")), 4)
    after = [c for c in writes_through_proxy(ground.env, agent) if cluster.name in c["path"]]
    assert after == before or len(after) == len(before)
    assert cluster.get(f"/apis/apps/v1/namespaces/{cluster.ns('shop')}/deployments/web")
    assert cluster.get(f"/api/v1/namespaces/{cluster.ns('notes')}") is None
    assert not cluster.run(manifest(cluster), lock_wait=15.0).failed


@pytest.mark.slow
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_every_write(
    ground: Ground, undisturbed: Callable[[str], Expected], operation: str, side: str
) -> None:
    expected = undisturbed(operation)
    problems = run_cases(ground, [(operation, one, side, expected) for one in expected.transitions])
    assert not problems, "\n".join(problems)
