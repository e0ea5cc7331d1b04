# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Five hundred objects that controllers work with and nobody has changed: nothing is told, nothing is written, and the
look costs one list for each kind. Then three of them are changed by hand, and just these are found."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Plan
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster, writes_in

pytestmark = pytest.mark.lab

TEAMS = 10
SCALED = 3
LOOKS = 8
"""Identity, version, discovery (twice), records, key, namespaces and releases: once, however many objects there are."""
OTHER = "registry.example/slipway/thing:2"


def deployment(name: str) -> o.Json:
    """As charts write them: with probes, resources and mounts that the server completes."""
    body = o.deployment(name)
    body["spec"]["replicas"] = 0
    pod = body["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "config", "configMap": {"name": f"{name}-config"}}]
    pod["containers"][0] |= {
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "LEVEL", "value": "info"}],
        "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/thing"}],
    }
    return body


def service(name: str) -> o.Json:
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def autoscaler(name: str) -> o.Json:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    metrics = [{"type": "Resource", "resource": cpu}]
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5, "metrics": metrics}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": spec,
    }


@dataclass(repr=False)
class Ground:
    """What is installed. ``first`` is the plan of the first look after the controllers' writes."""

    cluster: Cluster
    addons: dict[str, Any]
    first: Plan

    def watched(self) -> Client:
        """A client whose requests can be told from all others in the API server's log."""
        return Client(self.cluster.access, user_agent=f"untouched {self.cluster.name}")

    def writes(self) -> list[str]:
        log, agent = self.cluster.env["audit_log"], f"untouched {self.cluster.name}"
        return writes_in(log, agent) + writes_in(log, agent, dry_runs=True)


def things(cluster: Cluster) -> dict[str, list[o.Json]]:
    """By add-on: 200 Deployments with a ConfigMap each, dashboards, and what comes with them."""
    group = f"{cluster.name}.example.com"
    found = {"crds": [o.definition(group)]}
    for team in range(TEAMS):
        names = [f"team{team}-app{number}" for number in range(20)]
        items = [deployment(name) for name in names] + [o.config_map(f"{name}-config", level="info") for name in names]
        items += [service(name) for name in names[:2]]
        if team < SCALED:
            items += [autoscaler(names[0]), o.thing(group, f"team{team}")]
        found[f"team{team}"] = items
    kinds = [kind for kind in ("Validating", "Mutating") for _ in range(4)]
    found["policies"] = [o.hooks(f"{cluster.name}-{kind.lower()}{n}", kind, None) for n, kind in enumerate(kinds)]
    texts = [json.dumps({"id": number}) for number in range(65)]
    found["boards"] = [o.config_map(f"board{number}", **{"board.json": text}) for number, text in enumerate(texts)]
    return found


@pytest.fixture(scope="module")
def ground(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    ns = shared.ns("main")
    o.make_namespaces(shared, ns)
    addons: dict[str, Any] = {}
    items = things(shared)
    for at, (name, bodies) in enumerate(items.items()):
        source: dict[str, Any] = {"objects": bodies}
        if at % 2:
            file = tmp_path_factory.mktemp(name) / "all.yaml"
            file.write_text(yaml.safe_dump_all(bodies), encoding="utf-8")
            source = {"manifests": str(file)}
        addons[name] = {"namespace": ns, "timeout": 0, **source}
    assert sum(map(len, items.values())) == 500
    shared.ok(addons, concurrency=4)
    for team in range(SCALED):
        o.scale(shared, o.apps("deployments", ns, f"team{team}-app0"), 2)
    injected = base64.b64encode(Path(shared.env["webhook_ca"]).read_bytes()).decode()
    for hook in items["policies"]:
        where = o.MUTATING if hook["kind"].startswith("Mutating") else o.WEBHOOKS
        path = f"{where}/{hook['metadata']['name']}"
        o.inject(shared, path, "/webhooks/0/clientConfig/caBundle", injected, "cainjector")
    first = shared.plan(addons)
    shared.ok(addons)
    return Ground(shared, addons, first)


def test_an_autoscaler_s_replicas_are_told_once_as_kept_and_nothing_else_is(ground: Ground) -> None:
    told = {(drift.object, drift.field, drift.decision) for addon in ground.first.addons for drift in addon.drift}
    ns = ground.cluster.ns("main")
    assert told == {(f"Deployment {ns}/team{n}-app0", "spec.replicas", "keep") for n in range(SCALED)}
    assert ground.first.result == "unchanged"


def test_the_next_look_tells_nothing_and_costs_one_list_for_each_kind(ground: Ground) -> None:
    client = ground.watched()
    plan = ground.cluster.plan(ground.addons, client=client)
    assert plan.result == "unchanged"
    assert not [drift for addon in plan.addons for drift in addon.drift]
    kinds = {obj.kind for record in o.recorded(ground.cluster).values() for obj in record.objects}
    assert kinds >= {"Deployment", "ConfigMap", "Service", "HorizontalPodAutoscaler", "Thing"}
    assert client.requests == plan.requests <= len(kinds) + LOOKS
    assert plan.helm_processes == 0


def test_a_run_writes_nothing_and_tries_nothing(ground: Ground) -> None:
    report = ground.cluster.run(ground.addons, client=ground.watched())
    assert not report.results
    assert ground.writes() == []
    # The counter-check: the log shows what a look tries.
    changed = json.loads(json.dumps(ground.addons))
    changed["boards"]["objects"][0]["data"]["board.json"] = "[]"
    ground.cluster.plan(changed, client=ground.watched())
    assert len(ground.writes()) == 1


def test_three_changes_among_five_hundred_are_found_and_nothing_else(ground: Ground) -> None:
    cluster, ns = ground.cluster, ground.cluster.ns("main")
    o.kubectl(cluster, "-n", ns, "set", "image", "deployment/team7-app11", f"main={OTHER}")
    cluster.patch(o.core("configmaps", ns, "board42"), {"data": {"board.json": "{}"}})
    o.inject(cluster, f"{o.MUTATING}/{cluster.name}-mutating5", "/webhooks/0/failurePolicy", "Fail", "kubectl-edit")
    plan = cluster.plan(ground.addons)
    assert {(d.object, d.field, d.live, d.decision) for addon in plan.addons for d in addon.drift} == {
        (f"Deployment {ns}/team7-app11", "spec.template.spec.containers[main].image", OTHER, "report"),
        (f"ConfigMap {ns}/board42", "data[board.json]", "{}", "report"),
        (
            f"MutatingWebhookConfiguration {cluster.name}-mutating5",
            f"webhooks[{cluster.name}-mutating5.lab.slipway].failurePolicy",
            "Fail",
            "report",
        ),
    }
    assert {addon.name for addon in plan.addons if addon.drift} == {"team7", "boards", "policies"}
    assert plan.result == "drift"
