# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Draining on a real API server: budgets hold, what belongs to a node stays, and a run that dies is gone on with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import StoppedError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.cordon import CORDONED, cordon, uncordon
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.drain import Drained, Settings, drain, drain_plan
from lab.kubeadm.image_machine import FAULT
from tests.contract.fixtures import objects as o
from tests.contract.fixtures.nodes import NODES, ONLY, get_node, nodes_of
from tests.contract.fixtures.plays import play
from tests.contract.support import ROOT, Cluster, eventually

pytestmark = pytest.mark.lab

Json = dict[str, Any]
FAST = {"poll": 0.2, "retry": 0.5}


@pytest.fixture
def nodes(cluster: Cluster, main: None) -> Iterator[list[str]]:
    with nodes_of(cluster, "a", "b") as names:
        yield names


def pod_spec(cluster: Cluster, node: str = "") -> Json:
    spec: Json = {
        "containers": [{"name": "main", "image": o.IMAGE}],
        "nodeSelector": {ONLY: cluster.name},
        "tolerations": [{"key": ONLY, "operator": "Exists"}],
    }
    return {**spec, "nodeName": node} if node else spec


def collection(cluster: Cluster, plural: str, group: str = "apps/v1") -> str:
    root = "/api" if group == "v1" else "/apis"
    return f"{root}/{group}/namespaces/{cluster.ns('main')}/{plural}"


def workload(cluster: Cluster, kind: str, name: str, replicas: int = 0) -> None:
    template = {"metadata": {"labels": {"app": name}}, "spec": pod_spec(cluster)}
    spec: Json = {"selector": {"matchLabels": {"app": name}}, "template": template}
    if replicas:
        spec["replicas"] = replicas
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    cluster.client().write("POST", collection(cluster, f"{kind.lower()}s"), body)


def pod(cluster: Cluster, name: str, node: str, **meta: Any) -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **meta}, "spec": pod_spec(cluster, node)}
    cluster.client().write("POST", collection(cluster, "pods", "v1"), body)


def budget(cluster: Cluster, app: str, least: int) -> None:
    body = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": f"{app}-budget"},
        "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": app}}},
    }
    cluster.client().write("POST", collection(cluster, "poddisruptionbudgets", "policy/v1"), body)
    path = f"{collection(cluster, 'poddisruptionbudgets', 'policy/v1')}/{app}-budget"
    eventually(lambda: (cluster.get(path) or {}).get("status", {}).get("expectedPods"))


def loosen(cluster: Cluster, app: str) -> None:
    path = f"{collection(cluster, 'poddisruptionbudgets', 'policy/v1')}/{app}-budget"
    cluster.patch(path, {"spec": {"minAvailable": 0}})


def pods_of(cluster: Cluster, node: str) -> list[str]:
    found = cluster.client().list(collection(cluster, "pods", "v1"), {"fieldSelector": f"spec.nodeName={node}"})
    return sorted(p["metadata"]["labels"].get("app", p["metadata"]["name"]) for p in found)


def running(cluster: Cluster, node: str, app: str, number: int) -> None:
    def look() -> bool:
        query = {"fieldSelector": f"spec.nodeName={node}", "labelSelector": f"app={app}"}
        found = cluster.client().list(collection(cluster, "pods", "v1"), query)
        return len([p for p in found if p["status"].get("phase") == "Running"]) == number

    eventually(look)


def replicas(cluster: Cluster, node: str, other: str, app: str, number: int) -> None:
    """All pods of a Deployment on one node."""
    cordon(cluster.client(), other)
    workload(cluster, "Deployment", app, number)
    running(cluster, node, app, number)
    uncordon(cluster.client(), other)


class Teller:
    """Keeps what is told; ``at`` is called once with a state and a word of its detail."""

    def __init__(self, state: str = "", word: str = "", at: Callable[[], None] | None = None) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self._when = state, word
        self._at = at
        self._lock = threading.Lock()

    def __call__(self, node: str, state: str, detail: str) -> None:
        with self._lock:
            self.lines.append((node, state, detail))
            if self._at is not None and state == self._when[0] and self._when[1] in detail:
                at, self._at = self._at, None
                at()


def run(cluster: Cluster, *names: str, tell: Teller | None = None, **settings: Any) -> Drained:
    (found,) = drain(cluster.client(), [names], Settings(**{**FAST, "timeout": 30.0, **settings}), tell or Teller())
    return found


def cordoned(cluster: Cluster, name: str) -> tuple[bool, bool]:
    """Whether, and whether it is ours."""
    node = get_node(cluster, name)
    return bool(node["spec"].get("unschedulable")), CORDONED in (node["metadata"].get("annotations") or {})


def test_pods_move_within_their_budget(cluster: Cluster, nodes: list[str]) -> None:
    node, other = nodes
    replicas(cluster, node, other, "web", 3)
    budget(cluster, "web", 2)
    workload(cluster, "DaemonSet", "agent")
    running(cluster, node, "agent", 1)
    pod(cluster, "mirror", node, annotations={"kubernetes.io/config.mirror": "x"})
    pod(cluster, "done", node, labels={"app": "done"})
    path = f"{collection(cluster, 'pods', 'v1')}/done"
    eventually(lambda: (cluster.get(path) or {})["status"].get("phase") == "Running")
    cluster.client().write(
        "PATCH", f"{path}/status", {"status": {"phase": "Succeeded"}}, None, "application/merge-patch+json"
    )

    planned = drain_plan(cluster.client(), [node])[0]
    tell = Teller()
    done = run(cluster, node, tell=tell)
    assert done.outcome == "drained"
    assert done.changed
    ns = cluster.ns("main")
    assert done.stayed == planned.stayed
    assert next(name for name in done.stayed if not name.endswith("mirror")).startswith(f"{ns}/agent-")
    assert done.moved == planned.moved
    assert len(done.moved) == 4
    assert cordoned(cluster, node) == (True, True)
    assert pods_of(cluster, node) == ["agent", "mirror"]
    running(cluster, other, "web", 3)
    # One pod at a time: the budget held the others back, and that was said.
    assert any("The disruption budget web-budget needs 2 healthy pods" in detail for _n, _s, detail in tell.lines)

    client = cluster.client()
    again = drain(client, [[node]], Settings(**FAST), Teller())[0]
    assert (again.outcome, again.changed, again.moved) == ("drained", False, ())


def test_budget_that_never_allows_is_named_and_the_node_comes_back(cluster: Cluster, nodes: list[str]) -> None:
    node, other = nodes
    replicas(cluster, node, other, "db", 1)
    budget(cluster, "db", 1)
    done = run(cluster, node, timeout=2.0)
    assert done.outcome == "failed"
    assert done.problem is not None
    assert done.problem.code == "SLW-8421"
    assert "The disruption budget db-budget needs 1 healthy pods and has 1 currently" in done.problem.message
    assert pods_of(cluster, node) == ["db"]
    assert cordoned(cluster, node) == (False, False)
    assert not done.cordoned
    assert run(cluster, node, timeout=2.0, keep_cordon=True).cordoned
    assert cordoned(cluster, node) == (True, True)


def test_drain_goes_on_when_the_budget_lets_it(cluster: Cluster, nodes: list[str]) -> None:
    node, other = nodes
    replicas(cluster, node, other, "db", 1)
    budget(cluster, "db", 1)
    tell = Teller("draining", "db-budget", lambda: loosen(cluster, "db"))
    assert run(cluster, node, tell=tell).outcome == "drained"
    assert pods_of(cluster, node) == []


def test_cordon_of_somebody_else_stays(cluster: Cluster, nodes: list[str]) -> None:
    node, other = nodes
    replicas(cluster, node, other, "db", 1)
    budget(cluster, "db", 1)
    cluster.patch(f"{NODES}/{node}", {"spec": {"unschedulable": True}})
    assert run(cluster, node, timeout=1.0).outcome == "failed"
    assert cordoned(cluster, node) == (True, False)
    assert uncordon(cluster.client(), node) is False
    assert cordoned(cluster, node) == (True, False)


def test_pod_without_controller_is_not_lost_without_a_word(cluster: Cluster, nodes: list[str]) -> None:
    node, other = nodes
    replicas(cluster, node, other, "web", 1)
    pod(cluster, "bare", node, labels={"app": "bare"})
    done = run(cluster, node)
    assert done.outcome == "failed"
    assert done.problem is not None
    assert f"nobody makes {cluster.ns('main')}/bare again" in done.problem.message
    assert pods_of(cluster, node) == ["bare", "web"]
    assert run(cluster, node, lost=frozenset({node})).outcome == "drained"
    assert pods_of(cluster, node) == []


def out_of_service(cluster: Cluster, node: str) -> list[str]:
    """Effects of the taint by which a cluster knows that nothing runs on a node."""
    taints = (cluster.get(f"{NODES}/{node}") or {})["spec"]["taints"]
    return [taint["effect"] for taint in taints if "out-of-service" in taint["key"]]


def test_pod_that_does_not_end_is_named_with_its_finalizer(cluster: Cluster, nodes: list[str]) -> None:
    node, _other = nodes
    pod(cluster, "stuck", node, labels={"app": "stuck"}, finalizers=["example.org/hold"])
    try:
        done = run(cluster, node, timeout=1.5, lost=frozenset({node}))
        assert done.problem is not None
        assert "finalizers example.org/hold" in done.problem.message
        assert "ending since" in done.problem.message
        gone = {"lost": frozenset({node}), "unreachable": frozenset({node})}
        # One that reports is believed more than the user.
        assert run(cluster, node, timeout=1.5, **gone).outcome == "failed"
        assert out_of_service(cluster, node) == []
        # Where no kubelet lives nobody confirms an end.
        ready = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
        cluster.patch(f"{NODES}/{node}", {"metadata": {"labels": {FAULT: "never-ready"}}})
        cluster.patch(f"{NODES}/{node}/status", {"status": {"conditions": [ready]}})
        assert run(cluster, node, **gone).outcome == "drained"
        assert run(cluster, node, **gone).outcome == "drained"
        # So that the cluster itself deletes them, and Kubespray's own drain does not wait for the dead.
        assert out_of_service(cluster, node) == ["NoExecute"]
    finally:
        cluster.patch(f"{collection(cluster, 'pods', 'v1')}/stuck", {"metadata": {"finalizers": None}})


def test_batches_and_the_end_of_them(cluster: Cluster, main: None) -> None:
    with nodes_of(cluster, "a", "b", "c", "d") as names:
        bad = names[1]
        pod(cluster, "bare", bad, labels={"app": "bare"})
        tell = Teller()
        done = drain(cluster.client(), [names[:2], names[2:], ["not-there"]], Settings(**FAST), tell)
        assert [one.outcome for one in done] == ["drained", "failed", "not begun", "not begun", "not begun"]
        assert [cordoned(cluster, name)[0] for name in names] == [True, False, False, False]
        done = drain(cluster.client(), [["not-there"], names[:1]], Settings(**FAST), tell)
        assert [(one.outcome, one.changed) for one in done] == [("absent", False), ("drained", False)]


def test_run_that_may_not_write_any_more_stops(cluster: Cluster, nodes: list[str]) -> None:
    node, other = nodes
    replicas(cluster, node, other, "db", 1)
    budget(cluster, "db", 1)
    client = cluster.client()

    def lost() -> None:
        raise StoppedError("SLW-6103", "the run has ended")

    def stop() -> None:
        client.guard = lost

    with pytest.raises(StoppedError):
        drain(client, [[node]], Settings(**FAST), Teller("draining", "db-budget", stop))
    assert cordoned(cluster, node) == (True, True)


KILLED = """
import json, sys
from pathlib import Path
from tests.contract.support import Cluster
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.drain import Settings, drain
cluster = Cluster(json.loads(Path(sys.argv[1]).read_text()), Path("."))
drain(cluster.client(), [[sys.argv[2]]], Settings(poll=0.2), lambda *line: print(*line, flush=True))
"""


def test_killed_drain_is_gone_on_with_or_taken_back(cluster: Cluster, nodes: list[str], tmp_path: Path) -> None:
    node, other = nodes
    replicas(cluster, node, other, "db", 1)
    budget(cluster, "db", 1)
    (tmp_path / "env.json").write_text(json.dumps(cluster.env), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / '.build' / 'collections'}"}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "env.json"), node]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if "db-budget" in line:
                break
        child.kill()
    assert cordoned(cluster, node) == (True, True)
    # The cordon is known as ours by the next run, which takes it back when it fails.
    assert run(cluster, node, timeout=1.0).outcome == "failed"
    assert cordoned(cluster, node) == (False, False)
    cordon(cluster.client(), node)
    loosen(cluster, "db")
    assert run(cluster, node).outcome == "drained"
    assert uncordon(cluster.client(), node)
    assert cordoned(cluster, node) == (False, False)


def test_action(cluster: Cluster, nodes: list[str], tmp_path: Path) -> None:
    node, other = nodes
    replicas(cluster, node, other, "web", 2)
    checked, _shown = play(cluster, tmp_path, "node_drain", "--check", nodes=[node])
    assert checked["changed"]
    assert len(checked["nodes"][0]["moved"]) == 2
    assert cordoned(cluster, node) == (False, False)
    done, shown = play(cluster, tmp_path, "node_drain", nodes=f"{node},gone", batch="100%", grace_period="0")
    assert [(one["node"], one["outcome"]) for one in done["nodes"]] == [(node, "drained"), ("gone", "absent")]
    assert f"{node:<20} drained    2 pods moved, 0 belong to the node" in shown
    again, _shown = play(cluster, tmp_path, "node_drain", nodes=[node])
    assert not again["changed"]
    back, _shown = play(cluster, tmp_path, "node_drain", nodes=[node, "gone"], state="uncordoned")
    assert back["changed"]
    assert [one["outcome"] for one in back["nodes"]] == ["uncordoned", "absent"]
    wrong, _shown = play(cluster, tmp_path, "node_drain", nodes=[node], batch="0%")
    assert wrong["code"] == "SLW-8420"
    pod(cluster, "bare", node)
    failed, _shown = play(cluster, tmp_path, "node_drain", nodes=[node])
    assert failed["failed"]
    assert failed["code"] == "SLW-8421"
    assert [p["host"] for p in failed["problems"]] == [node]
