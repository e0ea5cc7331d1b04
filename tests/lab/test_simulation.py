# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What KWOK plays: pods run, jobs end, volumes bind, addresses come, and faults happen as ordered."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.conftest import within

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

pytestmark = pytest.mark.lab


def pod_template(fault: str | None = None, delay: str | None = None, **spec: object) -> dict[str, Any]:
    labels = {"app": "it"} | ({"lab.slipway/fault": fault} if fault else {})
    annotations = {"lab.slipway/delay": delay} if delay else {}
    return {
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": {"containers": [{"name": "main", "image": "example/it:1"}], **spec},
    }


def deployment(name: str, fault: str | None = None, delay: str | None = None) -> dict[str, Any]:
    spec = {"selector": {"matchLabels": {"app": "it"}}, "template": pod_template(fault, delay)}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def job(name: str, fault: str | None = None, delay: str | None = None) -> dict[str, Any]:
    spec = {"backoffLimit": 0, "template": pod_template(fault, delay, restartPolicy="Never")}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def apply(lab: Lab, namespace: str, content: object) -> None:
    lab.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(content))


def pod(lab: Lab, namespace: str) -> dict[str, Any]:
    """The only pod of the namespace, once it has a status beyond being scheduled."""

    def pods() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = lab.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        return [item for item in items if "containerStatuses" in item["status"]]

    within(15, lambda: len(pods()) == 1)
    return pods()[0]


def test_deployment_gets_ready_with_init_and_sidecar(lab: Lab, namespace: str) -> None:
    content = deployment("web")
    content["spec"]["template"]["spec"]["initContainers"] = [
        {"name": "once", "image": "example/it:1"},
        {"name": "side", "image": "example/it:1", "restartPolicy": "Always"},
    ]
    apply(lab, namespace, content)
    lab.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=20s")
    status = pod(lab, namespace)["status"]
    assert [container["ready"] for container in status["initContainerStatuses"]] == [True, True]


def test_stateful_set_binds_its_claims_and_volumes_go(lab: Lab, namespace: str) -> None:
    claim = {"storageClassName": "any", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec = {
        "replicas": 2,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "it"}},
        "template": pod_template(),
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    apply(lab, namespace, {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec})
    lab.kubectl("rollout", "status", "statefulset/db", "-n", namespace, "--timeout=20s")
    claims = lab.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")["items"]
    assert [claim["status"]["phase"] for claim in claims] == ["Bound", "Bound"]
    lab.kubectl("delete", "statefulset/db", "-n", namespace)
    lab.kubectl("delete", "pvc", "--all", "-n", namespace)
    within(15, lambda: not lab.get("/api/v1/persistentvolumes")["items"])


def test_claim_without_a_class_waits(lab: Lab, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    apply(
        lab, namespace, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
    )
    assert lab.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/c")["status"]["phase"] == "Pending"


def test_ordered_claim_and_load_balancer_wait_until_the_label_goes(lab: Lab, namespace: str) -> None:
    claim = {"storageClassName": "any", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    service = {"type": "LoadBalancer", "ports": [{"port": 80}]}
    metadata = {"name": "c", "labels": {"lab.slipway/fault": "never-bound"}}
    apply(lab, namespace, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim})
    metadata = {"name": "s", "labels": {"lab.slipway/fault": "never-ready"}}
    apply(lab, namespace, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})
    base = f"/api/v1/namespaces/{namespace}"
    time.sleep(1.5)
    assert lab.get(f"{base}/persistentvolumeclaims/c")["status"]["phase"] == "Pending"
    assert not lab.get(f"{base}/services/s")["status"]["loadBalancer"]
    lab.kubectl("label", "pvc/c", "service/s", "lab.slipway/fault-", "-n", namespace)
    within(10, lambda: lab.get(f"{base}/persistentvolumeclaims/c")["status"]["phase"] == "Bound")
    within(10, lambda: lab.get(f"{base}/services/s")["status"]["loadBalancer"].get("ingress"))
    lab.kubectl("delete", "pvc", "c", "-n", namespace)


def test_daemon_set_runs_on_every_node(lab: Lab, namespace: str) -> None:
    spec = {"selector": {"matchLabels": {"app": "it"}}, "template": pod_template(hostNetwork=True)}
    apply(lab, namespace, {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "ds"}, "spec": spec})
    lab.kubectl("rollout", "status", "daemonset/ds", "-n", namespace, "--timeout=20s")
    assert lab.get(f"/apis/apps/v1/namespaces/{namespace}/daemonsets/ds")["status"]["numberReady"] == 3


def test_load_balancer_gets_an_address_and_endpoints(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, deployment("web"))
    spec = {"type": "LoadBalancer", "selector": {"app": "it"}, "ports": [{"port": 80}]}
    apply(lab, namespace, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})

    def addresses() -> list[dict[str, str]]:
        service = lab.get(f"/api/v1/namespaces/{namespace}/services/web")
        given: list[dict[str, str]] = service["status"]["loadBalancer"].get("ingress", [])
        return given

    within(10, lambda: bool(addresses()))
    assert addresses()[0]["ip"].startswith("127.97.")

    def endpoints() -> list[Any]:
        slices = lab.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")["items"]
        return [endpoint for item in slices for endpoint in item["endpoints"] or []]

    within(10, lambda: len(endpoints()) == 1)


def test_job_and_bare_pod_complete(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, job("quick"))
    lab.kubectl("wait", "job/quick", "--for=condition=Complete", "-n", namespace, "--timeout=20s")
    lab.kubectl("run", "hook", "--image=example/it:1", "--restart=Never", "-n", namespace)
    lab.kubectl("wait", "pod/hook", "--for=jsonpath={.status.phase}=Succeeded", "-n", namespace, "--timeout=20s")


def test_slow_job_takes_its_time(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, job("slow", "slow-job", "3"))
    lab.kubectl("wait", "job/slow", "--for=condition=Complete", "-n", namespace, "--timeout=20s")
    status = pod(lab, namespace)["status"]
    assert status["phase"] == "Succeeded"
    begin, end = status["startTime"], status["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
    assert 2 <= int(end[17:19]) + 60 * int(end[14:16]) - int(begin[17:19]) - 60 * int(begin[14:16]) <= 6


def test_failing_job_fails(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, job("fails", "fail-job"))
    lab.kubectl("wait", "job/fails", "--for=condition=Failed", "-n", namespace, "--timeout=20s")
    assert pod(lab, namespace)["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 1


@pytest.mark.parametrize(
    ("fault", "phase", "waiting"),
    [
        ("never-ready", "Running", None),
        ("image-pull-error", "Pending", "ImagePullBackOff"),
        ("crash-loop", "Running", "CrashLoopBackOff"),
    ],
)
def test_pod_stays_unready_until_the_fault_is_taken_back(
    lab: Lab, namespace: str, fault: str, phase: str, waiting: str | None
) -> None:
    apply(lab, namespace, deployment("bad", fault))
    found = pod(lab, namespace)
    status = found["status"]
    assert status["phase"] == phase
    assert status["containerStatuses"][0]["state"].get("waiting", {}).get("reason") == waiting
    ready = next(condition for condition in status["conditions"] if condition["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    lab.kubectl("label", "pod", found["metadata"]["name"], "lab.slipway/fault-", "-n", namespace)
    lab.kubectl("rollout", "status", "deployment/bad", "-n", namespace, "--timeout=20s")


def test_delay_puts_off_readiness(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, deployment("late", delay="2"))
    within(10, lambda: len(lab.get(f"/api/v1/namespaces/{namespace}/pods")["items"]) == 1)
    assert lab.get(f"/api/v1/namespaces/{namespace}/pods")["items"][0]["status"]["phase"] == "Pending"
    lab.kubectl("rollout", "status", "deployment/late", "-n", namespace, "--timeout=20s")


def test_pod_that_never_stops_holds_its_namespace(lab: Lab, namespace: str) -> None:
    lab.kubectl("run", "stuck", "--image=it", "--labels=lab.slipway/fault=never-stops", "-n", namespace)
    within(10, lambda: pod(lab, namespace)["status"]["phase"] == "Running")
    lab.kubectl("delete", "pod", "stuck", "-n", namespace, "--wait=false")
    within(5, lambda: "deletionTimestamp" in pod(lab, namespace)["metadata"])
    lab.kubectl("label", "pod", "stuck", "lab.slipway/fault-", "-n", namespace)
    within(10, lambda: not lab.get(f"/api/v1/namespaces/{namespace}/pods")["items"])
