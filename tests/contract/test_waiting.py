# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is waited for, for how long, and what is said when it does not come."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster, eventually

pytestmark = pytest.mark.lab

SHOP = Path(__file__).parent / "charts" / "shop"
STATUS = "application/merge-patch+json"


def pod_template(
    fault: str = "", image: str = "example.org/web:1", restart: str = "Always", **spec: Any
) -> dict[str, Any]:
    labels = {"app": "web", **({"lab.slipway/fault": fault} if fault else {})}
    containers = [{"name": "main", "image": image}]
    return {"metadata": {"labels": labels}, "spec": {"restartPolicy": restart, "containers": containers, **spec}}


def deployment(name: str, fault: str = "", **spec: Any) -> dict[str, Any]:
    template = pod_template(fault, **spec)
    template["metadata"]["labels"]["app"] = name
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def job(name: str, fault: str = "") -> dict[str, Any]:
    template = pod_template(fault, restart="Never")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template},
    }


def claim(name: str, storage_class: str, **labels: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": labels},
        "spec": {**spec, "storageClassName": storage_class},
    }


def addon(cluster: Cluster, *objects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"one": {"namespace": cluster.ns("one"), "timeout": 3, "objects": list(objects), **more}}


def failure(cluster: Cluster, addons: dict[str, Any], **options: Any) -> tuple[str, float]:
    """The reason that add-on ``one`` failed for, and after how many seconds."""
    began = time.monotonic()
    report = cluster.run(addons, **options)
    assert report.failed
    return report.results["one"].reason, time.monotonic() - began


def line_of_pod(cluster: Cluster, says: str, *objects: dict[str, Any]) -> str:
    """What is said of the pod of Deployment ``web``, once it has come as far as ``says``; a busy lab takes its time."""

    def line() -> str:
        reason, _ = failure(cluster, addon(cluster, *objects))
        assert "SLW-4102 add-on one is not ready after 3 s" in reason
        return next((line for line in reason.splitlines() if "pod web-" in line and says in line), "")

    return str(eventually(line, 60))


def test_an_image_that_cannot_be_pulled(cluster: Cluster) -> None:
    """T32: pod, container, reason, message, age."""
    broken = deployment("web", "image-pull-error", image="example.org/nothing:9")
    line = line_of_pod(cluster, "ImagePullBackOff", broken)
    assert "container main: ImagePullBackOff" in line
    assert 'Back-off pulling image "example.org/nothing:9": not found' in line
    assert "s old)" in line
    # The counter-check: the same Deployment without the fault is ready.
    cluster.ok(addon(cluster, deployment("web", image="example.org/nothing:9"), timeout=30))


def test_a_pod_that_fits_nowhere(cluster: Cluster) -> None:
    line = line_of_pod(cluster, "Unschedulable", deployment("web", nodeSelector={"disk": "none-has-it"}))
    assert "nodes are available" in line


def test_a_container_that_crashes(cluster: Cluster) -> None:
    line = line_of_pod(cluster, "CrashLoopBackOff", deployment("web", "crash-loop"))
    assert "container main: CrashLoopBackOff" in line
    assert "exit code 1" in line
    assert "5 restarts" in line


def test_a_bare_pod_without_an_image_fails_at_once(cluster: Cluster) -> None:
    """``not found`` does not get better by waiting."""
    pod: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", **pod_template("image-pull-error")}
    pod["metadata"]["name"] = "alone"
    reason, seconds = failure(cluster, addon(cluster, pod, timeout=60))
    assert "SLW-4101" in reason
    assert "ImagePullBackOff" in reason
    assert seconds < 20


def test_a_hook_that_fails(cluster: Cluster) -> None:
    """At once, with event, hook, pod and exit code; nothing after it is begun; the next run runs it again."""
    values = {"group": f"{cluster.name}.example.org", "hookLabels": {"lab.slipway/fault": "fail-job"}}
    one = {"chart": {"path": str(SHOP)}, "namespace": cluster.ns("one"), "timeout": 60, "values": values}
    reason, seconds = failure(cluster, {"one": one})
    assert "SLW-4201 pre-install hook prepare" in reason
    assert "pod prepare-" in reason
    assert "container prepare: exit code 1" in reason
    assert seconds < 20
    assert cluster.get(f"/apis/apps/v1/namespaces/{cluster.ns('one')}/deployments/web") is None
    again, _ = failure(cluster, {"one": one})
    assert "pre-install hook prepare" in again
    values["hookLabels"] = {}
    cluster.ok({"one": one})


def test_only_the_one_that_is_not_ready_is_named(cluster: Cluster) -> None:
    """T33: one of 40."""
    objects = [deployment(f"web-{i:02}", "never-ready" if i == 17 else "", replicas=1) for i in range(40)]
    for one in objects:
        one["spec"]["template"]["spec"].pop("replicas")
    cluster.ok(addon(cluster, *objects, timeout=0))
    path = f"/apis/apps/v1/namespaces/{cluster.ns('one')}/deployments"

    def ready() -> int:
        return sum(one.get("status", {}).get("readyReplicas", 0) for one in cluster.client().list(path))

    eventually(lambda: ready() == 39, 60)
    # All of them are waited for, whatever it is that changes.
    reason, _ = failure(cluster, addon(cluster, *objects, o.config_map("a"), timeout=2))
    assert "web-17" in reason
    assert not [i for i in range(40) if i != 17 and f"web-{i:02}" in reason]
    assert "containers with unready status: [main]" in reason or "running, not ready" in reason


def widgets(cluster: Cluster) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    group = f"{cluster.name}.example.org"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


def widget(cluster: Cluster) -> dict[str, Any]:
    return {"apiVersion": f"{cluster.name}.example.org/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}}


class Operator(threading.Thread):
    """Writes one condition into the widget's status as soon as it is there, and another one later."""

    def __init__(self, cluster: Cluster, *said: tuple[float, dict[str, str]]) -> None:
        super().__init__(daemon=True)
        self._cluster, self._said = cluster, said
        self._path = f"/apis/{cluster.name}.example.org/v1/namespaces/{cluster.ns('one')}/widgets/w"

    def run(self) -> None:
        client = self._cluster.client()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if client.get(self._path) is not None:
                    break
            except KubeError:
                pass
            time.sleep(0.1)
        for after, condition in self._said:
            time.sleep(after)
            body = {"status": {"conditions": [condition]}}
            client.write("PATCH", f"{self._path}/status", body, {"fieldManager": "operator"}, STATUS)


BROKEN = {"type": "Failed", "status": "True", "reason": "BadChart", "message": "values do not parse"}
READY = {"type": "Ready", "status": "True", "reason": "Done", "message": ""}


def test_a_failed_child_resource_fails_at_once(cluster: Cluster) -> None:
    """T34: also while other objects are not ready yet."""
    addons = addon(cluster, widgets(cluster), widget(cluster), deployment("web", "never-ready"), timeout=60)
    Operator(cluster, (0, BROKEN)).start()
    reason, seconds = failure(cluster, addons)
    assert "SLW-4101 add-on one failed" in reason
    assert "Widget" in reason
    assert "BadChart: values do not parse" in reason
    assert "Deployment" not in reason
    assert seconds < 20


def test_what_an_operator_takes_back_is_no_failure(cluster: Cluster) -> None:
    """The counter-check of the one above: the condition was of the version before, for a moment."""
    conditions = [{"kind": "Widget", "type": "Ready"}]
    addons = addon(
        cluster, widgets(cluster), widget(cluster), wait={"conditions": conditions, "timeout": 30}, timeout=30
    )
    del addons["one"]["timeout"]
    Operator(cluster, (0, BROKEN), (0.7, READY)).start()
    cluster.ok(addons)


def test_a_claim_that_waits_for_its_first_consumer_is_not_waited_for(cluster: Cluster) -> None:
    """T35; a claim that nobody can bind is, and is explained."""
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": f"{cluster.name}-late", "labels": {"slipway.cluster/name": cluster.name}},
        "provisioner": "example.org/none",
    }
    path = "/apis/storage.k8s.io/v1/storageclasses/"
    late = {**storage_class, "volumeBindingMode": "WaitForFirstConsumer"}
    cluster.apply(path + f"{cluster.name}-late", late, manager="test")
    fault = {"lab.slipway/fault": "never-bound"}
    began = time.monotonic()
    cluster.ok(addon(cluster, claim("data", f"{cluster.name}-late", **fault), timeout=30))
    assert time.monotonic() - began < 15
    soon = {**storage_class, "metadata": {**storage_class["metadata"], "name": f"{cluster.name}-now"}}
    cluster.apply(path + f"{cluster.name}-now", soon, manager="test")
    other = {"one": addon(cluster, claim("data2", f"{cluster.name}-now", **fault))["one"]}
    other["one"]["namespace"] = cluster.ns("one")
    reason, _ = failure(cluster, {"one": {**other["one"], "namespace": cluster.ns("one")}})
    assert "PersistentVolumeClaim" in reason
    assert f"waits for provisioner example.org/none of storage class {cluster.name}-now" in reason


def test_a_load_balancer_without_provider_is_waited_for_where_required(cluster: Cluster) -> None:
    """T36."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "door", "labels": {"lab.slipway/fault": "never-ready"}},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    reason, _ = failure(cluster, addon(cluster, service))
    assert "no load balancer address yet" in reason
    assert "nothing in the cluster that provides a load balancer has answered" in reason
    optional = addon(cluster, service, wait={"load_balancer": "optional", "timeout": 30})
    del optional["one"]["timeout"]
    began = time.monotonic()
    cluster.ok(optional)
    assert time.monotonic() - began < 15


def test_time_is_given_to_each_add_on(cluster: Cluster) -> None:
    """T37: one that is slow has its own time; 0 waits for nothing."""
    addons = {
        "short": {"namespace": cluster.ns("a"), "timeout": 2, "objects": [deployment("a", "never-ready")]},
        "long": {"namespace": cluster.ns("b"), "timeout": 6, "objects": [deployment("b", "never-ready")]},
        "never": {"namespace": cluster.ns("c"), "timeout": 0, "objects": [deployment("c", "never-ready")]},
    }
    began = time.monotonic()
    ended: dict[str, float] = {}
    report = cluster.run(addons, emit=lambda e: ended.setdefault(f"{e.addon} {e.state}", time.monotonic() - began))
    outcomes = {name: result.outcome.value for name, result in report.results.items()}
    assert outcomes == {"short": "failed", "long": "failed", "never": "done"}
    assert "after 2 s" in report.results["short"].reason
    assert "after 6 s" in report.results["long"].reason
    assert ended["short failed"] + 2 < ended["long failed"]


def test_metrics_of_young_pods_may_be_missing(cluster: Cluster) -> None:
    """The age of the object counts, by the server's clock; a metric that is still missing later is a failure."""
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 3,
            "metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization",
                                                                            "averageUtilization": 80}}}
            ],
        },
    }  # fmt: skip
    slow = deployment("web")
    slow["spec"]["template"]["metadata"]["annotations"] = {"lab.slipway/delay": "4"}
    path = f"/apis/autoscaling/v2/namespaces/{cluster.ns('one')}/horizontalpodautoscalers/web"
    no_metrics = {
        "type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric", "message": "no metrics",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip

    def controller() -> None:
        client = cluster.client()
        for _ in range(100):
            if client.get(path) is not None:
                break
            time.sleep(0.1)
        body = {"status": {"conditions": [no_metrics], "desiredReplicas": 1, "currentReplicas": 1}}
        client.write("PATCH", f"{path}/status", body, {"fieldManager": "controller"}, STATUS)

    threading.Thread(target=controller, daemon=True).start()
    cluster.ok(addon(cluster, slow, scaler, timeout=30))


def test_waiting_ends_with_the_run(cluster: Cluster) -> None:
    """Within two seconds of its parent's end, long before its time is up; alive, it waits to the end."""
    for dies in (True, False):
        engine = cluster.engine(addon(cluster, deployment("web", "never-ready"), timeout=6))
        alive = threading.Event()
        engine._alive = lambda alive=alive: not alive.is_set()
        plan = engine.plan()
        if dies:
            threading.Timer(2.0, alive.set).start()
        began = time.monotonic()
        report = engine.execute(plan)
        seconds = time.monotonic() - began
        assert report.failed
        assert ("SLW-6103" in report.results["one"].reason) == dies
        assert seconds < 4.5 if dies else seconds >= 6
        cluster.patch(
            f"/apis/coordination.k8s.io/v1/namespaces/{cluster.home}/leases/slipway",
            {"spec": {"holderIdentity": ""}},
        )
